#include "engine/security/signature_time.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

namespace tidemill {
namespace {

/// Reads a text piece by piece; after the first piece that does not fit, nothing fits.
class Scanner {
 public:
    explicit Scanner(std::string_view text) : rest_(text) {}

    int digits(std::size_t count) {
        int value = 0;
        if (rest_.size() < count) fits_ = false;
        for (std::size_t i = 0; fits_ && i < count; ++i) {
            const char c = rest_[i];
            if (c < '0' || c > '9') fits_ = false;
            value = value * 10 + (c - '0');
        }
        if (fits_) rest_.remove_prefix(count);
        return fits_ ? value : 0;
    }
    bool take(char c) {
        if (!fits_ || !rest_.starts_with(c)) return false;
        rest_.remove_prefix(1);
        return true;
    }
    void expect(std::string_view text) {
        if (fits_ && rest_.starts_with(text))
            rest_.remove_prefix(text.size());
        else
            fits_ = false;
    }
    int month_name() {
        constexpr std::array<std::string_view, 12> kNames{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
        const auto found = std::ranges::find(kNames, rest_.substr(0, 3));
        if (found == kNames.end()) {
            fits_ = false;
            return 0;
        }
        rest_.remove_prefix(3);
        return static_cast<int>(found - kNames.begin()) + 1;
    }
    void skip_digits() {
        while (!rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9')
            rest_.remove_prefix(1);
    }
    bool is_at_end() const { return fits_ && rest_.empty(); }

 private:
    std::string_view rest_;
    bool fits_ = true;
};

std::optional<WallTime> time_of(int year, int month, int day, int hour, int minute, int second) {
    const std::chrono::year_month_day date{std::chrono::year(year),
                                           std::chrono::month(static_cast<unsigned>(month)),
                                           std::chrono::day(static_cast<unsigned>(day))};
    // A minute may have a leap second.
    if (!date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
    return std::chrono::sys_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
           std::chrono::seconds(second);
}

}  // namespace

std::optional<WallTime> parse_basic_time(std::string_view text) {
    Scanner in(text);
    const int year = in.digits(4), month = in.digits(2), day = in.digits(2);
    in.expect("T");
    const int hour = in.digits(2), minute = in.digits(2), second = in.digits(2);
    in.expect("Z");
    if (!in.is_at_end()) return std::nullopt;
    return time_of(year, month, day, hour, minute, second);
}

std::string basic_time(WallTime time) {
    const auto days = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date(days);
    const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(time - days));
    return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", static_cast<int>(date.year()),
                       static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                       clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

std::optional<WallTime> parse_date_header(std::string_view text) {
    if (const auto basic = parse_basic_time(text)) return basic;
    const auto comma = text.find(", ");
    if (comma == std::string_view::npos) return std::nullopt;
    Scanner in(text.substr(comma + 2));
    const int day = in.digits(2);
    in.expect(" ");
    const int month = in.month_name();
    in.expect(" ");
    const int year = in.digits(4);
    in.expect(" ");
    const int hour = in.digits(2);
    in.expect(":");
    const int minute = in.digits(2);
    in.expect(":");
    const int second = in.digits(2);
    in.expect(" GMT");
    if (!in.is_at_end()) return std::nullopt;
    return time_of(year, month, day, hour, minute, second);
}

std::optional<WallTime> parse_policy_time(std::string_view text) {
    std::int64_t seconds = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    constexpr std::int64_t kSecondsMax = std::int64_t{1} << 40;
    if (error == std::errc{} && end == text.data() + text.size() && text.size() > 4) {
        if (seconds < -kSecondsMax || seconds > kSecondsMax) return std::nullopt;
        return WallTime(std::chrono::seconds(seconds));
    }
    Scanner in(text);
    const int year = in.digits(4);
    int month = 1, day = 1, hour = 0, minute = 0, second = 0;
    std::chrono::minutes offset{};
    if (in.take('-')) {
        month = in.digits(2);
        if (in.take('-')) day = in.digits(2);
    }
    if (in.take('T')) {
        hour = in.digits(2);
        in.expect(":");
        minute = in.digits(2);
        if (in.take(':')) second = in.digits(2);
        if (in.take('.')) in.skip_digits();
        const bool is_east = in.take('+');
        if (is_east || in.take('-')) {
            const std::chrono::hours hours{in.digits(2)};
            in.expect(":");
            offset = hours + std::chrono::minutes(in.digits(2));
            if (!is_east) offset = -offset;
        } else {
            in.expect("Z");
        }
    }
    if (!in.is_at_end()) return std::nullopt;
    const auto local = time_of(year, month, day, hour, minute, second);
    if (!local) return std::nullopt;
    return *local - offset;
}

}  // namespace tidemill
