#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tidemill {

/// Hash keys and their ranges: 0 .. 2^128-1.
__extension__ using uint128 = unsigned __int128;

constexpr uint128 kUint128Max = ~uint128{0};

std::string to_decimal(uint128 value);
/// Only digits, no sign, no leading zero but for "0" itself, at most 2^128-1.
std::optional<uint128> parse_decimal_uint128(std::string_view text);

}  // namespace tidemill
