#pragma once

#include <vector>

#include "engine/base/bytes.h"
#include "engine/base/result.h"
#include "engine/catalog/stream.h"

namespace tidemill {

/// One stream with all its shards as the bytes of one catalog row. Format: docs/formats/catalog.md.
std::vector<std::byte> encode_stream(const StreamInfo& stream);
/// Errors: Corrupt; Unsupported when a newer version wrote a field that must not be ignored.
Result<StreamInfo> decode_stream(Bytes bytes);

}  // namespace tidemill
