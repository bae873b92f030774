#include "engine/security/policy_values.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <optional>

#include "engine/security/signature_time.h"
#include "engine/security/wildcard.h"

namespace tidemill {
namespace {

std::optional<double> number_of(std::string_view text) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || text.empty())
        return std::nullopt;
    return value;
}

/// An address as 128 bits: of IPv4, as it stands in IPv6.
using Address = std::array<unsigned char, 16>;
constexpr std::size_t kMappedBits = 96;

struct Network {
    Address address{};
    std::size_t bits = 128;
};

/// "192.0.2.0/24", "2001:db8::/32", or one address.
std::optional<Network> network_of(std::string_view text) {
    Network network;
    const auto slash = text.find('/');
    const std::string address(text.substr(0, slash));
    std::size_t width = 128;
    if (::inet_pton(AF_INET, address.c_str(), network.address.data() + 12) == 1) {
        network.address[10] = network.address[11] = 0xff;
        width = 32;
    } else if (::inet_pton(AF_INET6, address.c_str(), network.address.data()) != 1) {
        return std::nullopt;
    }
    if (slash == std::string_view::npos) return network;
    const auto digits = text.substr(slash + 1);
    std::size_t bits = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
    if (error != std::errc{} || end != digits.data() + digits.size() || bits > width)
        return std::nullopt;
    network.bits = bits + (width == 32 ? kMappedBits : 0);
    return network;
}

bool contains(const Network& network, const Address& address) {
    for (std::size_t bit = 0; bit < network.bits; ++bit) {
        const unsigned difference = network.address[bit / 8] ^ address[bit / 8];
        if ((difference >> (7 - bit % 8) & 1) != 0) return false;
    }
    return true;
}

template <class T>
bool in_order(Comparison comparison, const T& actual, const T& wanted) {
    switch (comparison) {
        case Comparison::NumericLess:
        case Comparison::DateLess:
            return actual < wanted;
        case Comparison::NumericLessEquals:
        case Comparison::DateLessEquals:
            return actual <= wanted;
        case Comparison::NumericGreater:
        case Comparison::DateGreater:
            return actual > wanted;
        case Comparison::NumericGreaterEquals:
        case Comparison::DateGreaterEquals:
            return actual >= wanted;
        default:
            return actual == wanted;
    }
}

bool is_truth(std::string_view text) {
    return equal_ignoring_case(text, "true") || equal_ignoring_case(text, "false");
}

void append_literally(std::string& to, std::string_view text) {
    for (const char c : text) {
        if (c == '*' || c == '?' || c == kWildcardEscape) to.push_back(kWildcardEscape);
        to.push_back(c);
    }
}

std::string_view trimmed(std::string_view text) {
    while (text.starts_with(' '))
        text.remove_prefix(1);
    while (text.ends_with(' '))
        text.remove_suffix(1);
    return text;
}

/// What stands between "${" and "}".
std::optional<std::string> variable(std::string_view inside, const AccessQuestion& question) {
    if (inside == "*" || inside == "?" || inside == "$") return std::string(inside);
    const auto comma = inside.find(',');
    if (auto value = context_value(question, trimmed(inside.substr(0, comma)))) return value;
    if (comma == std::string_view::npos) return std::nullopt;
    const auto quoted = trimmed(inside.substr(comma + 1));
    if (quoted.size() < 2 || !quoted.starts_with('\'') || !quoted.ends_with('\''))
        return std::nullopt;
    return std::string(quoted.substr(1, quoted.size() - 2));
}

/// A pattern that has no wildcards left, only characters that stand for themselves.
std::string without_escapes(std::string_view pattern) {
    std::string plain;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        if (pattern[i] == kWildcardEscape && i + 1 < pattern.size()) ++i;
        plain.push_back(pattern[i]);
    }
    return plain;
}

}  // namespace

bool is_comparable(Comparison comparison, std::string_view value) {
    switch (comparison) {
        case Comparison::String:
        case Comparison::StringIgnoreCase:
        case Comparison::StringLike:
        case Comparison::Arn:
            return true;
        case Comparison::NumericEquals:
        case Comparison::NumericLess:
        case Comparison::NumericLessEquals:
        case Comparison::NumericGreater:
        case Comparison::NumericGreaterEquals:
            return number_of(value).has_value();
        case Comparison::DateEquals:
        case Comparison::DateLess:
        case Comparison::DateLessEquals:
        case Comparison::DateGreater:
        case Comparison::DateGreaterEquals:
            return parse_policy_time(value).has_value();
        case Comparison::Bool:
        case Comparison::Null:
            return is_truth(value);
        case Comparison::IpAddress:
            return network_of(value).has_value();
    }
    return false;
}

bool compares(Comparison comparison, std::string_view wanted, std::string_view actual) {
    switch (comparison) {
        case Comparison::String:
            return without_escapes(wanted) == actual;
        case Comparison::StringIgnoreCase:
            return equal_ignoring_case(without_escapes(wanted), actual);
        case Comparison::StringLike:
            return matches_wildcard(wanted, actual);
        case Comparison::Arn:
            return wanted == "*" || matches_arn(wanted, actual);
        case Comparison::Bool:
            return is_truth(actual) && equal_ignoring_case(without_escapes(wanted), actual);
        case Comparison::IpAddress: {
            const auto network = network_of(wanted), address = network_of(actual);
            return network && address && address->bits == 128 &&
                   contains(*network, address->address);
        }
        case Comparison::Null:
            return false;
        case Comparison::DateEquals:
        case Comparison::DateLess:
        case Comparison::DateLessEquals:
        case Comparison::DateGreater:
        case Comparison::DateGreaterEquals: {
            const auto a = parse_policy_time(actual), w = parse_policy_time(wanted);
            return a && w && in_order(comparison, *a, *w);
        }
        default: {
            const auto a = number_of(actual), w = number_of(wanted);
            return a && w && in_order(comparison, *a, *w);
        }
    }
}

std::optional<std::string> expand_variables(std::string_view pattern,
                                            const AccessQuestion& question) {
    std::string expanded;
    while (!pattern.empty()) {
        const auto begin = std::min(pattern.find("${"), pattern.size());
        const auto end = pattern.find('}', begin);
        if (begin == pattern.size() || end == std::string_view::npos) {
            expanded.append(pattern);
            break;
        }
        expanded.append(pattern.substr(0, begin));
        const auto value = variable(pattern.substr(begin + 2, end - begin - 2), question);
        if (!value) return std::nullopt;
        append_literally(expanded, *value);
        pattern.remove_prefix(end + 1);
    }
    return expanded;
}

}  // namespace tidemill
