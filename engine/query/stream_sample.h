#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/base/time.h"
#include "engine/service/stream_service.h"

namespace tidemill::query {

/// Where the records of a sample are taken from.
enum class SampleFrom : std::uint8_t { Oldest, Newest };

/// Some records of a stream, a few of each shard that has any; aggregates of the Kinesis Producer
/// Library are opened. Errors: those of reading.
Task<Result<std::vector<std::string>>> sample_stream(StreamService& service, std::string stream,
                                                     SampleFrom from, std::size_t most);

}  // namespace tidemill::query
