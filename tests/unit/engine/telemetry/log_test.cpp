#include "engine/telemetry/log.h"

#include <memory>
#include <sstream>

#include <doctest/doctest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

using namespace tidemill;

TEST_SUITE("engine/telemetry/log") {
    TEST_CASE("values are quoted only where they must be") {
        CHECK(log::format_event("lane_opened", {{"lane", 3}, {"ratio", 0.5}, {"path", "a/b"}}) ==
              "event=lane_opened lane=3 ratio=0.5 path=a/b");
        CHECK(log::format_event("x", {{"a", "two words"}, {"b", ""}, {"c", "k=v"}}) ==
              "event=x a=\"two words\" b=\"\" c=\"k=v\"");
        CHECK(log::format_event("x", {{"a", "q\"b\\s\nl\tt"}}) ==
              "event=x a=\"q\\\"b\\\\s\\nl\\x09t\"");
        CHECK(log::format_event("x", {{"error", Error(Errc::NotFound, "no stream")}}) ==
              "event=x error=\"not_found: no stream\"");
    }

    TEST_CASE("the level decides what is written") {
        const auto before = spdlog::default_logger();
        std::ostringstream written;
        auto sink = std::make_shared<spdlog::sinks::ostream_sink_st>(written);
        auto logger = std::make_shared<spdlog::logger>("test", sink);
        logger->set_pattern("level=%l %v");
        spdlog::set_default_logger(logger);
        log::set_level(log::Level::Warning);
        log::debug("a");
        log::info("b");
        log::warn("c", {{"text", "{} is no format"}});
        log::error("d");
        log::set_level(log::Level::Off);
        log::error("e");
        spdlog::set_default_logger(before);
        CHECK(written.str() ==
              "level=warning event=c text=\"{} is no format\"\nlevel=error event=d\n");
        CHECK(log::parse_level("warn") == log::Level::Warning);
        CHECK_FALSE(log::parse_level("loud").has_value());
    }

    TEST_CASE("a rate limit lets one event through per interval and counts the rest") {
        log::RateLimit limit(1s);
        const MonoTime start{};
        CHECK(limit.allow(start));
        CHECK_FALSE(limit.allow(start + 1ms));
        CHECK_FALSE(limit.allow(start + 999ms));
        CHECK(limit.allow(start + 1s));
        CHECK(limit.suppressed() == 2);
        CHECK(limit.allow(start + 3s));
        CHECK(limit.suppressed() == 0);
    }
}
