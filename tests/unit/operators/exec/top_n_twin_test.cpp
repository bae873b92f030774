#include <algorithm>
#include <map>
#include <set>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "tests/unit/operators/exec/random_run.h"

// ROW_NUMBER ... <= n against sorting everything, on random rows.
using namespace tidemill;
using namespace tidemill::sql;
using namespace tidemill::sql::random_run;

namespace {

constexpr std::uint64_t kSeeds = 40;

// NULL comes after every value, before with DESC.
template <class T>
int compare(const std::optional<T>& a, const std::optional<T>& b) {
    if (!a || !b) return a ? -1 : b ? 1 : 0;
    return *a < *b ? -1 : *b < *a ? 1 : 0;
}

struct Order {
    const char* sql;
    bool (*is_before)(const Row& a, const Row& b);
};
const Order kOrders[] = {
    {"V DESC",
     [](const Row& a, const Row& b) {
         const int v = -compare(a.value, b.value);
         return v != 0 ? v < 0 : a.order < b.order;
     }},
    {"V",
     [](const Row& a, const Row& b) {
         const int v = compare(a.value, b.value);
         return v != 0 ? v < 0 : a.order < b.order;
     }},
    {"T, V DESC",
     [](const Row& a, const Row& b) {
         const int t = compare(a.text, b.text), v = -compare(a.value, b.value);
         return t != 0 ? t < 0 : v != 0 ? v < 0 : a.order < b.order;
     }},
    {"T DESC",
     [](const Row& a, const Row& b) {
         const int t = -compare(a.text, b.text);
         return t != 0 ? t < 0 : a.order < b.order;
     }},
    {"E DESC",
     [](const Row& a, const Row& b) {
         return a.event != b.event ? a.event > b.event : a.order > b.order;
     }},
    {"CAST(V AS DOUBLE) - 5.5, E DESC",
     [](const Row& a, const Row& b) {
         const int v = compare(a.value, b.value);
         if (v != 0) return v < 0;
         return a.event != b.event ? a.event > b.event : a.order > b.order;
     }},
};

struct Group {
    bool has_sum = false;
    std::int64_t sum = 0;
};

using Tops = std::map<std::optional<std::int64_t>, std::vector<Row>>;

void add(Tops& tops, const Row& row, const Order& order, std::size_t limit) {
    auto& rows = tops[row.key];
    rows.push_back(row);
    std::ranges::sort(rows, order.is_before);
    if (rows.size() > limit) rows.pop_back();
}

std::string line_of(const Row& row) {
    return fmt::format("{} {} {} {}", cell(row.key), cell(row.value), cell(row.text), row.event);
}

std::string query(const Order& order, const std::string& columns, const std::string& types,
                  std::size_t limit, const std::string& options = "") {
    return fmt::format(
        "CREATE STREAM D ({}); CREATE PUMP P AS INSERT INTO D SELECT STREAM {} FROM (SELECT *, "
        "ROW_NUMBER() OVER (PARTITION BY K ORDER BY {}) AS n FROM S) WHERE n <= {} {};",
        types, columns, order.sql, limit, options);
}

constexpr const char* kColumns = "K BIGINT, V BIGINT, T VARCHAR(8), E TIMESTAMP";

}  // namespace

TEST_SUITE("top-n twins") {
    TEST_CASE("ranks") {
        for (std::uint64_t seed = 1; seed <= kSeeds; ++seed)
            for (const auto& order : kOrders) {
                CAPTURE(seed);
                CAPTURE(order.sql);
                Random random(seed);
                const auto rows = random_rows(random, 300, 4, 40);
                const auto limit = 1 + random.below(7);
                Tops tops;
                for (const auto& row : rows)
                    add(tops, row, order, limit);
                std::map<std::string, std::string> expected, table;
                for (const auto& [key, top] : tops)
                    for (std::size_t i = 0; i < top.size(); ++i)
                        expected[fmt::format("{} {}", cell(key), i + 1)] = line_of(top[i]);
                const auto got =
                    run(query(order, "ROW_OP, n, K, V, T, E",
                              std::string("O VARCHAR(2), N BIGINT, ") + kColumns, limit),
                        rows, random);
                for (const auto& change : got.rows) {
                    const auto rank = change.substr(3, change.find(' ', 3) - 3);
                    const auto row = change.substr(3 + rank.size() + 1);
                    const auto place = row.substr(0, row.find(' ')) + " " + rank;
                    REQUIRE_EQ(change.substr(0, 2), table.contains(place) ? "+U" : "+I");
                    table[place] = row;
                }
                REQUIRE_EQ(table, expected);
                REQUIRE(std::ranges::is_sorted(got.times));
            }
    }

    TEST_CASE("rows that come and rows that leave") {
        for (std::uint64_t seed = 1; seed <= kSeeds; ++seed)
            for (const auto& order : kOrders) {
                CAPTURE(seed);
                CAPTURE(order.sql);
                Random random(seed);
                const auto rows = random_rows(random, 300, 4, 40);
                const auto limit = 2 + random.below(6);
                Tops tops;
                for (const auto& row : rows)
                    add(tops, row, order, limit);
                std::multiset<std::string> expected, table;
                for (const auto& [key, top] : tops)
                    for (const auto& row : top)
                        expected.insert(line_of(row));
                const auto got = run(query(order, "ROW_OP, K, V, T, E",
                                           std::string("O VARCHAR(2), ") + kColumns, limit),
                                     rows, random);
                for (const auto& change : got.rows) {
                    const auto row = change.substr(3);
                    if (change.starts_with("-D")) {
                        REQUIRE(table.contains(row));
                        table.erase(table.find(row));
                    } else {
                        REQUIRE(change.starts_with("+I"));
                        table.insert(row);
                    }
                }
                REQUIRE_EQ(table, expected);
                REQUIRE(std::ranges::is_sorted(got.times));
            }
    }

    TEST_CASE("without rank and ROW_OP, rows go out that are among the first after their batch") {
        for (std::uint64_t seed = 1; seed <= kSeeds; ++seed)
            for (const auto& order : kOrders) {
                CAPTURE(seed);
                CAPTURE(order.sql);
                Random random(seed);
                const auto rows = random_rows(random, 300, 4, 40);
                const auto limit = 1 + random.below(5);
                Tops tops;
                std::multiset<std::string> entered;
                for (const auto& row : rows) {
                    add(tops, row, order, limit);
                    if (std::ranges::find(tops[row.key], row.order, &Row::order) !=
                        tops[row.key].end())
                        entered.insert(line_of(row));
                }
                const auto got = run(query(order, "K, V, T, E", kColumns, limit), rows, random);
                std::multiset<std::string> given(got.rows.begin(), got.rows.end());
                for (const auto& [key, top] : tops)
                    for (const auto& row : top)
                        REQUIRE(given.contains(line_of(row)));
                REQUIRE(std::ranges::includes(entered, given));
                REQUIRE(std::ranges::is_sorted(got.times));
            }
    }

    TEST_CASE("the last row of each key, with a time to live and a limit") {
        constexpr std::int64_t kTtl = 15'000;
        const auto& order = kOrders[4];
        for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
            CAPTURE(seed);
            Random random(seed);
            const auto rows = random_rows(random, 400, 12, 40);
            std::map<std::string, std::string> expected, table;
            std::map<std::optional<std::int64_t>, std::pair<std::int64_t, std::int64_t>> latest;
            for (const auto& row : rows) {
                const auto found = latest.find(row.key);
                const bool is_new =
                    found == latest.end() || row.rowtime - found->second.second > kTtl;
                const auto event = is_new ? INT64_MIN : found->second.first;
                latest[row.key] = {std::max(event, row.event), row.rowtime};
                if (row.event >= event) expected[cell(row.key)] = line_of(row);
            }
            const auto got =
                run(query(order, "K, V, T, E", kColumns, 1, "WITH (state_ttl = '15 seconds')"),
                    rows, random);
            for (const auto& row : got.rows)
                table[row.substr(0, row.find(' '))] = row;
            REQUIRE_EQ(table, expected);
        }
    }

    TEST_CASE("ranks of groups that change and go") {
        for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
            CAPTURE(seed);
            Random random(seed);
            const auto rows = random_rows(random, 400, 6, 40);
            const auto limit = 1 + random.below(6);
            // By text, then key: sums of those groups whose sum is odd.
            std::map<std::optional<std::string>, std::map<std::optional<std::int64_t>, Group>>
                partitions;
            for (const auto& row : rows) {
                auto& group = partitions[row.text][row.key];
                group.has_sum |= row.value.has_value();
                group.sum += row.value.value_or(0);
            }
            std::map<std::string, std::string> expected, table;
            std::map<std::string, std::multiset<std::string>> expected_rows, table_rows;
            for (const auto& [text, groups] : partitions) {
                std::vector<std::pair<std::optional<std::int64_t>, std::int64_t>> top;
                for (const auto& [key, group] : groups)
                    if (group.has_sum && group.sum % 2 != 0) top.emplace_back(key, group.sum);
                std::ranges::sort(top, [](const auto& a, const auto& b) {
                    return a.second != b.second ? a.second > b.second
                                                : compare(a.first, b.first) < 0;
                });
                for (std::size_t i = 0; i < std::min<std::size_t>(top.size(), limit); ++i) {
                    const auto line = fmt::format("{} {}", cell(top[i].first), top[i].second);
                    expected[fmt::format("{} {}", cell(text), i + 1)] = line;
                    expected_rows[cell(text)].insert(line);
                }
            }
            const auto sql = [&](const std::string& select, const std::string& types) {
                return fmt::format(
                    "CREATE STREAM D ({}); CREATE PUMP P AS INSERT INTO D SELECT STREAM {} FROM "
                    "(SELECT *, ROW_NUMBER() OVER (PARTITION BY T ORDER BY S DESC) AS n FROM "
                    "(SELECT T, K, SUM(V) AS S FROM S GROUP BY K, T HAVING MOD(SUM(V), 2) = 1 EMIT "
                    "CHANGES)) WHERE n <= {};",
                    types, select, limit);
            };
            auto got = run(sql("ROW_OP, T, n, K, S",
                               "O VARCHAR(2), T VARCHAR(8), N BIGINT, K BIGINT, S BIGINT"),
                           rows, random);
            for (const auto& change : got.rows) {
                const auto op = change.substr(0, 2), row = change.substr(3);
                const auto place = row.substr(0, row.find(' ', row.find(' ') + 1));
                REQUIRE_EQ(table.contains(place), op != "+I");
                if (op == "-D")
                    table.erase(place);
                else
                    table[place] = row.substr(place.size() + 1);
            }
            REQUIRE_EQ(table, expected);
            REQUIRE(std::ranges::is_sorted(got.times));
            // Without ranks rows are known by T and K.
            if (limit == 1) continue;
            got = run(sql("ROW_OP, T, K, S", "O VARCHAR(2), T VARCHAR(8), K BIGINT, S BIGINT"),
                      rows, random);
            std::map<std::string, std::string> by_key;
            for (const auto& change : got.rows) {
                const auto op = change.substr(0, 2), row = change.substr(3);
                const auto key = row.substr(0, row.rfind(' '));
                REQUIRE_EQ(by_key.contains(key), op != "+I");
                if (op == "-D")
                    by_key.erase(key);
                else
                    by_key[key] = row;
            }
            for (const auto& [key, row] : by_key)
                table_rows[row.substr(0, row.find(' '))].insert(row.substr(row.find(' ') + 1));
            REQUIRE_EQ(table_rows, expected_rows);
        }
    }

    TEST_CASE("memory stays bounded under limits") {
        const auto input = input_stream();
        for (const std::string options : {"state_limit = 1000, state_full = evict",
                                          "state_limit = 1000", "state_ttl = '1 second'"}) {
            CAPTURE(options);
            auto compiled = Application::compile(
                query(kOrders[2], "n, K, V, T", "N BIGINT, K BIGINT, V BIGINT, T VARCHAR(8)", 3,
                      "WITH (" + options + ")"),
                {&input, 1});
            REQUIRE_MESSAGE(compiled.has_value(), (compiled ? "" : compiled.error().to_string()));
            std::size_t largest = 0;
            RowBatch rows(input.schema);
            for (std::int64_t i = 0; i < 60'000; ++i) {
                rows.columns[0].append_int(i / 4);
                rows.columns[1].append_int(i * 7919 % 1000);
                rows.columns[2].append_text(std::to_string(i % 1000));
                rows.columns[3].append_null();
                rows.rowtime.append_int(1'000'000 + i);
                if (rows.size() < 1000) continue;
                (*compiled)->push_rows(StreamId(0), rows);
                rows.clear();
                largest = std::max(largest, (*compiled)->snapshot().size());
            }
            CHECK(largest < 200'000);
        }
    }

    TEST_CASE("partitions of a window are forgotten with it") {
        const auto input = input_stream();
        for (const std::string below :
             {"(SELECT K, V, FLOOR(S.ROWTIME TO SECOND) AS W FROM S)",
              "(SELECT K, FLOOR(S.ROWTIME TO SECOND) AS W, SUM(V) AS V "
              "FROM S GROUP BY K, FLOOR(S.ROWTIME TO SECOND) EMIT CHANGES)"}) {
            CAPTURE(below);
            auto compiled = Application::compile(
                "CREATE STREAM D (W TIMESTAMP, N BIGINT, K BIGINT, V BIGINT); CREATE PUMP P AS "
                "INSERT INTO D SELECT STREAM W, n, K, V FROM (SELECT W, K, V, ROW_NUMBER() OVER "
                "(PARTITION BY W ORDER BY V DESC) AS n FROM " +
                    below + ") WHERE n <= 3;",
                {&input, 1});
            REQUIRE_MESSAGE(compiled.has_value(), (compiled ? "" : compiled.error().to_string()));
            std::map<std::string, std::string> table, expected;
            (*compiled)->subscribe(*(*compiled)->find_stream("D"), [&](const Batch& batch) {
                batch.selection.for_each([&](std::size_t row) {
                    const auto line = random_run::line_of(batch, row);
                    table[line.substr(0, line.find(' ', line.find(' ') + 1))] = line;
                });
            });
            RowBatch rows(input.schema);
            std::size_t largest = 0;
            for (std::int64_t i = 0; i < 40'000; ++i) {
                const auto time = 1'000'000 + i * 10, value = i * 7919 % 1009;  // 100 in a second
                rows.columns[0].append_int(i);
                rows.columns[1].append_int(value);
                rows.columns[2].append_null();
                rows.columns[3].append_null();
                rows.rowtime.append_int(time);
                if (rows.size() < 333 && i + 1 < 40'000) continue;
                (*compiled)->push_rows(StreamId(0), rows);
                rows.clear();
                largest = std::max(largest, (*compiled)->snapshot().size());
            }
            for (std::int64_t second = 0; second < 400; ++second) {
                std::vector<std::pair<std::int64_t, std::int64_t>> top;
                for (std::int64_t i = second * 100; i < second * 100 + 100; ++i)
                    top.emplace_back(-(i * 7919 % 1009), i);
                std::ranges::sort(top);
                for (std::int64_t n = 0; n < 3; ++n) {
                    const auto& [value, key] = top[static_cast<std::size_t>(n)];
                    const auto place = fmt::format("{} {}", 1'000'000 + second * 1000, n + 1);
                    expected[place] = fmt::format("{} {} {}", place, key, -value);
                }
            }
            CHECK_EQ(table, expected);
            CHECK(largest < 30'000);
        }
    }
}
