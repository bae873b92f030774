#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "engine/base/random.h"
#include "operators/exec/application.h"

// Joins of two streams against every pair of rows looked at, on random rows: all kinds, windows of
// time and of rows, with and without a condition besides the key, any batches, checkpoints.
using namespace tidemill;
using namespace tidemill::sql;

namespace {

struct Row {
    std::int64_t rowtime;
    bool is_left;
    std::optional<std::int64_t> key;
    std::int64_t value;
};

struct Window {
    bool is_rows = false;
    std::int64_t length = 0;  ///< 0 milliseconds: no OVER
};

struct Shape {
    std::string kind;  ///< INNER, LEFT, RIGHT, FULL
    Window left, right;
    bool has_key = true, has_residual = false;
};

std::vector<Row> random_rows(Random& random, std::size_t count, bool has_equal_times) {
    std::vector<Row> rows;
    std::int64_t time = 1'000'000;
    for (std::size_t i = 0; i < count; ++i) {
        const auto kind = random.below(20);
        time += has_equal_times && kind < 8 ? 0
                : kind < 19                 ? 1 + static_cast<std::int64_t>(random.below(2000))
                                            : 60'000;
        Row row{time, random.below(2) == 0, {}, static_cast<std::int64_t>(random.below(10))};
        if (random.below(10) != 0) row.key = static_cast<std::int64_t>(random.below(6));
        rows.push_back(row);
    }
    return rows;
}

std::string over(const Window& window) {
    if (window.is_rows) return fmt::format(" OVER (ROWS {} PRECEDING)", window.length);
    if (window.length == 0) return "";
    return fmt::format(" OVER (RANGE INTERVAL '{}' SECOND PRECEDING)", window.length / 1000);
}

std::string sql_of(const Shape& shape) {
    std::string condition = shape.has_key ? "a.K = b.K" : "a.V = a.V";
    if (shape.has_residual) condition += " AND a.V < b.V + 4";
    return fmt::format(
        "CREATE STREAM A (K BIGINT, V BIGINT); CREATE STREAM B (K BIGINT, V BIGINT);"
        "CREATE PUMP PA AS INSERT INTO A SELECT STREAM K, V FROM S WHERE SIDE = 1;"
        "CREATE PUMP PB AS INSERT INTO B SELECT STREAM K, V FROM S WHERE SIDE = 2;"
        "CREATE STREAM D (AT TIMESTAMP, AK BIGINT, AV BIGINT, BT TIMESTAMP, BK BIGINT, BV BIGINT);"
        "CREATE PUMP P AS INSERT INTO D SELECT STREAM a.ROWTIME, a.K, a.V, b.ROWTIME, b.K, b.V "
        "FROM A{} AS a {} JOIN B{} AS b ON {};",
        over(shape.left), shape.kind, over(shape.right), condition);
}

std::string cell(const std::optional<std::int64_t>& value) {
    return value ? std::to_string(*value) : "-";
}

std::string line_of(std::int64_t rowtime, const Row* left, const Row* right) {
    const auto of = [](const Row* row) {
        return row == nullptr ? std::string("- - -")
                              : fmt::format("{} {} {}", row->rowtime, cell(row->key), row->value);
    };
    return fmt::format("{} {} {}", rowtime, of(left), of(right));
}

std::vector<std::string> run(const Shape& shape, const std::vector<Row>& rows, Random& random) {
    InputStream input{"S", {}};
    input.schema.fields = {{"SIDE", TypeKind::Integer, false, false},
                           {"K", TypeKind::BigInt, true, false},
                           {"V", TypeKind::BigInt, true, false}};
    std::vector<std::string> got;
    std::int64_t last = 0;
    const auto make = [&] {
        auto compiled = Application::compile(sql_of(shape), {&input, 1});
        REQUIRE_MESSAGE(compiled.has_value(), (compiled ? "" : compiled.error().to_string()));
        auto& application = **compiled;
        application.subscribe(*application.find_stream("D"), [&](const Batch& batch) {
            batch.selection.for_each([&](std::size_t row) {
                CHECK_LE(last, batch.rowtime->int_at(row));
                last = batch.rowtime->int_at(row);
                std::string line = std::to_string(last);
                for (const auto* column : batch.columns)
                    line +=
                        " " + (column->is_null(row) ? "-" : std::to_string(column->int_at(row)));
                got.push_back(line);
            });
        });
        application.subscribe(*application.find_stream("error_stream"),
                              [](const Batch&) { FAIL("a row was refused"); });
        return std::move(*compiled);
    };
    auto application = make();
    const auto stream = *application->find_stream("S");
    RowBatch batch(input.schema);
    for (const auto& row : rows) {
        batch.columns[0].append_int(row.is_left ? 1 : 2);
        if (row.key)
            batch.columns[1].append_int(*row.key);
        else
            batch.columns[1].append_null();
        batch.columns[2].append_int(row.value);
        batch.rowtime.append_int(row.rowtime);
        if (random.below(9) != 0) continue;
        application->push_rows(stream, batch);
        batch.clear();
        if (random.below(4) != 0) continue;
        const auto snapshot = application->snapshot();
        application = make();
        REQUIRE(application->restore(snapshot).has_value());
    }
    application->push_rows(stream, batch);
    application->finish();
    return got;
}

std::vector<std::string> look_at_all(const Shape& shape, const std::vector<Row>& rows) {
    std::vector<std::string> expected;
    std::vector<char> is_matched(rows.size(), 0);
    const auto window_of = [&](const Row& row) { return row.is_left ? shape.left : shape.right; };
    // Whether row i is still in its window when row j of the other side comes.
    const auto is_there = [&](std::size_t i, std::size_t j) {
        const auto window = window_of(rows[i]);
        if (!window.is_rows) return rows[j].rowtime - rows[i].rowtime <= window.length;
        std::int64_t later = 0;
        for (auto k = i + 1; k < j; ++k)
            later += rows[k].is_left == rows[i].is_left ? 1 : 0;
        return later < window.length;
    };
    for (std::size_t j = 0; j < rows.size(); ++j)
        for (std::size_t i = 0; i < j; ++i) {
            if (rows[i].is_left == rows[j].is_left || !is_there(i, j)) continue;
            const auto &left = rows[i].is_left ? rows[i] : rows[j],
                       &right = rows[i].is_left ? rows[j] : rows[i];
            if (shape.has_key && (!left.key || !right.key || *left.key != *right.key)) continue;
            if (shape.has_residual && left.value >= right.value + 4) continue;
            is_matched[i] = is_matched[j] = 1;
            expected.push_back(line_of(rows[j].rowtime, &left, &right));
        }
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const bool is_kept =
            shape.kind == "FULL" || shape.kind == (rows[i].is_left ? "LEFT" : "RIGHT");
        if (!is_kept || is_matched[i] != 0) continue;
        const auto window = window_of(rows[i]);
        auto rowtime = rows[i].rowtime + window.length;
        if (window.is_rows) {
            rowtime = rows.back().rowtime;
            std::int64_t later = 0;
            for (auto k = i + 1; k < rows.size() && later < window.length; ++k)
                if (rows[k].is_left == rows[i].is_left && ++later == window.length)
                    rowtime = rows[k].rowtime;
        }
        expected.push_back(line_of(rowtime, rows[i].is_left ? &rows[i] : nullptr,
                                   rows[i].is_left ? nullptr : &rows[i]));
    }
    return expected;
}

}  // namespace

TEST_SUITE("join twins") {
    TEST_CASE("joins give the pairs and the rows without one, ROWTIME ascending") {
        for (std::uint64_t seed = 1; seed <= 120; ++seed) {
            CAPTURE(seed);
            Random random(seed);
            const std::string kinds[] = {"INNER", "LEFT", "RIGHT", "FULL"};
            Shape shape;
            shape.kind = kinds[random.below(4)];
            const bool has_rows = random.below(3) == 0;
            const auto window = [&]() -> Window {
                if (has_rows && random.below(2) == 0)
                    return {true, 1 + static_cast<std::int64_t>(random.below(8))};
                return {false, static_cast<std::int64_t>(random.below(4)) * 4000};
            };
            shape.left = window();
            shape.right = window();
            if (shape.left.length == 0 && shape.right.length == 0) shape.right.length = 3000;
            shape.has_key = random.below(4) != 0;
            shape.has_residual = random.below(2) == 0;
            CAPTURE(sql_of(shape));
            // Equal times make the order of rows, and so windows of rows, a matter of batches.
            const auto rows = random_rows(random, 300, !has_rows);
            auto got = run(shape, rows, random), expected = look_at_all(shape, rows);
            std::ranges::sort(got);
            std::ranges::sort(expected);
            REQUIRE_EQ(fmt::format("{}", fmt::join(got, "\n")),
                       fmt::format("{}", fmt::join(expected, "\n")));
        }
    }
}
