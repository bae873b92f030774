#include <memory>

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sqlite3.h>

#include "engine/base/random.h"
#include "operators/connect/row_encoder.h"
#include "operators/exec/application.h"
#include "operators/vector/value.h"

using namespace tidemill;
using namespace tidemill::sql;

namespace {

// One expression in both dialects.
struct Twin {
    std::string ours, theirs;
};

// Random expressions of the part where both engines mean the same: no division by zero (an error
// here, null there), no overflow, texts in lower case of one byte a character (LIKE ignores case
// there).
class ExpressionMaker {
 public:
    explicit ExpressionMaker(Random& random) : random_(random) {}

    Twin number(int depth) {
        if (depth == 0) return leaf({"A", "B", "C"}, {"0", "1", "7", "(-3)", "NULL"});
        switch (random_.below(12)) {
            case 0:
                return both("({0} + {1})", number(depth - 1), number(depth - 1));
            case 1:
                return both("({0} - {1})", number(depth - 1), number(depth - 1));
            case 2:
                return both("({0} * {1})", number(depth - 1), number(0));
            case 3:
                return both("({0} / 3)", number(depth - 1));
            case 4: {
                const auto value = number(depth - 1);
                return {fmt::format("MOD({}, 5)", value.ours),
                        fmt::format("({} % 5)", value.theirs)};
            }
            case 5:
                return both("ABS({0})", number(depth - 1));
            case 6: {
                const auto value = text(depth - 1);
                return {fmt::format("CHAR_LENGTH({})", value.ours),
                        fmt::format("length({})", value.theirs)};
            }
            case 7:
                return both("CASE WHEN {0} THEN {1} ELSE {2} END", truth(depth - 1),
                            number(depth - 1), number(depth - 1));
            case 8:
                return both("COALESCE({0}, {1})", number(depth - 1), number(depth - 1));
            case 9:
                return both("NULLIF({0}, {1})", number(depth - 1), number(depth - 1));
            case 10: {
                const auto part = text(0), whole = text(depth - 1);
                return {fmt::format("POSITION({} IN {})", part.ours, whole.ours),
                        fmt::format("instr({}, {})", whole.theirs, part.theirs)};
            }
            default:
                return both("(- {0})", number(depth - 1));
        }
    }

    Twin text(int depth) {
        if (depth == 0) return leaf({"T", "U"}, {"''", "'ab'", "' x '", "'b%c'"});
        const auto value = text(depth - 1);
        switch (random_.below(7)) {
            case 0:
                return both("({0} || {1})", value, text(depth - 1));
            case 1:
                return both("TRIM({0})", value);
            case 2: {
                const auto from = 1 + random_.below(4), length = random_.below(4);
                return {fmt::format("SUBSTRING({} FROM {} FOR {})", value.ours, from, length),
                        fmt::format("substr({}, {}, {})", value.theirs, from, length)};
            }
            case 3:
                return both("REPLACE({0}, 'b', 'ca')", value);
            case 4:
                return both("CASE WHEN {0} THEN {1} END", truth(depth - 1), value);
            case 5:
                return both("LOWER(UPPER({0}))", value);
            default: {
                const auto inner = value;
                return {fmt::format("TRIM(LEADING 'a' FROM {})", inner.ours),
                        fmt::format("ltrim({}, 'a')", inner.theirs)};
            }
        }
    }

    Twin truth(int depth) {
        static constexpr const char* kOps[] = {"=", "<>", "<", "<=", ">", ">="};
        const auto op = kOps[random_.below(std::size(kOps))];
        if (depth == 0) return both(fmt::format("({{0}} {} {{1}})", op), number(0), number(0));
        switch (random_.below(11)) {
            case 0:
                return both(fmt::format("({{0}} {} {{1}})", op), number(depth - 1),
                            number(depth - 1));
            case 1:
                return both(fmt::format("({{0}} {} {{1}})", op), text(depth - 1), text(depth - 1));
            case 2:
                return both("({0} AND {1})", truth(depth - 1), truth(depth - 1));
            case 3:
                return both("({0} OR {1})", truth(depth - 1), truth(depth - 1));
            case 4:
                return both("(NOT {0})", truth(depth - 1));
            case 5:
                return both("({0} IS NULL)", random_.chance(0.5) ? number(depth - 1) : text(1));
            case 6:
                return both("({0} BETWEEN {1} AND {2})", number(depth - 1), number(0), number(0));
            case 7:
                return both("({0} NOT IN ({1}, {2}, 2))", number(depth - 1), number(0), number(0));
            case 8: {
                const auto left = number(depth - 1), right = number(depth - 1);
                return {fmt::format("({} IS DISTINCT FROM {})", left.ours, right.ours),
                        fmt::format("({} IS NOT {})", left.theirs, right.theirs)};
            }
            case 9:
                return both("({0} LIKE '%!%_' ESCAPE '!')", text(depth - 1));
            default: {
                const auto left = number(0), right = text(0);
                return both("(({0}, {1}) IN ((1, 'ab'), (7, 'b')))", left, right, {},
                            "(({0} = 1 AND {1} = 'ab') OR ({0} = 7 AND {1} = 'b'))");
            }
        }
    }

 private:
    Twin leaf(std::initializer_list<const char*> columns,
              std::initializer_list<const char*> literals) {
        const auto& from = random_.chance(0.7) ? columns : literals;
        const std::string chosen = *(from.begin() + random_.below(from.size()));
        return {chosen, chosen};
    }
    static Twin both(std::string form, const Twin& a, const Twin& b = {}, const Twin& c = {},
                     std::string theirs = {}) {
        return {fmt::format(fmt::runtime(form), a.ours, b.ours, c.ours),
                fmt::format(fmt::runtime(theirs.empty() ? form : theirs), a.theirs, b.theirs,
                            c.theirs)};
    }
    Random& random_;
};

struct Table {
    std::vector<std::vector<std::string>> rows;  ///< as literals of both dialects
};

constexpr std::size_t kRows = 40;

Table random_table(Random& random) {
    static constexpr const char* kTexts[] = {"''",     "'a'",   "'ab'", "'b%c'",
                                             "' ab '", "'bbb'", "'%x'", "NULL"};
    Table table;
    for (std::size_t i = 0; i < kRows; ++i) {
        std::vector<std::string> row;
        for (int k = 0; k < 3; ++k)
            row.push_back(random.chance(0.2)
                              ? "NULL"
                              : std::to_string(static_cast<int>(random.below(21)) - 10));
        for (int k = 0; k < 2; ++k)
            row.emplace_back(kTexts[random.below(std::size(kTexts))]);
        table.rows.push_back(std::move(row));
    }
    return table;
}

std::vector<std::string> run_sqlite(const Table& table, const Twin& twin, bool is_truth) {
    sqlite3* raw = nullptr;
    REQUIRE_EQ(sqlite3_open(":memory:", &raw), SQLITE_OK);
    const std::unique_ptr<sqlite3, decltype(&sqlite3_close)> database(raw, sqlite3_close);
    std::string script = "CREATE TABLE S (A INTEGER, B INTEGER, C INTEGER, T TEXT, U TEXT);";
    for (const auto& row : table.rows)
        script += fmt::format("INSERT INTO S VALUES ({}, {}, {}, {}, {});", row[0], row[1], row[2],
                              row[3], row[4]);
    REQUIRE_EQ(sqlite3_exec(raw, script.c_str(), nullptr, nullptr, nullptr), SQLITE_OK);
    const auto query = "SELECT " + twin.theirs + " FROM S ORDER BY rowid";
    sqlite3_stmt* statement = nullptr;
    REQUIRE_MESSAGE(sqlite3_prepare_v2(raw, query.c_str(), -1, &statement, nullptr) == SQLITE_OK,
                    query, ": ", sqlite3_errmsg(raw));
    std::vector<std::string> values;
    while (sqlite3_step(statement) == SQLITE_ROW) {
        const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
        std::string value = text == nullptr ? "NULL" : text;
        if (is_truth && text != nullptr) value = value == "0" ? "false" : "true";
        values.push_back(std::move(value));
    }
    sqlite3_finalize(statement);
    return values;
}

std::vector<std::string> run_ours(const Table& table, const Twin& twin, std::string_view type) {
    const Schema schema{{{"A", TypeKind::BigInt},
                         {"B", TypeKind::BigInt},
                         {"C", TypeKind::BigInt},
                         {"T", Type::varchar(20)},
                         {"U", Type::varchar(20)}}};
    const std::vector<InputStream> inputs = {{"S", schema}};
    const auto sql = fmt::format(
        "CREATE STREAM D (R {}); CREATE PUMP P AS INSERT INTO D SELECT STREAM {} FROM S;", type,
        twin.ours);
    const auto compiled = Application::compile(sql, inputs);
    REQUIRE_MESSAGE(compiled.has_value(), sql, "\n", compiled ? "" : compiled.error().to_string());
    std::vector<std::string> values;
    (*compiled)->subscribe(*(*compiled)->find_stream("D"), [&](const Batch& batch) {
        batch.selection.for_each(
            [&](std::size_t row) { values.push_back(to_text(batch.columns[0]->value_at(row))); });
    });
    RowBatch rows(schema);
    for (std::size_t i = 0; i < table.rows.size(); ++i) {
        for (std::size_t k = 0; k < 5; ++k) {
            const auto& literal = table.rows[i][k];
            if (literal == "NULL")
                rows.columns[k].append_null();
            else if (k < 3)
                rows.columns[k].append_int(std::stoll(literal));
            else
                rows.columns[k].append_text(
                    std::string_view(literal).substr(1, literal.size() - 2));
        }
        rows.rowtime.append_int(static_cast<std::int64_t>(i));
    }
    (*compiled)->push_rows(*(*compiled)->find_stream("S"), rows);
    return values;
}

}  // namespace

TEST_SUITE("sql") {
    TEST_CASE("random expressions over random rows give what SQLite gives") {
        for (std::uint64_t seed = 1; seed <= 1500; ++seed) {
            CAPTURE(seed);
            Random random(seed);
            const auto table = random_table(random);
            ExpressionMaker maker(random);
            const int depth = 1 + static_cast<int>(random.below(3));
            const auto kind = random.below(3);
            const auto twin = kind == 0   ? maker.number(depth)
                              : kind == 1 ? maker.text(depth)
                                          : maker.truth(depth);
            const auto type = kind == 0 ? "BIGINT" : kind == 1 ? "VARCHAR(4000)" : "BOOLEAN";
            CAPTURE(twin.ours);
            CHECK_EQ(fmt::format("{}", fmt::join(run_ours(table, twin, type), "|")),
                     fmt::format("{}", fmt::join(run_sqlite(table, twin, kind == 2), "|")));
        }
    }
}
