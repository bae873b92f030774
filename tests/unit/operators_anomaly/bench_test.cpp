#include <doctest/doctest.h>

#include "operators/anomaly/forest_bench.h"

using namespace tidemill::anomaly;

TEST_SUITE("anomaly/bench") {
    TEST_CASE("the benchmark scores what it says and by either way the same") {
        ForestConfig config;
        config.trees = 5;
        config.shingle = 2;
        const auto result = run_forest_bench(config, 500);
        CHECK(result.points == 500);
        CHECK(result.points_per_second > 0);
        CHECK(result.points_per_cpu_second > 0);
        CHECK(result.mean_score > 0.5);
        CHECK(result.mean_score < 1.2);
        CHECK(run_forest_bench(config, 500, 7).mean_score == result.mean_score);
        CHECK(run_forest_bench(config, 500, 1, true).mean_score == result.mean_score);
    }
}
