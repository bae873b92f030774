#include "engine/telemetry/log.h"

#include <algorithm>
#include <iterator>
#include <memory>

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace tidemill::log {
namespace {

spdlog::level::level_enum to_spdlog(Level level) {
    switch (level) {
        case Level::Debug:
            return spdlog::level::debug;
        case Level::Info:
            return spdlog::level::info;
        case Level::Warning:
            return spdlog::level::warn;
        case Level::Error:
            return spdlog::level::err;
        case Level::Off:
            break;
    }
    return spdlog::level::off;
}

bool is_plain(std::string_view value) {
    return !value.empty() && std::ranges::all_of(value, [](char c) {
        return c > ' ' && c != '"' && c != '=' && c != '\\' && c != '\x7f';
    });
}

void append_value(std::string& line, std::string_view value) {
    if (is_plain(value)) {
        line += value;
        return;
    }
    line += '"';
    for (const char c : value) {
        if (c == '"' || c == '\\') {
            line += '\\';
            line += c;
        } else if (c == '\n') {
            line += "\\n";
        } else if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') {
            fmt::format_to(std::back_inserter(line), "\\x{:02x}", static_cast<unsigned char>(c));
        } else {
            line += c;
        }
    }
    line += '"';
}

}  // namespace

void set_up(Level level) {
    auto logger = std::make_shared<spdlog::logger>(
        "tidemill", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    logger->set_formatter(std::make_unique<spdlog::pattern_formatter>(
        "%Y-%m-%dT%H:%M:%S.%eZ level=%l %v", spdlog::pattern_time_type::utc));
    logger->flush_on(spdlog::level::warn);
    logger->set_level(to_spdlog(level));
    spdlog::set_default_logger(std::move(logger));
}

void set_level(Level level) { spdlog::set_level(to_spdlog(level)); }

bool is_on(Level level) { return spdlog::default_logger_raw()->should_log(to_spdlog(level)); }

std::optional<Level> parse_level(std::string_view name) {
    if (name == "debug") return Level::Debug;
    if (name == "info") return Level::Info;
    if (name == "warning" || name == "warn") return Level::Warning;
    if (name == "error") return Level::Error;
    if (name == "off") return Level::Off;
    return std::nullopt;
}

std::string format_event(std::string_view event, Fields fields) {
    std::string line = "event=";
    append_value(line, event);
    for (const auto& field : fields) {
        line += ' ';
        line += field.key;
        line += '=';
        append_value(line, field.value);
    }
    return line;
}

void write(Level level, std::string_view event, Fields fields) {
    if (!is_on(level)) return;
    const std::string line = format_event(event, fields);
    spdlog::default_logger_raw()->log(to_spdlog(level), spdlog::string_view_t(line));
}

bool RateLimit::allow(MonoTime now) {
    if (last_ && now - *last_ < interval_) {
        ++silent_;
        return false;
    }
    last_ = now;
    suppressed_ = std::exchange(silent_, 0);
    return true;
}

}  // namespace tidemill::log
