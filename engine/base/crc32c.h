#pragma once

#include <cstdint>

#include "engine/base/bytes.h"

namespace tidemill {

/// CRC-32C (Castagnoli, RFC 3720 appendix B.4). `seed` is the checksum of the bytes before, 0 at
/// the start, so crc32c(b, crc32c(a)) == crc32c(a + b). Uses SSE4.2 where the processor has it.
std::uint32_t crc32c(Bytes bytes, std::uint32_t seed = 0);

/// The portable twin; tests hold the two against each other.
std::uint32_t crc32c_portable(Bytes bytes, std::uint32_t seed = 0);

}  // namespace tidemill
