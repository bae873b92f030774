// The log on a simulated disk, thousands of times, each from one seed: see log_world.h for what
// happens and what must hold. `./run sim --seeds 5000` runs many seeds, `./run sim --seed N
// --verbose` repeats one and prints what happens.
#include <doctest/doctest.h>
#include <malloc.h>

#include "tests/sim/log_world.h"
#include "tests/sim/sim_options.h"

using namespace tidemill;
using namespace tidemill::sim;

namespace {

/// Of every test run: about half a minute. Sanitizers are ten times slower.
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr std::uint64_t kSeeds = 400;
#else
constexpr std::uint64_t kSeeds = 4000;
#endif

}  // namespace

TEST_CASE("log simulation: nothing acknowledged is lost, nothing damaged is served") {
    // Worlds come and go by the thousand; their memory stays with the process.
    mallopt(M_MMAP_THRESHOLD, 1 << 28);
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    const auto options = SimOptions::from_arguments(kSeeds);
    LogWorld::Counts counts;
    for (std::uint64_t seed = options.first; seed < options.first + options.count; ++seed) {
        LogWorld world(seed, options.is_verbose);
        world.run();
        counts.add(world.counts);
    }
    MESSAGE(options.count << " seeds: " << counts.to_text());
    if (options.count < 100) return;
    // A simulation in which nothing happens proves nothing.
    CHECK_GT(counts.acknowledged, options.count * 50);
    CHECK_GT(counts.followed, options.count * 50);
    CHECK_GT(counts.unknown, options.count);
    CHECK_GT(counts.crashes, options.count);
    CHECK_GT(counts.recoveries_crashed, options.count / 20);
    CHECK_GT(counts.reopened, options.count / 20);
    CHECK_GT(counts.let_go, options.count / 20);
    CHECK_GT(counts.trims, options.count / 4);
    CHECK_GT(counts.seals, options.count / 20);
    CHECK_GT(counts.deletions, options.count / 20);
    CHECK_GT(counts.leaps, options.count / 4);
    CHECK_GT(counts.flips_in_data, options.count / 10);
    CHECK_GT(counts.reads_refused, options.count / 20);
    CHECK_GT(counts.rewritten, options.count / 20);
    CHECK_GT(counts.packed_batches, options.count / 4);
    CHECK_GT(counts.stale, options.count / 20);
    CHECK_GT(counts.in_memory, options.count / 5);
    CHECK_GT(counts.rolled_back, options.count / 20);
}
