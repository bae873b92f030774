#include <algorithm>
#include <map>
#include <set>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "tests/unit/operators/exec/random_run.h"

// EMIT CHANGES against plain computations, row by row, on random rows: what the changes have come
// to at the end, with and without limits.
using namespace tidemill;
using namespace tidemill::sql;
using namespace tidemill::sql::random_run;

namespace {

constexpr std::uint64_t kSeeds = 40;

struct Group {
    std::int64_t count = 0, sum = 0, values = 0, last = 0;
    std::set<std::int64_t> different;
    std::size_t order = 0;  ///< of its making

    void add(const Row& row) {
        ++count;
        sum += row.value.value_or(0);
        values += row.value ? 1 : 0;
        if (row.value) different.insert(*row.value);
        last = row.rowtime;
    }
    std::string line(const std::optional<std::int64_t>& key) const {
        return fmt::format("{} {} {} {}", cell(key), count, values > 0 ? std::to_string(sum) : "-",
                           different.size());
    }
};
using Groups = std::map<std::optional<std::int64_t>, Group>;

constexpr const char* kQuery =
    "CREATE STREAM D (K BIGINT, N BIGINT, S BIGINT, D BIGINT); CREATE PUMP P AS INSERT INTO D "
    "SELECT STREAM K, COUNT(*), SUM(V), COUNT(DISTINCT V) FROM S GROUP BY K EMIT CHANGES";

// The last row of each key, by key.
std::map<std::string, std::string> settled(const std::vector<std::string>& changes) {
    std::map<std::string, std::string> rows;
    for (const auto& change : changes)
        rows[change.substr(0, change.find(' '))] = change;
    return rows;
}

std::map<std::string, std::string> lines_of(const Groups& groups) {
    std::map<std::string, std::string> lines;
    for (const auto& [key, group] : groups)
        lines[cell(key)] = group.line(key);
    return lines;
}

}  // namespace

TEST_SUITE("changelog twins") {
    TEST_CASE("groups without end") {
        for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
            CAPTURE(seed);
            Random random(seed);
            const auto rows = random_rows(random, 400, 9, 30);
            Groups groups;
            for (const auto& row : rows)
                groups[row.key].add(row);
            const auto got = run(std::string(kQuery) + ";", rows, random);
            REQUIRE_EQ(settled(got.rows), lines_of(groups));
            REQUIRE(std::ranges::is_sorted(got.times));
            CHECK(got.errors.empty());
        }
    }

    TEST_CASE("no change is left out when rows come one by one") {
        for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
            CAPTURE(seed);
            Random random(seed);
            const auto input = input_stream();
            const auto rows = random_rows(random, 200);
            auto compiled = Application::compile(std::string(kQuery) + ";", {&input, 1});
            REQUIRE(compiled.has_value());
            std::vector<std::string> got, expected;
            (*compiled)->subscribe(*(*compiled)->find_stream("D"), [&](const Batch& batch) {
                batch.selection.for_each(
                    [&](std::size_t row) { got.push_back(line_of(batch, row)); });
            });
            Groups groups;
            for (const auto& row : rows) {
                groups[row.key].add(row);
                expected.push_back(groups[row.key].line(row.key));
                RowBatch one(input.schema);
                row.key ? one.columns[0].append_int(*row.key) : one.columns[0].append_null();
                row.value ? one.columns[1].append_int(*row.value) : one.columns[1].append_null();
                one.columns[2].append_null();
                one.columns[3].append_int(row.event);
                one.rowtime.append_int(row.rowtime);
                (*compiled)->push_rows(StreamId(0), one);
            }
            REQUIRE_EQ(got, expected);
        }
    }

    TEST_CASE("HAVING and ROW_OP: what is inserted, updated and deleted makes the table") {
        for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
            CAPTURE(seed);
            Random random(seed);
            const auto rows = random_rows(random, 400, 9, 30);
            Groups groups;
            for (const auto& row : rows)
                groups[row.key].add(row);
            std::erase_if(groups, [](const auto& entry) {
                return entry.second.values == 0 || entry.second.sum % 3 != 0;
            });
            const auto got = run(
                "CREATE STREAM D (O VARCHAR(2), K BIGINT, N BIGINT, S BIGINT, D BIGINT); CREATE "
                "PUMP P AS INSERT INTO D SELECT STREAM ROW_OP, K, COUNT(*), SUM(V), COUNT(DISTINCT "
                "V) FROM S GROUP BY K HAVING MOD(SUM(V), 3) = 0 EMIT CHANGES;",
                rows, random);
            std::map<std::string, std::string> table;
            for (const auto& change : got.rows) {
                const auto op = change.substr(0, 2), row = change.substr(3);
                const auto key = row.substr(0, row.find(' '));
                REQUIRE_EQ(table.contains(key), op != "+I");
                if (op == "-D")
                    table.erase(key);
                else
                    table[key] = row;
            }
            REQUIRE_EQ(table, lines_of(groups));
        }
    }

    TEST_CASE("with a period rows do not depend on the batches") {
        constexpr std::int64_t kPeriod = 7000;
        for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
            CAPTURE(seed);
            Random random(seed);
            const auto rows = random_rows(random, 400, 9, 30);
            Groups groups;
            std::vector<std::optional<std::int64_t>> waiting;
            std::vector<std::string> expected;
            std::vector<std::int64_t> times;
            const auto emit = [&](std::int64_t time) {
                for (const auto& key : waiting) {
                    expected.push_back(groups[key].line(key));
                    times.push_back(time);
                }
                waiting.clear();
            };
            std::int64_t due = INT64_MAX;
            for (const auto& row : rows) {
                if (row.rowtime >= due) emit(due);
                due = (row.rowtime / kPeriod + 1) * kPeriod;
                groups[row.key].add(row);
                if (std::ranges::find(waiting, row.key) == waiting.end())
                    waiting.push_back(row.key);
            }
            emit(rows.back().rowtime);
            auto query = std::string(kQuery);
            query.replace(query.find("EMIT CHANGES"), 12, "EMIT PERIODIC INTERVAL '7' SECOND;");
            const auto got = run(query, rows, random);
            REQUIRE_EQ(got.rows, expected);
            REQUIRE_EQ(got.times, times);
        }
    }

    TEST_CASE("groups that have been quiet for the time to live begin anew") {
        constexpr std::int64_t kTtl = 20'000;
        for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
            CAPTURE(seed);
            Random random(seed);
            const auto rows = random_rows(random, 400, 9, 30);
            Groups groups;
            for (const auto& row : rows) {
                auto& group = groups[row.key];
                if (group.count > 0 && row.rowtime - group.last > kTtl) group = {};
                group.add(row);
            }
            const auto got =
                run(std::string(kQuery) + " WITH (state_ttl = '20 seconds');", rows, random);
            REQUIRE_EQ(settled(got.rows), lines_of(groups));
        }
    }

    TEST_CASE("rows that the limit has no room for are refused") {
        for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
            CAPTURE(seed);
            Random random(seed);
            const auto rows = random_rows(random, 400, 20, 30);
            const std::size_t limit = 1 + random.below(150);
            Groups groups;
            std::size_t kept = 0, refused = 0;
            for (const auto& row : rows) {
                const auto found = groups.find(row.key);
                std::size_t growth = found == groups.end() ? 1 : 0;
                if (row.value &&
                    (found == groups.end() || !found->second.different.contains(*row.value)))
                    ++growth;
                if (growth > 0 && kept + growth > limit) {
                    ++refused;
                    continue;
                }
                kept += growth;
                groups[row.key].add(row);
            }
            const auto got =
                run(fmt::format("{} WITH (state_limit = {});", kQuery, limit), rows, random);
            REQUIRE_EQ(settled(got.rows), lines_of(groups));
            REQUIRE_EQ(got.errors, std::vector<std::string>(refused, "STATE_LIMIT"));
        }
    }

    TEST_CASE("the oldest eighth is evicted where the limits say so") {
        for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
            CAPTURE(seed);
            Random random(seed);
            const auto rows = random_rows(random, 600, 60, 30);
            const std::size_t limit = 5 + random.below(40);
            Groups groups;
            std::map<std::string, std::string> expected;
            std::size_t made = 0;
            for (const auto& row : rows) {
                if (!groups.contains(row.key) && groups.size() == limit) {
                    std::vector<std::pair<std::pair<std::int64_t, std::size_t>,
                                          std::optional<std::int64_t>>>
                        by_age;
                    for (const auto& [key, group] : groups)
                        by_age.push_back({{group.last, group.order}, key});
                    std::ranges::sort(by_age);
                    for (std::size_t i = 0; i < std::max(std::size_t{1}, limit / 8); ++i)
                        groups.erase(by_age[i].second);
                }
                auto& group = groups[row.key];
                if (group.count == 0) group.order = made++;
                group.add(row);
                expected[cell(row.key)] = group.line(row.key);
            }
            // No DISTINCT here: its values count too, and who is evicted would depend on them.
            for (auto& [key, line] : expected)
                line = line.substr(0, line.rfind(' '));
            const auto got =
                run(fmt::format("CREATE STREAM D (K BIGINT, N BIGINT, S BIGINT); CREATE PUMP P AS "
                                "INSERT INTO D SELECT STREAM K, COUNT(*), SUM(V) FROM S GROUP BY K "
                                "EMIT CHANGES WITH (state_limit = {}, state_full = 'evict');",
                                limit),
                    rows, random);
            REQUIRE_EQ(settled(got.rows), expected);
            CHECK(got.errors.empty());
        }
    }

    TEST_CASE("memory stays bounded under limits, however many keys come") {
        for (const std::string limits :
             {"state_limit = 1000", "state_limit = 1000, state_full = evict",
              "state_ttl = '1 second'"}) {
            CAPTURE(limits);
            const auto input = input_stream();
            auto compiled = Application::compile(
                "CREATE STREAM D (T VARCHAR(8), N BIGINT, M BIGINT); CREATE PUMP P AS INSERT INTO "
                "D SELECT STREAM T, COUNT(DISTINCT T), COUNT(DISTINCT V) FROM S GROUP BY T EMIT "
                "CHANGES WITH (" +
                    limits + ");",
                {&input, 1});
            REQUIRE_MESSAGE(compiled.has_value(), (compiled ? "" : compiled.error().to_string()));
            std::size_t largest = 0, early = 0;
            RowBatch rows(input.schema);
            for (std::int64_t i = 0; i < 60'000; ++i) {
                rows.columns[0].append_null();
                rows.columns[1].append_int(i % 7);
                rows.columns[2].append_text(std::to_string(i));
                rows.columns[3].append_null();
                rows.rowtime.append_int(1'000'000 + i);
                if (rows.size() < 1000) continue;
                (*compiled)->push_rows(StreamId(0), rows);
                rows.clear();
                const auto bytes = (*compiled)->snapshot().size();
                largest = std::max(largest, bytes);
                if (i < 20'000) early = largest;
            }
            CHECK(largest < early + early / 10 + 1000);
            CHECK(largest < 400'000);
        }
    }
}
