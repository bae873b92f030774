#include "console/commands/output.h"

#include <array>
#include <chrono>
#include <cstdlib>

#include <fmt/format.h>
#include <unistd.h>

#include "engine/base/json_text.h"

namespace tidemill::console {
namespace {

std::string scaled(double value, std::string_view unit) {
    static constexpr std::array kPrefixes = {"", "k", "M", "G", "T"};
    std::size_t prefix = 0;
    while (value >= 1000 && prefix + 1 < kPrefixes.size()) {
        value /= 1000;
        ++prefix;
    }
    const auto number = prefix == 0 ? fmt::format("{:.0f}", value) : fmt::format("{:.3g}", value);
    const std::string suffix = kPrefixes[prefix] + std::string(unit);
    return suffix.empty() ? number : number + " " + suffix;
}

}  // namespace

OutputFormat choose_format(std::string_view option, bool is_terminal) {
    if (option == "json") return OutputFormat::Json;
    if (option == "jsonl") return OutputFormat::JsonLines;
    if (option == "human") return OutputFormat::Human;
    return is_terminal ? OutputFormat::Human : OutputFormat::JsonLines;
}

bool stdout_is_terminal() { return ::isatty(STDOUT_FILENO) == 1; }
bool stderr_is_terminal() { return ::isatty(STDERR_FILENO) == 1; }
bool terminal_has_colour() { return stdout_is_terminal() && std::getenv("NO_COLOR") == nullptr; }

std::string json_string(std::string_view text) {
    std::string quoted;
    append_json_string(quoted, text);
    return quoted;
}

std::string short_count(double value) { return scaled(value, ""); }
std::string short_bytes(double value) { return scaled(value, "B"); }

std::string iso_time(long long milliseconds) {
    using namespace std::chrono;
    const sys_time<std::chrono::milliseconds> time{std::chrono::milliseconds{milliseconds}};
    const auto day = floor<days>(time);
    const year_month_day date{day};
    const hh_mm_ss clock{time - day};
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                       static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                       clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                       clock.subseconds().count());
}

}  // namespace tidemill::console
