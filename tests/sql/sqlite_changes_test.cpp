#include <algorithm>
#include <map>
#include <memory>

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sqlite3.h>

#include "engine/base/random.h"
#include "operators/exec/application.h"
#include "operators/vector/value.h"

// What changelogs have come to, against the same query in SQLite over all rows.
using namespace tidemill;
using namespace tidemill::sql;

namespace {

constexpr std::uint64_t kSeeds = 150;

/// Literals of both dialects: K and A, B integers, T text.
using Row = std::vector<std::string>;

std::vector<Row> random_rows(Random& random) {
    static constexpr const char* kTexts[] = {"''", "'a'", "'ab'", "'b'", "'abc'", "NULL"};
    std::vector<Row> rows;
    for (auto count = 1 + random.below(80); count > 0; --count) {
        Row row;
        row.push_back(random.chance(0.1) ? "NULL" : std::to_string(random.below(5)));
        for (int i = 0; i < 2; ++i)
            row.push_back(random.chance(0.2)
                              ? "NULL"
                              : std::to_string(static_cast<int>(random.below(13)) - 6));
        row.emplace_back(kTexts[random.below(std::size(kTexts))]);
        rows.push_back(std::move(row));
    }
    return rows;
}

std::vector<std::string> run_sqlite(const std::vector<Row>& rows, const std::string& query) {
    sqlite3* raw = nullptr;
    REQUIRE_EQ(sqlite3_open(":memory:", &raw), SQLITE_OK);
    const std::unique_ptr<sqlite3, decltype(&sqlite3_close)> database(raw, sqlite3_close);
    std::string script = "CREATE TABLE S (K INTEGER, A INTEGER, B INTEGER, T TEXT);";
    for (const auto& row : rows)
        script += fmt::format("INSERT INTO S VALUES ({});", fmt::join(row, ", "));
    REQUIRE_EQ(sqlite3_exec(raw, script.c_str(), nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_stmt* statement = nullptr;
    REQUIRE_MESSAGE(sqlite3_prepare_v2(raw, query.c_str(), -1, &statement, nullptr) == SQLITE_OK,
                    query, ": ", sqlite3_errmsg(raw));
    std::vector<std::string> lines;
    while (sqlite3_step(statement) == SQLITE_ROW) {
        std::string line;
        for (int i = 0; i < sqlite3_column_count(statement); ++i) {
            const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, i));
            line += fmt::format("{}|", text == nullptr ? "NULL" : text);
        }
        lines.push_back(std::move(line));
    }
    sqlite3_finalize(statement);
    std::ranges::sort(lines);
    return lines;
}

void append_literal(Column& to, const std::string& literal) {
    if (literal == "NULL")
        to.append_null();
    else if (literal[0] == '\'')
        to.append_text(std::string_view(literal).substr(1, literal.size() - 2));
    else
        to.append_int(std::stoll(literal));
}

/// Of the rows that agree in their first `keys` cells (behind ROW_OP, the first of all) the last.
std::vector<std::string> run_ours(const std::vector<Row>& rows, const std::string& select,
                                  const std::string& types, std::size_t keys, Random& random) {
    InputStream input{"S", {}};
    input.schema.fields = {{"K", TypeKind::BigInt, true, false},
                           {"A", TypeKind::BigInt, true, false},
                           {"B", TypeKind::BigInt, true, false},
                           {"T", Type::varchar(8), true, false}};
    const auto text = fmt::format(
        "CREATE STREAM D (O VARCHAR(2), {}); CREATE PUMP P AS INSERT INTO D {};", types, select);
    auto application = Application::compile(text, {&input, 1});
    REQUIRE_MESSAGE(application.has_value(), text, "\n",
                    (application ? "" : application.error().to_string()));
    std::map<std::string, std::string> table;
    (*application)->subscribe(*(*application)->find_stream("D"), [&](const Batch& batch) {
        batch.selection.for_each([&](std::size_t row) {
            std::string line, key;
            for (std::size_t i = 1; i < batch.columns.size(); ++i) {
                line += to_text(batch.columns[i]->value_at(row)) + "|";
                if (i == keys) key = line;
            }
            const auto op = batch.columns[0]->text_at(row);
            REQUIRE_MESSAGE(table.contains(key) == (op != "+I"), text, "\n", op, " ", line);
            if (op == "-D")
                table.erase(key);
            else
                table[key] = line;
        });
    });
    RowBatch batch(input.schema);
    std::int64_t time = 1000;
    for (const auto& row : rows) {
        for (std::size_t i = 0; i < row.size(); ++i)
            append_literal(batch.columns[i], row[i]);
        batch.rowtime.append_int(time++);
        if (random.below(4) != 0) continue;
        (*application)->push_rows(StreamId(0), batch);
        batch.clear();
    }
    (*application)->push_rows(StreamId(0), batch);
    (*application)->finish();
    std::vector<std::string> lines;
    for (const auto& [key, line] : table)
        lines.push_back(line);
    std::ranges::sort(lines);
    return lines;
}

std::string random_condition(Random& random) {
    static constexpr const char* kConditions[] = {
        "A > 0",     "B <= 2",    "A < B",       "T IS NOT NULL",      "T = 'ab' OR A = 1",
        "B IS NULL", "A + B > 1", "NOT (A = 3)", "A BETWEEN -2 AND B", "T > 'a'"};
    return kConditions[random.below(std::size(kConditions))];
}

std::string random_aggregate(Random& random) {
    static constexpr const char* kAggregates[] = {"COUNT(*)",
                                                  "COUNT(A)",
                                                  "COUNT(DISTINCT A)",
                                                  "COUNT(DISTINCT T)",
                                                  "SUM(A)",
                                                  "SUM(DISTINCT B)",
                                                  "MIN(A)",
                                                  "MAX(B)",
                                                  "MIN(T)",
                                                  "MAX(DISTINCT T)",
                                                  "COUNT(DISTINCT A + B)"};
    std::string text = kAggregates[random.below(std::size(kAggregates))];
    if (random.chance(0.5)) text += " FILTER (WHERE " + random_condition(random) + ")";
    return text;
}

}  // namespace

TEST_CASE("groups that change come to what SQLite groups") {
    for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
        CAPTURE(seed);
        Random random(seed);
        const auto rows = random_rows(random);
        std::string list, types = "K BIGINT";
        const auto count = 1 + random.below(6);
        for (std::uint64_t i = 0; i < count; ++i) {
            const auto aggregate = random_aggregate(random);
            const bool is_text =
                aggregate.starts_with("MIN(T") || aggregate.starts_with("MAX(DIST");
            list += ", " + aggregate;
            types += fmt::format(", C{} {}", i, is_text ? "VARCHAR(8)" : "BIGINT");
        }
        auto rest = " FROM S" + (random.chance(0.3) ? " WHERE " + random_condition(random) : "") +
                    " GROUP BY K";
        if (random.chance(0.4)) rest += " HAVING " + random_aggregate(random) + " IS NOT NULL";
        if (random.chance(0.3))
            rest += rest.find("HAVING") == std::string::npos ? " HAVING COUNT(DISTINCT A) > 2"
                                                             : " AND SUM(B) < 4";
        CAPTURE(list);
        CAPTURE(rest);
        CHECK_EQ(run_ours(rows, "SELECT STREAM ROW_OP, K" + list + rest + " EMIT CHANGES", types, 1,
                          random),
                 run_sqlite(rows, "SELECT K" + list + rest));
    }
}

TEST_CASE("the first rows of each key are those of SQLite") {
    static constexpr std::pair<const char*, const char*> kOrders[] = {
        {"A DESC", "A DESC NULLS FIRST"},
        {"A", "A NULLS LAST"},
        {"T, B DESC", "T NULLS LAST, B DESC NULLS FIRST"},
        {"A + B DESC, T", "A + B DESC NULLS FIRST, T NULLS LAST"},
        {"CASE WHEN A > 0 THEN T END, A", "CASE WHEN A > 0 THEN T END NULLS LAST, A NULLS LAST"}};
    for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
        CAPTURE(seed);
        Random random(seed);
        const auto rows = random_rows(random);
        const auto& [ours, theirs] = kOrders[random.below(std::size(kOrders))];
        const auto where = random.chance(0.3) ? " WHERE " + random_condition(random) : "";
        const auto limit = 1 + random.below(6);
        CAPTURE(ours);
        const auto query = [&](const char* columns, const std::string& order) {
            return fmt::format(
                "SELECT {} FROM (SELECT K, A, B, T, ROW_NUMBER() OVER (PARTITION BY K ORDER BY {}) "
                "AS n FROM S{}) WHERE n <= {}",
                columns, order, where, limit);
        };
        CHECK_EQ(run_ours(rows, query("ROW_OP, K, n, A, B, T", ours),
                          "K BIGINT, N BIGINT, A BIGINT, B BIGINT, T VARCHAR(8)", 2, random),
                 run_sqlite(rows, query("K, n, A, B, T", std::string(theirs) + ", rowid")));
    }
}

TEST_CASE("the first groups are those of SQLite, while groups rise and fall") {
    for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
        CAPTURE(seed);
        Random random(seed);
        const auto rows = random_rows(random);
        const auto limit = 1 + random.below(4);
        const auto having = random.chance(0.5) ? " HAVING SUM(A) < 5" : "";
        const auto query = [&](const char* columns, const char* order, const char* emit) {
            return fmt::format(
                "SELECT {} FROM (SELECT T, K, V, ROW_NUMBER() OVER (PARTITION BY T ORDER BY {}) AS "
                "n FROM (SELECT T, K, SUM(A) AS V FROM S GROUP BY T, K{}{})) WHERE n <= {}",
                columns, order, having, emit, limit);
        };
        CHECK_EQ(run_ours(rows, query("ROW_OP, T, n, K, V", "V DESC", " EMIT CHANGES"),
                          "T VARCHAR(8), N BIGINT, K BIGINT, V BIGINT", 2, random),
                 run_sqlite(rows, query("T, n, K, V", "V DESC NULLS FIRST, K NULLS LAST", "")));
    }
}

TEST_CASE("groups of groups are those of SQLite, while rows come and go") {
    for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
        CAPTURE(seed);
        Random random(seed);
        const auto rows = random_rows(random);
        static constexpr const char* kAggregates[] = {
            "COUNT(*)",        "SUM(V)", "MIN(V)", "MAX(V)",   "COUNT(DISTINCT V)",
            "SUM(DISTINCT N)", "MAX(L)", "MIN(L)", "COUNT(L)", "COUNT(DISTINCT L)"};
        static constexpr const char* kConditions[] = {"V > 0", "N < 3", "L IS NOT NULL", "V < N",
                                                      "L = 'ab'"};
        const auto condition = [&] { return kConditions[random.below(std::size(kConditions))]; };
        std::string list, types = "T VARCHAR(8)";
        const auto count = 1 + random.below(5);
        for (std::uint64_t i = 0; i < count; ++i) {
            const std::string aggregate = kAggregates[random.below(std::size(kAggregates))];
            const bool is_text = aggregate == "MAX(L)" || aggregate == "MIN(L)";
            list += ", " + aggregate;
            if (random.chance(0.4)) list += fmt::format(" FILTER (WHERE {})", condition());
            types += fmt::format(", C{} {}", i, is_text ? "VARCHAR(8)" : "BIGINT");
        }
        const auto having = random.chance(0.4) ? " HAVING COUNT(A) > 0" : "";
        const auto where = random.chance(0.4) ? fmt::format(" WHERE {}", condition()) : "";
        const auto outer = random.chance(0.4) ? " HAVING SUM(N) > 2" : "";
        CAPTURE(list);
        const auto query = [&](const char* op, const char* emit) {
            return fmt::format(
                "SELECT {}T{} FROM (SELECT T, K, SUM(A) AS V, COUNT(*) AS N, MAX(T) FILTER (WHERE "
                "B > 0) AS L FROM S GROUP BY T, K{}{}) AS g{} GROUP BY T{}{}",
                op, list, having, emit, where, outer, emit);
        };
        CHECK_EQ(run_ours(rows, query("ROW_OP, ", " EMIT CHANGES"), types, 1, random),
                 run_sqlite(rows, query("", "")));
    }
}
