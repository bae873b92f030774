#include "engine/aws/cbor_reader.h"

#include <bit>
#include <cmath>
#include <limits>

namespace tidemill::aws {
namespace {

constexpr char kBreak = static_cast<char>(0xff);
constexpr std::uint8_t kIndefinite = 31;

/// Source: RFC 8949, appendix D.
double half(std::uint64_t bits) {
    const int exponent = static_cast<int>(bits >> 10 & 0x1f);
    const auto mantissa = static_cast<double>(bits & 0x3ff);
    const double value = exponent == 0    ? std::ldexp(mantissa, -24)
                         : exponent != 31 ? std::ldexp(mantissa + 1024, exponent - 25)
                         : mantissa == 0  ? std::numeric_limits<double>::infinity()
                                          : std::numeric_limits<double>::quiet_NaN();
    return (bits & 0x8000) != 0 ? -value : value;
}

}  // namespace

bool CborReader::head(Head& to) {
    if (left_.empty()) return false;
    const auto first = static_cast<std::uint8_t>(left_[0]);
    to = {static_cast<Major>(first >> 5), static_cast<std::uint8_t>(first & 31), 0, false};
    left_.remove_prefix(1);
    if (to.info < 24) {
        to.argument = to.info;
        return true;
    }
    if (to.info == kIndefinite) {
        to.is_indefinite = to.major >= kBytes && to.major <= kMap;
        return to.is_indefinite || to.major == kSimple;
    }
    if (to.info > 27) return false;
    const std::size_t bytes = std::size_t{1} << (to.info - 24);
    if (left_.size() < bytes) return false;
    for (std::size_t i = 0; i < bytes; ++i)
        to.argument = to.argument << 8 | static_cast<std::uint8_t>(left_[i]);
    left_.remove_prefix(bytes);
    return true;
}

bool CborReader::take(std::uint64_t length, std::string_view& to) {
    if (length > left_.size()) return false;
    to = left_.substr(0, static_cast<std::size_t>(length));
    left_.remove_prefix(static_cast<std::size_t>(length));
    return true;
}

bool CborReader::skip_break() {
    if (left_.empty() || left_[0] != kBreak) return false;
    left_.remove_prefix(1);
    return true;
}

double cbor_float(const CborReader::Head& head) {
    if (head.info == 25) return half(head.argument);
    if (head.info == 26)
        return static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(head.argument)));
    return std::bit_cast<double>(head.argument);
}

}  // namespace tidemill::aws
