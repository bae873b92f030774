#pragma once

#include <cstdint>

#include "engine/base/bytes.h"

namespace tidemill {

/// CRC-32 of zlib, gzip and Ethernet (ISO-HDLC): what AWS's wire formats carry; the log's own
/// checksum is crc32c. `seed` is the checksum of the bytes before, 0 at the start, so
/// crc32(b, crc32(a)) == crc32(a + b).
std::uint32_t crc32(Bytes bytes, std::uint32_t seed = 0);

}  // namespace tidemill
