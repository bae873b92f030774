#include "operators/window/sliding_window.h"

#include <algorithm>
#include <deque>

#include <doctest/doctest.h>

#include "engine/base/random.h"

using namespace tidemill;
using namespace tidemill::sql;

TEST_SUITE("operators/window") {
    TEST_CASE("a sliding window agrees with a naive twin on random rows") {
        for (std::uint64_t seed = 1; seed <= 60; ++seed) {
            CAPTURE(seed);
            Random random(seed);
            const std::vector<AggregateCall> calls = {
                {AggregateKind::CountAll, 0, {}, TypeKind::BigInt},
                {AggregateKind::Count, 0, TypeKind::BigInt, TypeKind::BigInt},
                {AggregateKind::Sum, 0, TypeKind::BigInt, TypeKind::BigInt},
                {AggregateKind::Min, 0, TypeKind::BigInt, TypeKind::BigInt},
                {AggregateKind::Max, 0, TypeKind::BigInt, TypeKind::BigInt},
                {AggregateKind::Avg, 1, TypeKind::Double, TypeKind::Double},
                {AggregateKind::VarPop, 1, TypeKind::Double, TypeKind::Double}};
            SlidingWindow window(calls, 2);
            const bool is_rows = random.chance(0.5);
            const auto length = static_cast<std::int64_t>(random.below(20));
            struct Row {
                std::int64_t time, value;
                bool is_null;
            };
            std::vector<Row> rows;
            std::int64_t time = 0;
            for (int i = 0; i < 300; ++i) {
                // Equal times, small steps, and now and then a gap that empties the window.
                time += static_cast<std::int64_t>(random.chance(0.02) ? 1000 : random.below(5));
                const Row row{time, static_cast<std::int64_t>(random.below(100)) - 50,
                              random.chance(0.2)};
                rows.push_back(row);
                Column numbers(TypeKind::BigInt), doubles(TypeKind::Double);
                if (row.is_null) {
                    numbers.append_null(), doubles.append_null();
                } else {
                    numbers.append_int(row.value),
                        doubles.append_double(static_cast<double>(row.value));
                }
                const Column* arguments[] = {&numbers, &doubles};
                window.add(arguments, 0, time, is_rows ? INT64_MIN : time - length,
                           is_rows ? static_cast<std::uint64_t>(length) + 1 : UINT64_MAX);
                std::vector<Column> results;
                for (const auto& call : calls)
                    results.emplace_back(call.result);
                window.append_results(results);

                std::int64_t all = 0, count = 0, sum = 0, low = INT64_MAX, high = INT64_MIN;
                double squares = 0;
                for (std::size_t k = 0; k < rows.size(); ++k) {
                    const bool is_inside =
                        is_rows ? rows.size() - k <= static_cast<std::size_t>(length) + 1
                                : rows[k].time >= time - length;
                    if (!is_inside) continue;
                    ++all;
                    if (rows[k].is_null) continue;
                    ++count;
                    sum += rows[k].value;
                    squares += static_cast<double>(rows[k].value * rows[k].value);
                    low = std::min(low, rows[k].value);
                    high = std::max(high, rows[k].value);
                }
                CHECK_EQ(results[0].int_at(0), all);
                CHECK_EQ(results[1].int_at(0), count);
                for (std::size_t r = 2; r < results.size(); ++r)
                    CHECK_EQ(results[r].is_null(0), count == 0);
                if (count == 0) continue;
                CHECK_EQ(results[2].int_at(0), sum);
                CHECK_EQ(results[3].int_at(0), low);
                CHECK_EQ(results[4].int_at(0), high);
                const double mean = static_cast<double>(sum) / static_cast<double>(count);
                CHECK(results[5].double_at(0) == doctest::Approx(mean).epsilon(1e-9));
                const double variance = squares / static_cast<double>(count) - mean * mean;
                CHECK(results[6].double_at(0) ==
                      doctest::Approx(variance).epsilon(1e-6).scale(1000));
            }
        }
    }
}
