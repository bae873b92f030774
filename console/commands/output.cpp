#include "console/commands/output.h"

#include <array>
#include <chrono>
#include <cstdlib>

#include <fmt/format.h>
#include <unistd.h>

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

// Length of the well-formed UTF-8 sequence at `text`, 0 when there is none.
std::size_t utf8_length(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const std::size_t length = byte(0) < 0x80       ? 1
                               : byte(0) >> 5 == 6  ? 2
                               : byte(0) >> 4 == 14 ? 3
                               : byte(0) >> 3 == 30 ? 4
                                                    : 0;
    if (length == 0 || length > text.size()) return 0;
    for (std::size_t i = 1; i < length; ++i)
        if ((byte(i) & 0xc0) != 0x80) return 0;
    if (length == 2 && byte(0) < 0xc2) return 0;
    if (length == 3 && ((byte(0) == 0xe0 && byte(1) < 0xa0) || (byte(0) == 0xed && byte(1) > 0x9f)))
        return 0;
    if (length == 4 && (byte(0) > 0xf4 || (byte(0) == 0xf0 && byte(1) < 0x90) ||
                        (byte(0) == 0xf4 && byte(1) > 0x8f)))
        return 0;
    return length;
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
    std::string out = "\"";
    while (!text.empty()) {
        const char c = text[0];
        std::size_t length = 1;
        switch (c) {
            case '"':
                out += "\\\"";
                break;
            case '\\':
                out += "\\\\";
                break;
            case '\n':
                out += "\\n";
                break;
            case '\r':
                out += "\\r";
                break;
            case '\t':
                out += "\\t";
                break;
            default:
                if (static_cast<unsigned char>(c) < 0x20) {
                    out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
                } else if (length = utf8_length(text); length == 0) {
                    out += "\xef\xbf\xbd";
                    length = 1;
                } else {
                    out += text.substr(0, length);
                }
        }
        text.remove_prefix(length);
    }
    return out + "\"";
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
