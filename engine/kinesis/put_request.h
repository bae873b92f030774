#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/aws/api_error.h"
#include "engine/aws/encoding.h"
#include "engine/aws/value.h"
#include "engine/service/stream_service.h"

namespace tidemill::kinesis {

using namespace aws;

/// A decoded PutRecords request. Records view `memory`, `document` or the body.
struct PutRequest {
    std::string stream_name, stream_arn;
    std::vector<PutRecord> records;
    bool is_dry_run = false;
    std::unique_ptr<char[]> memory;  ///< of what the fast way had to decode
    Value document;                  ///< of the thorough way
};

/// Data and keys of one PutRecords.
constexpr std::size_t kRequestDataMax = 10_MiB;

/// Decodes and checks a PutRecords body: bytes to request or error, pure. A valid body of the usual
/// form goes through a fast way alone; all else through the document, which finds AWS's words for
/// what is wrong. Ownership: the body outlives the request. Limits: kBodyPadding bytes behind
/// `body` must be readable.
ApiResult<PutRequest> decode_put_records(std::string_view body, Encoding encoding);

/// The fast way in JSON: nothing when the body is not plainly valid, which says nothing about
/// whether it is valid.
std::optional<PutRequest> decode_put_records_fast(std::string_view body);
/// The same in CBOR. Records view the body.
std::optional<PutRequest> decode_put_records_fast_cbor(std::string_view body);
/// The thorough way. Gives the same request wherever a fast one gives any; tests and fuzz targets
/// hold them together.
ApiResult<PutRequest> decode_put_records_thorough(std::string_view body,
                                                  Encoding encoding = Encoding::Json);

/// Whether the records are such as their stream wants: with a key where it goes by keys, and none
/// too large. `is_list`: they are the members Records of PutRecords, and not a PutRecord. Errors:
/// ValidationException, in the words of a shape's check.
ApiStatus check_records(const StreamInfo& stream, std::span<const PutRecord> records, bool is_list);

/// One record of a checked document, which it views. Errors: InvalidArgumentException.
ApiResult<PutRecord> record_of(const Value& entry);

}  // namespace tidemill::kinesis
