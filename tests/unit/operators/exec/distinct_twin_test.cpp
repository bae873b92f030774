#include <map>
#include <set>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "tests/unit/operators/exec/random_run.h"

// DISTINCT and FILTER against sets, on random rows.
using namespace tidemill;
using namespace tidemill::sql;
using namespace tidemill::sql::random_run;

namespace {

constexpr std::uint64_t kSeeds = 40;

std::string sum_of(const std::set<std::int64_t>& values) {
    std::int64_t sum = 0;
    for (const auto value : values)
        sum += value;
    return values.empty() ? "-" : std::to_string(sum);
}

}  // namespace

TEST_SUITE("distinct twins") {
    TEST_CASE("aggregates of different values, each behind its filter") {
        struct Group {
            std::int64_t low_rows = 0;
            std::set<std::int64_t> values, low, high;
            std::set<std::string> texts, short_texts;
        };
        for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
            CAPTURE(seed);
            Random random(seed);
            const auto rows = random_rows(random, 400);
            std::map<std::pair<std::int64_t, std::optional<std::int64_t>>, Group> groups;
            std::vector<std::pair<std::int64_t, std::optional<std::int64_t>>> order;
            for (const auto& row : rows) {
                const std::pair place{row.rowtime / 60'000, row.key};
                if (!groups.contains(place)) order.push_back(place);
                auto& group = groups[place];
                if (row.value) group.values.insert(*row.value);
                if (row.value && *row.value < 4) group.low.insert(*row.value);
                if (row.value && *row.value < 4) ++group.low_rows;
                if (row.value && row.text && *row.value > 8) group.high.insert(*row.value);
                if (row.text) group.texts.insert(*row.text);
                if (row.text && row.text->size() < 2) group.short_texts.insert(*row.text);
            }
            std::vector<std::string> expected;
            for (const auto& place : order) {
                const auto& group = groups[place];
                expected.push_back(fmt::format("{} {} {} {} {} {} {}", cell(place.second),
                                               group.values.size(), sum_of(group.low),
                                               group.low_rows, sum_of(group.high),
                                               group.texts.size(), group.short_texts.size()));
            }
            const auto got = run(
                "CREATE STREAM D (K BIGINT, A BIGINT, B BIGINT, C BIGINT, E BIGINT, F BIGINT, G "
                "BIGINT); CREATE PUMP P AS INSERT INTO D SELECT STREAM K, COUNT(DISTINCT V), "
                "SUM(DISTINCT V) FILTER (WHERE V < 4), COUNT(*) FILTER (WHERE V < 4), "
                "SUM(DISTINCT V) FILTER (WHERE V > 8 AND T IS NOT NULL), COUNT(DISTINCT T), "
                "COUNT(DISTINCT T) FILTER (WHERE CHAR_LENGTH(T) < 2) FROM S GROUP BY K, FLOOR("
                "S.ROWTIME TO MINUTE);",
                rows, random);
            REQUIRE_EQ(got.rows, expected);
        }
    }

    TEST_CASE("SELECT DISTINCT") {
        for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
            CAPTURE(seed);
            Random random(seed);
            const auto rows = random_rows(random, 400);
            std::set<std::string> seen;
            std::vector<std::string> expected;
            std::vector<std::int64_t> times;
            for (const auto& row : rows) {
                auto line = fmt::format("{} {} {}", cell(row.key), row.rowtime / 60'000 * 60'000,
                                        cell(row.text));
                if (!seen.insert(line).second) continue;
                expected.push_back(std::move(line));
                times.push_back(row.rowtime);
            }
            const auto got = run(
                "CREATE STREAM D (K BIGINT, M TIMESTAMP, T VARCHAR(8)); CREATE PUMP P AS INSERT "
                "INTO D SELECT STREAM DISTINCT K, FLOOR(S.ROWTIME TO MINUTE), T FROM S;",
                rows, random);
            REQUIRE_EQ(got.rows, expected);
            REQUIRE_EQ(got.times, times);
        }
    }
}
