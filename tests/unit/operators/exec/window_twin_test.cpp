#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "engine/base/random.h"
#include "operators/exec/application.h"

// Stagger windows and the two ORDER BY against plain computations, on random rows: equal times,
// long gaps, nulls, any batches, checkpoints in between.
using namespace tidemill;
using namespace tidemill::sql;

namespace {

struct Row {
    std::int64_t rowtime, event;
    std::optional<std::int64_t> key, value;
    std::size_t order = 0;  ///< in which they come
};

std::vector<Row> random_rows(Random& random, std::size_t count) {
    std::vector<Row> rows;
    std::int64_t time = 1'000'000;
    for (std::size_t i = 0; i < count; ++i) {
        const auto kind = random.below(20);
        time += kind < 8    ? 0
                : kind < 18 ? static_cast<std::int64_t>(random.below(3000))
                : kind < 19 ? 70'000
                            : 5'000'000;
        Row row{time, time + static_cast<std::int64_t>(random.below(25'000)) - 20'000, {}, {}, i};
        if (random.below(8) != 0) row.key = static_cast<std::int64_t>(random.below(5));
        if (random.below(6) != 0) row.value = static_cast<std::int64_t>(random.below(50));
        rows.push_back(row);
    }
    return rows;
}

std::string cell(const std::optional<std::int64_t>& value) {
    return value ? std::to_string(*value) : "-";
}

/// The rows of stream D, its ROWTIME in front.
std::vector<std::string> run(const std::string& text, const std::vector<Row>& rows,
                             Random& random) {
    InputStream input{"S", {}};
    input.schema.fields = {{"K", TypeKind::BigInt, true, false},
                           {"V", TypeKind::BigInt, true, false},
                           {"E", TypeKind::Timestamp, true, false}};
    std::vector<std::string> got;
    const auto make = [&] {
        auto compiled = Application::compile(text, {&input, 1});
        REQUIRE_MESSAGE(compiled.has_value(), (compiled ? "" : compiled.error().to_string()));
        auto& application = **compiled;
        application.subscribe(*application.find_stream("D"), [&](const Batch& batch) {
            batch.selection.for_each([&](std::size_t row) {
                std::string line = std::to_string(batch.rowtime->int_at(row));
                for (const auto* column : batch.columns)
                    line +=
                        " " + (column->is_null(row) ? "-" : std::to_string(column->int_at(row)));
                got.push_back(line);
            });
        });
        return std::move(*compiled);
    };
    auto application = make();
    const auto stream = *application->find_stream("S");
    RowBatch batch(input.schema);
    for (const auto& row : rows) {
        for (const auto& [column, value] : {std::pair{0, row.key}, {1, row.value}})
            if (value)
                batch.columns[static_cast<std::size_t>(column)].append_int(*value);
            else
                batch.columns[static_cast<std::size_t>(column)].append_null();
        batch.columns[2].append_int(row.event);
        batch.rowtime.append_int(row.rowtime);
        if (random.below(7) != 0) continue;
        application->push_rows(stream, batch);
        batch.clear();
        if (random.below(3) == 0) application->advance(stream, from_millis(row.rowtime));
        if (random.below(4) != 0) continue;
        const auto snapshot = application->snapshot();
        application = make();
        REQUIRE(application->restore(snapshot).has_value());
    }
    application->push_rows(stream, batch);
    application->finish();
    return got;
}

constexpr std::uint64_t kSeeds = 40;

}  // namespace

TEST_SUITE("window twins") {
    TEST_CASE("stagger windows") {
        constexpr std::int64_t kLength = 7000;
        for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
            CAPTURE(seed);
            Random random(seed);
            const auto rows = random_rows(random, 400);
            struct Window {
                std::int64_t opened, count, sum, values;
                std::optional<std::int64_t> key;
            };
            std::vector<Window> windows;
            std::map<std::optional<std::int64_t>, std::size_t> latest;
            for (const auto& row : rows) {
                const auto found = latest.find(row.key);
                if (found == latest.end() ||
                    windows[found->second].opened + kLength <= row.rowtime) {
                    latest[row.key] = windows.size();
                    windows.push_back({row.rowtime, 0, 0, 0, row.key});
                }
                auto& window = windows[latest[row.key]];
                ++window.count;
                window.sum += row.value.value_or(0);
                window.values += row.value ? 1 : 0;
            }
            std::vector<std::string> expected;
            for (const auto& window : windows)
                expected.push_back(fmt::format(
                    "{} {} {} {}", window.opened + kLength, cell(window.key), window.count,
                    window.values > 0 ? std::to_string(window.sum) : "-"));
            const auto got = run(
                "CREATE STREAM D (K BIGINT, N BIGINT, T BIGINT); CREATE PUMP P AS INSERT INTO D "
                "SELECT STREAM K, COUNT(*), SUM(V) FROM S WINDOWED BY STAGGER (PARTITION BY K "
                "RANGE INTERVAL '7' SECOND);",
                rows, random);
            REQUIRE_EQ(got, expected);
        }
    }

    TEST_CASE("TUMBLE, HOP and CUMULATE") {
        struct Shape {
            const char* call;
            std::int64_t size, slide;
            bool is_cumulative;
        };
        const Shape shapes[] = {
            {"TUMBLE(TABLE S, DESCRIPTOR(ROWTIME), INTERVAL '5' SECOND)", 5000, 5000, false},
            {"HOP(TABLE S, DESCRIPTOR(ROWTIME), INTERVAL '3' SECOND, INTERVAL '7' SECOND)", 7000,
             3000, false},
            {"HOP(TABLE S, DESCRIPTOR(ROWTIME), INTERVAL '4' SECOND, INTERVAL '3' SECOND)", 3000,
             4000, false},
            {"CUMULATE(TABLE S, DESCRIPTOR(ROWTIME), INTERVAL '2' SECOND, INTERVAL '8' SECOND)",
             8000, 2000, true}};
        for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
            CAPTURE(seed);
            Random random(seed);
            const auto& shape = shapes[seed % std::size(shapes)];
            CAPTURE(shape.call);
            const auto rows = random_rows(random, 400);
            struct Sum {
                std::int64_t count = 0, sum = 0, values = 0;
            };
            // By end, start and key.
            std::map<std::tuple<std::int64_t, std::int64_t, std::string>, Sum> windows;
            for (const auto& row : rows)
                for (std::int64_t start = row.rowtime - row.rowtime % 840'000 - 840'000;
                     start <= row.rowtime; start += shape.is_cumulative ? shape.size : shape.slide)
                    for (std::int64_t end =
                             start + (shape.is_cumulative ? shape.slide : shape.size);
                         end <= start + shape.size; end += shape.slide) {
                        if (row.rowtime < start || row.rowtime >= end) continue;
                        auto& sum = windows[{end, start, cell(row.key)}];
                        ++sum.count;
                        sum.sum += row.value.value_or(0);
                        sum.values += row.value ? 1 : 0;
                    }
            std::vector<std::string> expected;
            for (const auto& [window, sum] : windows) {
                const auto& [end, start, key] = window;
                expected.push_back(fmt::format("{} {} {} {} {} {}", end, key, start, end, sum.count,
                                               sum.values > 0 ? std::to_string(sum.sum) : "-"));
            }
            auto got = run(fmt::format("CREATE STREAM D (K BIGINT, B TIMESTAMP, F TIMESTAMP, N "
                                       "BIGINT, T BIGINT); CREATE PUMP P AS INSERT INTO D SELECT "
                                       "STREAM K, window_start, window_end, COUNT(*), SUM(V) FROM "
                                       "TABLE({}) GROUP BY K, window_start, window_end;",
                                       shape.call),
                           rows, random);
            std::ranges::sort(got);
            std::ranges::sort(expected);
            REQUIRE_EQ(got, expected);
        }
    }

    TEST_CASE("SESSION") {
        constexpr std::int64_t kGap = 4000;
        for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
            CAPTURE(seed);
            Random random(seed);
            const auto rows = random_rows(random, 400);
            struct Session {
                std::int64_t start, last, count, sum, values;
            };
            std::map<std::optional<std::int64_t>, std::vector<Session>> sessions;
            for (const auto& row : rows) {
                auto& of_key = sessions[row.key];
                if (of_key.empty() || row.rowtime >= of_key.back().last + kGap)
                    of_key.push_back({row.rowtime, 0, 0, 0, 0});
                auto& session = of_key.back();
                session.last = row.rowtime;
                ++session.count;
                session.sum += row.value.value_or(0);
                session.values += row.value ? 1 : 0;
            }
            std::vector<std::string> expected;
            for (const auto& [key, of_key] : sessions)
                for (const auto& session : of_key)
                    expected.push_back(
                        fmt::format("{} {} {} {} {} {}", session.last + kGap, cell(key),
                                    session.start, session.last + kGap, session.count,
                                    session.values > 0 ? std::to_string(session.sum) : "-"));
            auto got =
                run("CREATE STREAM D (K BIGINT, B TIMESTAMP, F TIMESTAMP, N BIGINT, T "
                    "BIGINT); CREATE PUMP P AS INSERT INTO D SELECT STREAM K, window_start, "
                    "window_end, COUNT(*), SUM(V) FROM TABLE(SESSION(TABLE S PARTITION BY "
                    "K, DESCRIPTOR(ROWTIME), INTERVAL '4' SECOND)) GROUP BY K, "
                    "window_start, window_end;",
                    rows, random);
            std::ranges::sort(got);
            std::ranges::sort(expected);
            REQUIRE_EQ(got, expected);
        }
    }

    TEST_CASE("ORDER BY") {
        for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
            CAPTURE(seed);
            Random random(seed);
            const auto rows = random_rows(random, 400);
            std::vector<std::string> expected;
            for (std::size_t i = 0; i < rows.size();) {
                const auto minute = rows[i].rowtime / 60'000;
                std::vector<Row> group;
                for (; i < rows.size() && rows[i].rowtime / 60'000 == minute; ++i)
                    group.push_back(rows[i]);
                std::ranges::sort(group, [](const Row& a, const Row& b) {
                    if (a.value == b.value) return a.order < b.order;
                    if (!a.value || !b.value) return !a.value && b.value;
                    return *a.value > *b.value;
                });
                for (const auto& row : group)
                    expected.push_back(fmt::format("{} {}", cell(row.key), cell(row.value)));
            }
            auto got =
                run("CREATE STREAM D (K BIGINT, V BIGINT); CREATE PUMP P AS INSERT INTO D SELECT "
                    "STREAM K, V FROM S ORDER BY FLOOR(ROWTIME TO MINUTE), V DESC;",
                    rows, random);
            std::int64_t last = 0;
            for (auto& line : got) {
                const auto space = line.find(' ');
                const auto rowtime = std::stoll(line.substr(0, space));
                REQUIRE(rowtime >= last);
                last = rowtime;
                line = line.substr(space + 1);
            }
            REQUIRE_EQ(got, expected);
        }
    }

    TEST_CASE("WATERMARK") {
        constexpr std::int64_t kDelay = 8000;
        for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
            CAPTURE(seed);
            Random random(seed);
            const auto rows = random_rows(random, 400);
            std::vector<Row> taken;
            std::vector<std::string> late;
            std::int64_t latest = INT64_MIN / 2;
            for (const auto& row : rows) {
                if (row.event < latest - kDelay) {
                    late.push_back(fmt::format("{} {} {}", row.rowtime, cell(row.value),
                                               latest - kDelay - row.event));
                    continue;
                }
                latest = std::max(latest, row.event);
                taken.push_back(row);
            }
            std::ranges::sort(taken, {},
                              [](const Row& row) { return std::pair(row.event, row.order); });
            std::vector<std::string> expected;
            for (const auto& row : taken)
                expected.push_back(fmt::format("{} {}", row.event, cell(row.value)));
            const std::string stream =
                "CREATE STREAM T (V BIGINT, E TIMESTAMP, WATERMARK FOR E AS E - INTERVAL '8' "
                "SECOND) WITH (idle_timeout = 0); CREATE PUMP F AS INSERT INTO T SELECT STREAM V, "
                "E FROM S; ";
            auto again = random;
            REQUIRE_EQ(run(stream + "CREATE STREAM D (V BIGINT); CREATE PUMP P AS INSERT INTO D "
                                    "SELECT STREAM V FROM T;",
                           rows, random),
                       expected);
            REQUIRE_EQ(run(stream + "CREATE STREAM D (V BIGINT, L BIGINT); CREATE PUMP P AS INSERT "
                                    "INTO D SELECT STREAM V, LATE_BY FROM T_LATE;",
                           rows, again),
                       late);
        }
    }

    TEST_CASE("ORDER BY WITHIN") {
        constexpr std::int64_t kWithin = 10'000;
        for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
            CAPTURE(seed);
            Random random(seed);
            const auto rows = random_rows(random, 400);
            std::vector<Row> taken;
            std::int64_t latest = INT64_MIN / 2;
            for (const auto& row : rows) {
                if (row.event < latest - kWithin) continue;  // too late
                latest = std::max(latest, row.event);
                taken.push_back(row);
            }
            std::ranges::sort(taken, {},
                              [](const Row& row) { return std::pair(row.event, row.order); });
            std::vector<std::string> expected;
            for (const auto& row : taken)
                expected.push_back(fmt::format("{} {}", row.event, cell(row.value)));
            const auto got =
                run("CREATE STREAM D (V BIGINT); CREATE PUMP P AS INSERT INTO D SELECT STREAM E AS "
                    "ROWTIME, V FROM S ORDER BY E WITHIN INTERVAL '10' SECOND;",
                    rows, random);
            REQUIRE_EQ(got, expected);
        }
    }
}
