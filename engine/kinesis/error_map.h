#pragma once

#include "engine/aws/api_error.h"
#include "engine/base/error.h"
#include "engine/log/log_store.h"

namespace tidemill::kinesis {

using namespace aws;

/// The engine's error as the API names it. Every code has a row; messages pass through.
ApiError to_api_error(const Error& error);

/// `ErrorCode` of one entry of a PutRecords answer: only what the API documents there.
std::string_view put_error_code(const AppendResult& result);

}  // namespace tidemill::kinesis
