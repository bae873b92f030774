#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "engine/base/error.h"
#include "engine/base/time.h"

/// The structured log: one line an event on stderr, `time level=info event=lane_opened lane=3
/// bytes=1024`. Values with spaces, quotes, = or control characters are quoted. Any thread.
namespace tidemill::log {

enum class Level : std::uint8_t { Debug, Info, Warning, Error, Off };

/// Called once by main (tests need not). Times are UTC with milliseconds.
void set_up(Level level);
void set_level(Level level);
bool is_on(Level level);
std::optional<Level> parse_level(std::string_view name);

/// One key=value pair. Keys are snake_case; units are in the key (`took_us`).
struct Field {
    template <class T>
    Field(std::string_view name, const T& v) : key(name), value(fmt::format("{}", v)) {}
    Field(std::string_view name, const Error& error) : key(name), value(error.to_string()) {}

    std::string_view key;
    std::string value;
};
using Fields = std::initializer_list<Field>;

/// "event=lane_opened lane=3": what stands after time and level.
std::string format_event(std::string_view event, Fields fields);

void write(Level level, std::string_view event, Fields fields = {});
inline void debug(std::string_view event, Fields fields = {}) {
    if (is_on(Level::Debug)) write(Level::Debug, event, fields);
}
inline void info(std::string_view event, Fields fields = {}) { write(Level::Info, event, fields); }
inline void warn(std::string_view event, Fields fields = {}) {
    write(Level::Warning, event, fields);
}
inline void error(std::string_view event, Fields fields = {}) {
    write(Level::Error, event, fields);
}

/// For events that a client or a broken disk can cause at any rate: lets one through per interval
/// and counts the rest. Core: one.
class RateLimit {
 public:
    explicit RateLimit(std::chrono::nanoseconds interval = std::chrono::seconds{1})
        : interval_(interval) {}

    /// True when the event at `now` may be logged; `suppressed` then says how many were not since
    /// the last.
    bool allow(MonoTime now);
    std::uint64_t suppressed() const { return suppressed_; }

 private:
    std::chrono::nanoseconds interval_;
    std::optional<MonoTime> last_;
    std::uint64_t suppressed_ = 0, silent_ = 0;
};

}  // namespace tidemill::log
