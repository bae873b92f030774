#pragma once

#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/service/stream_service.h"

namespace tidemill {

/// The catalog space of consumer applications' rows. Format: docs/formats/catalog.md.
constexpr const char* kLeaseSpace = "lease";

/// "<stream uid>/" and then "<application>\0<shard index>": all rows of a stream, of an
/// application, of a shard are a prefix.
std::string lease_prefix(StreamUid stream);
std::string lease_prefix(StreamUid stream, std::string_view application);
std::string lease_key(StreamUid stream, std::string_view application, std::uint32_t shard_index);

std::vector<std::byte> encode_checkpoint(const Checkpoint& checkpoint);
Result<Checkpoint> decode_checkpoint(Bytes bytes);

}  // namespace tidemill
