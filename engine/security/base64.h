#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/bytes.h"

namespace tidemill {

/// Base64 with padding, the standard alphabet. Source: RFC 4648, section 4.
constexpr std::size_t base64_encoded_size(std::size_t bytes) { return (bytes + 2) / 3 * 4; }
constexpr std::size_t base64_decoded_max(std::size_t text) { return text / 4 * 3; }

/// Writes exactly base64_encoded_size(bytes.size()) characters and returns the end.
char* base64_encode(Bytes bytes, char* to);
std::string base64_encode(Bytes bytes);

/// Writes at most base64_decoded_max(text.size()) bytes and returns the end; nullptr when the text
/// is not canonical base64: length not a multiple of 4, a foreign character, misplaced padding, or
/// bits left over after the last byte. `to` may be where `text` begins.
std::byte* base64_decode(std::string_view text, std::byte* to);
std::optional<std::vector<std::byte>> base64_decode(std::string_view text);

}  // namespace tidemill
