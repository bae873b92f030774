#include <cerrno>

#include <doctest/doctest.h>

#include "tests/unit/engine/log/log_fixture.h"

using namespace tidemill;
using namespace tidemill::test;

namespace {

LogConfig scrubbed_log() {
    auto config = small_log();
    config.scrub_bytes_per_second = 1_MiB;
    config.scrub_interval = 1h;
    return config;
}

void fill(LogProcess& process, int batches) {
    for (int i = 0; i < batches; ++i)
        REQUIRE_EQ(process.append(1, 20, 1000).outcome, Outcome::Committed);
}

std::size_t told(const LogProcess& process) {
    return static_cast<std::size_t>(std::ranges::count_if(process.reports, [](const auto& text) {
        return text.find("scrub: ") != std::string::npos;
    }));
}

}  // namespace

TEST_SUITE("log/scrub") {
    TEST_CASE("a pass reads every sealed segment at its rate and finds nothing in a sound log") {
        LogProcess process(std::make_shared<SimStorage>(5), scrubbed_log());
        fill(process, 250);
        process.reactor.advance(12s);
        const auto early = process.stats();
        CHECK_GT(early.scrubbed_bytes, 1_MiB);
        CHECK_LT(early.scrubbed_bytes, 3_MiB);
        CHECK_GT(early.scrub_left_bytes, 0);
        CHECK_EQ(early.scrub_passes, 0);
        process.reactor.advance(60s);
        const auto later = process.stats();
        CHECK_EQ(later.scrub_passes, 1);
        CHECK_EQ(later.scrub_left_bytes, 0);
        CHECK_GT(later.scrubbed_bytes, 3_MiB);
        CHECK_EQ(later.damaged_ranges, 0);
        process.reactor.advance(1h);
        CHECK_EQ(process.stats().scrub_passes, 2);
    }

    TEST_CASE("a flipped bit in a batch that nobody reads is reported, once") {
        auto storage = std::make_shared<SimStorage>(5);
        LogProcess process(storage, scrubbed_log());
        fill(process, 250);
        storage->flip_bit("log/lane-0000/file-000001", 100'000, 3);
        process.reactor.advance(60s);
        CHECK_EQ(process.stats().damaged_ranges, 1);
        CHECK_EQ(told(process), 1);
        process.reactor.advance(2h);
        CHECK_GE(process.stats().scrub_passes, 2);
        CHECK_EQ(process.stats().damaged_ranges, 1);
        CHECK_EQ(told(process), 1);
    }

    TEST_CASE("a disk that cannot be read is reported, and the scrub goes on") {
        auto storage = std::make_shared<SimStorage>(5);
        LogProcess process(storage, scrubbed_log());
        fill(process, 250);
        storage->fail_next(SimCall::Read, EIO);
        process.reactor.advance(60s);
        CHECK_EQ(told(process), 1);
        CHECK_EQ(process.stats().scrub_passes, 1);
    }

    TEST_CASE("a stop does not wait for a pass") {
        LogProcess process(std::make_shared<SimStorage>(5), scrubbed_log());
        fill(process, 250);
        process.reactor.advance(11s);
        const auto before = process.reactor.clock().mono_now();
        process.stop();
        CHECK_LT(process.reactor.clock().mono_now() - before, 1s);
    }
}
