#pragma once

#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "engine/base/random.h"
#include "operators/exec/application.h"

// Random rows through an application, in random batches, with checkpoints in between.
namespace tidemill::sql::random_run {

struct Row {
    std::int64_t rowtime = 0, event = 0;
    std::optional<std::int64_t> key, value;
    std::optional<std::string> text;
    std::size_t order = 0;  ///< in which they come
};

/// Few keys and values, so that they come again; equal times, long gaps, nulls.
inline std::vector<Row> random_rows(Random& random, std::size_t count, std::uint64_t keys = 5,
                                    std::uint64_t values = 12) {
    std::vector<Row> rows;
    std::int64_t time = 1'000'000;
    for (std::size_t i = 0; i < count; ++i) {
        const auto kind = random.below(20);
        time += kind < 8    ? 0
                : kind < 19 ? static_cast<std::int64_t>(random.below(3000))
                            : static_cast<std::int64_t>(random.below(100'000));
        Row row;
        row.rowtime = time;
        row.event = time - static_cast<std::int64_t>(random.below(10'000));
        row.order = i;
        if (random.below(8) != 0) row.key = static_cast<std::int64_t>(random.below(keys));
        if (random.below(6) != 0) row.value = static_cast<std::int64_t>(random.below(values));
        if (random.below(7) != 0)
            row.text = std::string(1 + random.below(3), static_cast<char>('a' + random.below(4)));
        rows.push_back(std::move(row));
    }
    return rows;
}

/// A stream S (K BIGINT, V BIGINT, T VARCHAR, E TIMESTAMP).
inline InputStream input_stream() {
    InputStream input{"S", {}};
    input.schema.fields = {{"K", TypeKind::BigInt, true, false},
                           {"V", TypeKind::BigInt, true, false},
                           {"T", Type::varchar(8), true, false},
                           {"E", TypeKind::Timestamp, true, false}};
    return input;
}

inline std::string cell(const std::optional<std::int64_t>& value) {
    return value ? std::to_string(*value) : "-";
}
inline std::string cell(const std::optional<std::string>& value) { return value.value_or("-"); }

struct Result {
    std::vector<std::string> rows;    ///< of stream D, cells with blanks between, "-" for null
    std::vector<std::int64_t> times;  ///< their ROWTIMEs
    std::vector<std::string> errors;  ///< ERROR_NAMEs
    std::size_t snapshot_bytes = 0;   ///< of the largest
};

inline std::string line_of(const Batch& batch, std::size_t row) {
    std::string line;
    for (const auto* column : batch.columns) {
        line += line.empty() ? "" : " ";
        if (column->is_null(row))
            line += "-";
        else if (column->type().storage() == Storage::Text)
            line += column->text_at(row);
        else if (column->type().storage() == Storage::Double)
            line += std::to_string(column->double_at(row));
        else
            line += std::to_string(column->int_at(row));
    }
    return line;
}

inline Result run(const std::string& text, const std::vector<Row>& rows, Random& random) {
    const auto input = input_stream();
    Result result;
    const auto make = [&] {
        auto compiled = Application::compile(text, {&input, 1});
        REQUIRE_MESSAGE(compiled.has_value(), (compiled ? "" : compiled.error().to_string()));
        auto& application = **compiled;
        application.subscribe(*application.find_stream("D"), [&](const Batch& batch) {
            batch.selection.for_each([&](std::size_t row) {
                result.rows.push_back(line_of(batch, row));
                result.times.push_back(batch.rowtime->int_at(row));
            });
        });
        application.subscribe(*application.find_stream("error_stream"), [&](const Batch& batch) {
            batch.selection.for_each([&](std::size_t row) {
                result.errors.emplace_back(batch.columns[2]->text_at(row));
            });
        });
        return std::move(*compiled);
    };
    auto application = make();
    const auto stream = *application->find_stream("S");
    RowBatch batch(input.schema);
    for (const auto& row : rows) {
        row.key ? batch.columns[0].append_int(*row.key) : batch.columns[0].append_null();
        row.value ? batch.columns[1].append_int(*row.value) : batch.columns[1].append_null();
        row.text ? batch.columns[2].append_text(*row.text) : batch.columns[2].append_null();
        batch.columns[3].append_int(row.event);
        batch.rowtime.append_int(row.rowtime);
        if (random.below(7) != 0) continue;
        application->push_rows(stream, batch);
        batch.clear();
        if (random.below(3) == 0) application->advance(stream, from_millis(row.rowtime));
        if (random.below(4) != 0) continue;
        const auto snapshot = application->snapshot();
        result.snapshot_bytes = std::max(result.snapshot_bytes, snapshot.size());
        application = make();
        REQUIRE(application->restore(snapshot).has_value());
    }
    application->push_rows(stream, batch);
    application->finish();
    return result;
}

}  // namespace tidemill::sql::random_run
