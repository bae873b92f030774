#include <cmath>

#include <doctest/doctest.h>

#include "operators/anomaly/anomaly_grade.h"
#include "operators/anomaly/random_cut_forest.h"
#include "tests/unit/operators_anomaly/forest_inspector.h"

namespace tidemill::anomaly {
namespace {

TEST_CASE("score without learning is what score and update says, and changes nothing") {
    for (const std::uint32_t shingle : {1U, 4U}) {
        const ForestConfig config{
            .columns = 2, .shingle = shingle, .trees = 20, .sample = 64, .time_decay = 500};
        RandomCutForest forest(config), twin(config);
        const auto rows = wavy_rows(600, 2, 3);
        for (std::size_t i = 0; i < 600; ++i) {
            const std::span<const double> row(rows.data() + 2 * i, 2);
            const double said = forest.score(row);
            const double learnt = forest.score_and_update(row);
            REQUIRE(said == learnt);
            REQUIRE(learnt == twin.score_and_update(row));
        }
        CHECK(forest.snapshot() == twin.snapshot());
        CHECK(std::isnan(forest.score(std::vector<double>{NAN, 1})));
    }
}

TEST_CASE("update learns as score and update does") {
    const ForestConfig config{
        .columns = 1, .shingle = 3, .trees = 20, .sample = 64, .time_decay = 500};
    RandomCutForest forest(config), twin(config);
    for (const double value : wavy_rows(500, 1, 4)) {
        forest.update({&value, 1});
        static_cast<void>(twin.score_and_update({&value, 1}));
    }
    CHECK(forest.snapshot() == twin.snapshot());
}

TEST_CASE("expected values are those of the records alike") {
    // y is three times x; a wave comes back every 20 records.
    RandomCutForest pairs({.columns = 2, .trees = 50, .sample = 256, .time_decay = 10000});
    RandomCutForest wave(
        {.columns = 1, .shingle = 8, .trees = 50, .sample = 256, .time_decay = 10000});
    Random random(9);
    const bool second[] = {false, true}, only[] = {true};
    CHECK(pairs.expected(std::vector<double>{1, 0}, second).empty());
    for (int i = 0; i < 3000; ++i) {
        const double x = 10 * random.unit();
        pairs.update(std::vector<double>{x, 3 * x + 0.1 * gaussian(random)});
        wave.update(std::vector<double>{std::sin(0.314159265 * i) + 0.02 * gaussian(random)});
    }
    for (const double x : {1.0, 4.0, 8.5}) {
        const auto values = pairs.expected(std::vector<double>{x, 1000}, second);
        REQUIRE(values.size() == 2);
        CHECK(values[0] == doctest::Approx(x).epsilon(1e-6));
        CHECK(std::fabs(values[1] - 3 * x) < 1.5);
    }
    const auto next = wave.expected(std::vector<double>{7}, only);
    REQUIRE(next.size() == 1);
    CHECK(std::fabs(next[0] - std::sin(0.314159265 * 3000)) < 0.3);
    // And of the record that was just scored, as things stood before it.
    std::vector<ColumnAttribution> shares(1);
    static_cast<void>(wave.score_and_update(std::vector<double>{7}, shares));
    REQUIRE(wave.expected_of_last(only).size() == 1);
    CHECK(std::fabs(wave.expected_of_last(only)[0] - next[0]) < 0.1);
}

TEST_CASE("neighbours are near, nearest first") {
    RandomCutForest forest({.columns = 2, .trees = 50, .sample = 256, .time_decay = 10000});
    Random random(2);
    for (int i = 0; i < 2000; ++i)
        forest.update(std::vector<double>{100 + random.unit(), 5 * random.unit()});
    const std::vector<double> at{100.5, 2.5};
    const auto found = forest.neighbours(at, 0.5);
    REQUIRE(!found.empty());
    double last = 0;
    for (const auto& one : found) {
        CHECK(one.distance >= last);
        last = one.distance;
        CHECK(one.distance <= 0.5);
        CHECK(std::hypot(one.values[0] - at[0], one.values[1] - at[1]) ==
              doctest::Approx(one.distance).epsilon(1e-4));
        CHECK(one.trees > 0);
    }
    CHECK(forest.neighbours(std::vector<double>{500, 500}, 1).empty());
}

TEST_CASE("grades: the usual is 0, a spike is above, and once") {
    AnomalyGrade grade(1000, 1);
    Random random(7);
    int false_alarms = 0;
    for (int i = 0; i < 5000; ++i)
        false_alarms += grade.next(0.9 + 0.08 * gaussian(random)) > 0 ? 1 : 0;
    CHECK(false_alarms < 25);
    CHECK(grade.next(3.5) > 0.9);
    CHECK(grade.next(0.9) == 0);
    CHECK(grade.next(0) == 0);
    // With shingles the records after it carry the same anomaly.
    AnomalyGrade shingled(1000, 8);
    for (int i = 0; i < 2000; ++i)
        static_cast<void>(shingled.next(0.9 + 0.08 * gaussian(random)));
    CHECK(shingled.next(2.5) > 0);
    for (int i = 0; i < 7; ++i)
        CHECK(shingled.next(2.4) == 0);
    AnomalyGrade constant(1000, 1);
    for (int i = 0; i < 200; ++i)
        CHECK(constant.next(0.031) == 0);
}

}  // namespace
}  // namespace tidemill::anomaly
