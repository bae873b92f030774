#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/aws/api_error.h"
#include "engine/aws/value.h"
#include "engine/service/stream_service.h"

namespace tidemill::kinesis {

using namespace aws;

/// A decoded PutRecords or PutRecord request. Records view `memory`.
struct PutRequest {
    std::string stream_name, stream_arn;
    std::vector<PutRecord> records;
    bool is_dry_run = false;
    std::unique_ptr<char[]> memory;
};

/// Decodes and checks a PutRecords body: bytes to request or error, pure. A valid body of the usual
/// form goes through `decode_put_records_fast` alone; all else through the document, which finds
/// AWS's words for what is wrong. Limits: kBodyPadding bytes behind `body` must be readable.
ApiResult<PutRequest> decode_put_records(std::string_view body);

/// The fast way: nothing when the body is not plainly valid, which says nothing about whether it is
/// valid.
std::optional<PutRequest> decode_put_records_fast(std::string_view body);
/// The thorough way. Gives the same request wherever the fast one gives any; tests and a fuzz
/// target hold them together.
ApiResult<PutRequest> decode_put_records_thorough(std::string_view body);

/// One record of a checked document, into `memory` at `at`, which moves. Errors:
/// InvalidArgumentException.
ApiResult<PutRecord> record_of(const Value& entry, char*& at);

}  // namespace tidemill::kinesis
