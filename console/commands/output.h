#pragma once

#include <string>
#include <string_view>

namespace tidemill::console {

/// How a command prints: a table for people, one JSON document, or one JSON object a line.
enum class OutputFormat { Human, Json, JsonLines };

/// "json", "jsonl" or "human"; empty chooses Human on a terminal, JsonLines otherwise.
OutputFormat choose_format(std::string_view option, bool stdout_is_terminal);

bool stdout_is_terminal();
bool stderr_is_terminal();
/// Colours and cursor movement are welcome: a terminal, and NO_COLOR is not set.
bool terminal_has_colour();

/// `text` as a JSON string with its quotes; bytes that are no UTF-8 become U+FFFD.
std::string json_string(std::string_view text);

/// 1234567 -> "1.23 M".
std::string short_count(double value);
/// Bytes in powers of 1000: "1.4 GB".
std::string short_bytes(double value);
std::string iso_time(long long milliseconds);  ///< 2014-11-02T01:00:00.000Z

}  // namespace tidemill::console
