#include "operators/plan/state_limits.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "operators/sql/nearest_name.h"

namespace tidemill::sql {

namespace {

constexpr std::uint64_t kMostRows = 4'000'000'000;
constexpr std::int64_t kLongestTtl = 10LL * 365 * 24 * 3'600'000;

std::string upper(std::string_view text) {
    std::string result(text);
    std::ranges::transform(result, result.begin(), [](char c) {
        return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
    return result;
}

}  // namespace

std::optional<std::int64_t> parse_duration(std::string_view text) {
    std::int64_t count = 0;
    const char* end = text.data() + text.size();
    const auto [after, error] = std::from_chars(text.data(), end, count);
    if (error != std::errc() || count <= 0) return std::nullopt;
    std::string_view rest(after, static_cast<std::size_t>(end - after));
    while (rest.starts_with(' '))
        rest.remove_prefix(1);
    const auto unit = parse_unit(upper(rest));
    if (!unit || unit_millis(*unit) == 0 || count > kLongestTtl / unit_millis(*unit))
        return std::nullopt;
    return count * unit_millis(*unit);
}

std::string StateLimits::describe() const {
    std::string text;
    if (rows != kDefaultRows) text += fmt::format(", at most {} rows", rows);
    if (ttl_millis > 0) text += fmt::format(", for {} ms", ttl_millis);
    if (evicts) text += ", the oldest leave";
    return text;
}

SqlResult<StateLimits> read_state_limits(std::string_view sql_text,
                                         const std::vector<ast::StreamOption>& options) {
    static const std::vector<std::string> kNames = {"state_limit", "state_ttl", "state_full"};
    StateLimits limits;
    for (const auto& option : options) {
        const auto name = upper(option.name.text);
        const auto failure = [&](Span span, std::string message) {
            return std::unexpected(locate(sql_text, span, std::move(message)));
        };
        if (name == "STATE_LIMIT") {
            const char* end = option.value.data() + option.value.size();
            if (std::from_chars(option.value.data(), end, limits.rows).ptr != end ||
                option.value.empty() || limits.rows < 1 || limits.rows > kMostRows)
                return failure(
                    option.value_span,
                    fmt::format("state_limit is a number of rows from 1 to {}.", kMostRows));
        } else if (name == "STATE_TTL") {
            const auto millis = parse_duration(option.value);
            if (!millis)
                return failure(option.value_span,
                               "state_ttl is a time such as '90 seconds', '1 hour' or '7 days', at "
                               "most ten years.");
            limits.ttl_millis = *millis;
        } else if (name == "STATE_FULL") {
            const auto value = upper(option.value);
            if (value != "REFUSE" && value != "EVICT")
                return failure(option.value_span,
                               "state_full is 'refuse' (rows of new groups go to error_stream) or "
                               "'evict' (the oldest groups are forgotten).");
            limits.evicts = value == "EVICT";
        } else {
            return failure(option.name.span,
                           fmt::format("A SELECT has the options state_limit, state_ttl and "
                                       "state_full, not {}.{}",
                                       option.name.text, did_you_mean(option.name.text, kNames)));
        }
    }
    return limits;
}

}  // namespace tidemill::sql
