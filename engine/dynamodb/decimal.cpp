#include "engine/dynamodb/decimal.h"

#include <algorithm>

#include <fmt/format.h>

namespace tidemill::dynamodb {
namespace {

constexpr std::size_t kDigitsMax = 38;
constexpr int kMagnitudeMax = 125, kMagnitudeMin = -130;
constexpr std::size_t kTextMax = 1000;  // a number's; the digits that count are 38

using aws::refuse;

std::unexpected<aws::ApiError> not_a_number(std::string_view text) {
    return refuse("ValidationException",
                  text.empty() ? "The parameter cannot be converted to a numeric value"
                               : fmt::format("The parameter cannot be converted to a numeric "
                                             "value: {}",
                                             text));
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Both as digits of the same weight, the longer first or equal: a + b, in place.
std::string sum_of(std::string a, const std::string& b) {
    int carry = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        char& digit = a[a.size() - 1 - i];
        const int sum = digit - '0' + (i < b.size() ? b[b.size() - 1 - i] - '0' : 0) + carry;
        digit = static_cast<char>('0' + sum % 10);
        carry = sum / 10;
    }
    return carry != 0 ? "1" + a : a;
}

/// a - b, a not less than b.
std::string difference_of(std::string a, const std::string& b) {
    int borrow = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        char& digit = a[a.size() - 1 - i];
        int left = digit - '0' - (i < b.size() ? b[b.size() - 1 - i] - '0' : 0) - borrow;
        borrow = left < 0 ? 1 : 0;
        if (left < 0) left += 10;
        digit = static_cast<char>('0' + left);
    }
    return a;
}

}  // namespace

Decimal::Decimal(std::int64_t value) { *this = *parse(fmt::format("{}", value)); }

aws::ApiResult<Decimal> Decimal::make(bool is_negative, std::string digits, std::int64_t exponent) {
    digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size()));
    const std::size_t kept = digits.find_last_not_of('0') + 1;  // npos + 1 is 0
    exponent += static_cast<std::int64_t>(digits.size() - kept);
    digits.resize(kept);
    Decimal made;
    if (digits.empty()) return made;
    const std::int64_t magnitude = exponent + static_cast<std::int64_t>(digits.size()) - 1;
    if (magnitude > kMagnitudeMax)
        return refuse("ValidationException",
                      "Number overflow. Attempting to store a number with magnitude larger than "
                      "supported range");
    if (magnitude < kMagnitudeMin)
        return refuse("ValidationException",
                      "Number underflow. Attempting to store a number with magnitude smaller than "
                      "supported range");
    if (digits.size() > kDigitsMax)
        return refuse("ValidationException",
                      "Attempting to store more than 38 significant digits in a Number");
    made.is_negative_ = is_negative;
    made.exponent_ = static_cast<int>(exponent);
    for (const char c : digits)
        made.coefficient_ = made.coefficient_ * 10 + static_cast<unsigned>(c - '0');
    return made;
}

aws::ApiResult<Decimal> Decimal::parse(std::string_view text) {
    if (text.size() > kTextMax) return not_a_number(text.substr(0, kTextMax));
    std::size_t at = 0;
    const bool is_negative = text.starts_with('-');
    if (is_negative || text.starts_with('+')) ++at;
    std::string digits;
    std::int64_t exponent = 0;
    bool is_fraction = false;
    for (; at < text.size() && (is_digit(text[at]) || (text[at] == '.' && !is_fraction)); ++at) {
        if (text[at] == '.') {
            is_fraction = true;
            continue;
        }
        digits += text[at];
        if (is_fraction) --exponent;
    }
    if (digits.empty()) return not_a_number(text);
    if (at < text.size()) {
        if (text[at] != 'e' && text[at] != 'E') return not_a_number(text);
        ++at;
        const bool is_small = at < text.size() && text[at] == '-';
        if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
        if (at == text.size()) return not_a_number(text);
        std::int64_t scale = 0;
        for (; at < text.size(); ++at) {
            if (!is_digit(text[at])) return not_a_number(text);
            scale = std::min<std::int64_t>(scale * 10 + (text[at] - '0'), 1'000'000);
        }
        exponent += is_small ? -scale : scale;
    }
    return make(is_negative, std::move(digits), exponent);
}

aws::ApiResult<Decimal> Decimal::add(const Decimal& a, const Decimal& b) {
    if (a.is_zero()) return b;
    if (b.is_zero()) return a;
    const Decimal& high = a.exponent_ >= b.exponent_ ? a : b;
    const Decimal& low = a.exponent_ >= b.exponent_ ? b : a;
    std::string x = to_decimal(high.coefficient_) +
                    std::string(static_cast<std::size_t>(high.exponent_ - low.exponent_), '0');
    std::string y = to_decimal(low.coefficient_);
    if (high.is_negative_ == low.is_negative_)
        return make(high.is_negative_,
                    x.size() >= y.size() ? sum_of(std::move(x), y) : sum_of(std::move(y), x),
                    low.exponent_);
    const bool is_high_larger = x.size() != y.size() ? x.size() > y.size() : x >= y;
    return is_high_larger ? make(high.is_negative_, difference_of(std::move(x), y), low.exponent_)
                          : make(low.is_negative_, difference_of(std::move(y), x), low.exponent_);
}

Decimal Decimal::negated() const {
    Decimal other = *this;
    if (!is_zero()) other.is_negative_ = !is_negative_;
    return other;
}

std::size_t Decimal::digits() const { return is_zero() ? 0 : to_decimal(coefficient_).size(); }

int Decimal::magnitude() const { return exponent_ + static_cast<int>(digits()) - 1; }

uint128 Decimal::left_aligned() const {
    uint128 aligned = coefficient_;
    for (std::size_t i = digits(); i < kDigitsMax; ++i)
        aligned *= 10;
    return aligned;
}

std::string Decimal::text() const {
    std::string digits = to_decimal(coefficient_);
    if (exponent_ >= 0) {
        digits.append(static_cast<std::size_t>(exponent_), '0');
    } else {
        const auto places = static_cast<std::size_t>(-exponent_);
        if (digits.size() <= places) digits.insert(0, places + 1 - digits.size(), '0');
        digits.insert(digits.size() - places, 1, '.');
    }
    return is_negative_ ? "-" + digits : digits;
}

std::strong_ordering Decimal::operator<=>(const Decimal& other) const {
    return sortable() <=> other.sortable();
}

std::string Decimal::sortable() const {
    // The sign, then the magnitude, then all digits; of a negative number each is turned round.
    std::string bytes(kSortableBytes, '\0');
    if (is_zero()) {
        bytes[0] = 1;
        return bytes;
    }
    const auto put = [&](std::size_t at, unsigned byte) {
        bytes[at] = static_cast<char>(is_negative_ ? ~byte & 0xff : byte & 0xff);
    };
    bytes[0] = is_negative_ ? 0 : 2;
    const auto biased = static_cast<unsigned>(magnitude() - kMagnitudeMin);
    put(1, biased >> 8);
    put(2, biased);
    const uint128 aligned = left_aligned();
    for (std::size_t i = 0; i < 16; ++i)
        put(3 + i, static_cast<unsigned>(aligned >> (8 * (15 - i))) & 0xff);
    return bytes;
}

}  // namespace tidemill::dynamodb
