#include "engine/base/uint128.h"

#include <algorithm>

namespace tidemill {

std::string to_decimal(uint128 value) {
    std::string digits;
    do {
        digits.push_back(static_cast<char>('0' + static_cast<int>(value % 10)));
        value /= 10;
    } while (value != 0);
    std::ranges::reverse(digits);
    return digits;
}

std::optional<uint128> parse_decimal_uint128(std::string_view text) {
    if (text.empty() || text.size() > 39 || (text.size() > 1 && text[0] == '0')) return {};
    uint128 value = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') return {};
        const auto digit = static_cast<unsigned>(c - '0');
        if (value > (kUint128Max - digit) / 10) return {};
        value = value * 10 + digit;
    }
    return value;
}

}  // namespace tidemill
