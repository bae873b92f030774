#include "operators/anomaly/hot_spots_bench.h"

#include <algorithm>

#include <time.h>

#include "engine/base/random.h"

namespace tidemill::anomaly {

namespace {

double seconds_of(clockid_t clock) {
    timespec time{};
    clock_gettime(clock, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

std::vector<double> make_records(std::uint64_t count, std::uint32_t columns, std::uint64_t seed) {
    constexpr double kSide = 10;
    constexpr std::uint64_t kStay = 10000;
    Random random(seed);
    std::vector<double> values, spot(columns);
    values.reserve(count * columns);
    for (std::uint64_t i = 0; i < count; ++i) {
        if (i % kStay == 0)
            for (double& corner : spot)
                corner = (kSide - 1) * random.unit();
        const bool is_hot = random.next() % 5 == 0;
        for (const double corner : spot)
            values.push_back(is_hot ? corner + random.unit() : kSide * random.unit());
    }
    return values;
}

}  // namespace

HotSpotsBenchResult run_hot_spots_bench(const HotSpotConfig& config, std::uint64_t records,
                                        std::uint64_t seed) {
    // A ring of records, so that memory for them does not grow with their number.
    const std::uint64_t ring = std::max<std::uint64_t>(1 << 18, 2ULL * config.window);
    const auto values = make_records(ring, config.columns, seed);
    HotSpotsBenchResult result{.records = records};
    std::uint64_t spots = 0, bytes = 0;
    for (const bool with_text : {false, true}) {
        HotSpotDetector detector(config);
        std::uint64_t at = 0;
        const auto run = [&](std::uint64_t count, bool writes) {
            for (std::uint64_t i = 0; i < count; ++i, at = (at + 1) % ring) {
                detector.insert({values.data() + at * config.columns, config.columns});
                if (writes) bytes += detector.text().size();
            }
        };
        run(config.window, false);
        const double wall = seconds_of(CLOCK_MONOTONIC), cpu = seconds_of(CLOCK_THREAD_CPUTIME_ID);
        run(records, with_text);
        const double timed = static_cast<double>(records);
        const double rate = timed / (seconds_of(CLOCK_THREAD_CPUTIME_ID) - cpu);
        if (!with_text) {
            result.state_per_cpu_second = rate;
            continue;
        }
        result.records_per_second = timed / (seconds_of(CLOCK_MONOTONIC) - wall);
        result.records_per_cpu_second = rate;
        for (int i = 0; i < 100; ++i) {
            run(config.window / 10 + 1, false);
            spots += detector.hot_spots().size();
        }
    }
    result.mean_hot_spots = static_cast<double>(spots) / 100;
    result.mean_text_bytes = static_cast<double>(bytes) / static_cast<double>(records);
    return result;
}

}  // namespace tidemill::anomaly
