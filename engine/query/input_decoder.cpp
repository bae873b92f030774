#include "engine/query/input_decoder.h"

#include <algorithm>

#include <fmt/format.h>

#include "engine/query/query_limits.h"
#include "operators/connect/csv_reader.h"
#include "operators/connect/schema_discovery.h"
#include "operators/sql/nearest_name.h"

namespace tidemill::query {
namespace {

bool contains_word(std::string_view text, std::string_view word) {
    const auto same = [](char a, char b) { return (a >= 'a' && a <= 'z' ? a - 32 : a) == b; };
    return std::ranges::search(text, word, same).begin() != text.end();
}

/// Records of a stream have no header line: their fields are COL1, COL2, ...
std::string header_for(std::string_view row, const std::string& delimiter) {
    sql::CsvLine line(delimiter);
    std::string header;
    for (std::size_t i = 1; i <= line.split(row).size(); ++i)
        header += fmt::format("{}COL{}", i == 1 ? "" : delimiter, i);
    return header;
}

Result<std::size_t> find_rowtime(const InputDefinition& input, const sql::Schema& columns) {
    const auto place = columns.find(input.rowtime_column);
    if (!place) {
        std::vector<std::string> names;
        for (const auto& field : columns.fields)
            names.push_back(field.name);
        return fail(Errc::NotFound, fmt::format("input \"{}\" has no column \"{}\" for ROWTIME.{}",
                                                input.name, input.rowtime_column,
                                                sql::did_you_mean(input.rowtime_column, names)));
    }
    const sql::Type& type = columns[*place].type;
    if (type.kind != sql::TypeKind::Timestamp && !type.is_integer())
        return fail(Errc::InvalidArgument,
                    fmt::format("column \"{}\" ({}) cannot be ROWTIME: it must be a TIMESTAMP or "
                                "whole milliseconds",
                                input.rowtime_column, type.to_string()));
    return *place;
}

}  // namespace

std::vector<sql::Field> hidden_fields_in(std::string_view sql_text) {
    auto fields = sql::record_metadata_fields();
    std::erase_if(fields, [&](const auto& field) { return !contains_word(sql_text, field.name); });
    return fields;
}

Result<sql::Schema> find_columns(const sql::RecordLayout& layout,
                                 const std::vector<std::string>& records) {
    std::vector<std::string_view> rows;
    for (std::string_view rest : records)
        while (rows.size() < limits::kSampleRows) {
            const auto row = sql::take_row(layout, rest);
            if (!row) break;
            rows.push_back(*row);
        }
    std::string header;
    if (layout.format == sql::RecordFormat::Csv && !layout.has_header && !rows.empty()) {
        header = header_for(rows.front(), layout.column_delimiter);
        rows.insert(rows.begin(), header);
    }
    ASSIGN(auto found, sql::discover_schema(layout.format, rows, layout.column_delimiter));
    return std::move(found.schema);
}

Result<std::unique_ptr<InputDecoder>> InputDecoder::make(const InputDefinition& input,
                                                         const sql::Schema& columns,
                                                         std::vector<sql::Field> hidden) {
    std::unique_ptr<InputDecoder> decoder(new InputDecoder);
    decoder->schema_ = columns;
    for (auto& field : hidden) {
        decoder->wants_sequence_number_ |= field.name == "SEQUENCE_NUMBER";
        decoder->schema_.fields.push_back(std::move(field));
    }
    std::optional<std::size_t> rowtime;
    if (!input.rowtime_column.empty()) {
        ASSIGN(rowtime, find_rowtime(input, columns));
    }
    ASSIGN(decoder->decoder_, sql::make_record_decoder(input.layout, decoder->schema_, rowtime));
    return decoder;
}

void InputDecoder::decode(std::string_view record, sql::RecordMetadata metadata,
                          std::int64_t& bound, sql::RowBatch& rows, sql::RejectedRows& rejected) {
    const std::size_t before = rows.size();
    decoder_->decode(record, metadata, rows, rejected);
    for (std::size_t row = before; row < rows.size(); ++row) {
        std::int64_t& rowtime = rows.rowtime.slots()[row];
        bound = rowtime = std::max(rowtime, bound);
    }
}

}  // namespace tidemill::query
