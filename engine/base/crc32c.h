#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "engine/base/bytes.h"

namespace tidemill {

/// CRC-32C (Castagnoli, RFC 3720 appendix B.4). `seed` is the checksum of the bytes before, 0 at
/// the start, so crc32c(b, crc32c(a)) == crc32c(a + b). Uses SSE4.2 where the processor has it.
std::uint32_t crc32c(Bytes bytes, std::uint32_t seed = 0);

/// The portable twin; tests hold the two against each other.
std::uint32_t crc32c_portable(Bytes bytes, std::uint32_t seed = 0);

/// Which single bit, flipped, explains that the checksum of `bytes` bytes differs from the stored
/// one by `difference` (the xor of the two): 8 * byte + bit, and from 8 * bytes on a bit of the
/// stored checksum. Nothing when no single bit does. Limits: unambiguous below 256 MiB.
std::optional<std::size_t> flipped_bit(std::size_t bytes, std::uint32_t difference);

}  // namespace tidemill
