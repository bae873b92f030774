#include "operators/connect/record_layout.h"

#include <algorithm>

#include <fmt/format.h>

#include "operators/connect/json_path_decoder.h"
#include "operators/connect/row_decoder.h"

namespace tidemill::sql {
namespace {

std::size_t visible_count(const Schema& schema) {
    return static_cast<std::size_t>(
        std::ranges::count_if(schema.fields, [](const Field& field) { return !field.is_hidden; }));
}

bool flattens(const JsonPath& path) {
    for (std::size_t i = 0; i + 1 < path.steps.size(); ++i)
        if (path.steps[i].is_elements) return true;
    return false;
}

/// The absolute path of every visible column.
Result<ColumnPaths> paths_of(const RecordLayout& layout, const Schema& schema) {
    ColumnPaths paths;
    bool flattens_one = false;
    for (std::size_t i = 0; i < visible_count(schema); ++i) {
        paths.columns.push_back(JsonPath::of_member(schema[i].name));
        if (i < layout.column_paths.size() && !layout.column_paths[i].empty()) {
            ASSIGN(paths.columns.back(), JsonPath::parse(layout.column_paths[i]));
        }
        flattens_one |= flattens(paths.columns.back());
    }
    ASSIGN(const JsonPath given, JsonPath::parse(layout.row_path.empty() ? "$" : layout.row_path));
    paths.row = given;
    if (given.steps.empty()) return paths;
    // Rows are the elements of what the row path leads to, should it be an array.
    if (!flattens_one && !flattens(given) && !given.steps.back().is_elements)
        paths.row.steps.push_back({{}, true});
    for (auto& path : paths.columns) {
        if (path.starts_with(paths.row)) continue;
        const std::size_t known = path.starts_with(given) ? given.steps.size() : 0;
        path.steps.erase(path.steps.begin(),
                         path.steps.begin() + static_cast<std::ptrdiff_t>(known));
        path.steps.insert(path.steps.begin(), paths.row.steps.begin(), paths.row.steps.end());
    }
    return paths;
}

/// The columns under the names that their members have, when each is a member of the document and
/// no two are the same: those the plain decoder finds by itself.
std::optional<Schema> by_members(const ColumnPaths& paths, const Schema& schema) {
    Schema renamed = schema;
    for (std::size_t i = 0; i < paths.columns.size(); ++i) {
        const auto& steps = paths.columns[i].steps;
        if (steps.size() != 1 || steps[0].is_elements) return {};
        for (std::size_t j = 0; j < i; ++j)
            if (renamed[j].name == steps[0].member) return {};
        renamed.fields[i].name = steps[0].member;
    }
    return renamed;
}

/// CSV rows between delimiters of one's own, or behind a header.
class CsvRecordDecoder final : public RecordDecoder {
 public:
    CsvRecordDecoder(const RecordLayout& layout, std::unique_ptr<RowDecoder> rows)
        : layout_(layout), rows_(std::move(rows)) {}

    void decode(std::string_view record, const RecordMetadata& metadata, RowBatch& rows,
                RejectedRows& rejected) override {
        if (layout_.has_header) take_row(layout_, record);
        RejectedRow bad;
        while (const auto row = take_row(layout_, record)) {
            if (rows_->decode(*row, metadata, rows, bad)) continue;
            bad.data_rowtime = metadata.rowtime;
            rejected.push_back(std::exchange(bad, {}));
        }
    }

 private:
    RecordLayout layout_;
    std::unique_ptr<RowDecoder> rows_;
};

}  // namespace

Status check_layout(const RecordLayout& layout, const Schema& schema) {
    if (layout.format == RecordFormat::Csv) {
        if (layout.column_delimiter.empty() || layout.row_delimiter.empty())
            return fail(Errc::InvalidArgument, "a delimiter of CSV has at least one character");
        return {};
    }
    if (layout.column_paths.size() > visible_count(schema))
        return fail(Errc::InvalidArgument, "there are more paths than columns");
    ASSIGN(const auto paths, paths_of(layout, schema));
    return check_paths(paths);
}

Result<std::unique_ptr<RecordDecoder>> make_record_decoder(
    const RecordLayout& layout, const Schema& schema, std::optional<std::size_t> rowtime_column) {
    TRY(check_layout(layout, schema));
    if (layout.format == RecordFormat::Csv) {
        RowLayout rows{RecordFormat::Csv, layout.column_delimiter, {}, true};
        return std::make_unique<CsvRecordDecoder>(layout,
                                                  make_row_decoder(rows, schema, rowtime_column));
    }
    ASSIGN(const auto paths, paths_of(layout, schema));
    if (const auto members = by_members(paths, schema))
        return make_row_by_row_decoder(
            RecordFormat::Json,
            make_row_decoder({RecordFormat::Json, ",", {}, false}, *members, rowtime_column));
    return make_json_path_decoder(paths, schema, rowtime_column);
}

std::optional<std::string_view> take_row(const RecordLayout& layout, std::string_view& rest) {
    if (layout.format == RecordFormat::Json || layout.row_delimiter == "\n")
        return take_row(layout.format, rest);
    while (!rest.empty()) {
        std::size_t at = 0;
        bool in_quotes = false;
        for (; at < rest.size(); ++at) {
            if (rest[at] == '"') in_quotes = !in_quotes;
            if (!in_quotes && rest.substr(at).starts_with(layout.row_delimiter)) break;
        }
        // An unbalanced quote ends with its row: it must not swallow the good rows behind it.
        if (at == rest.size() && in_quotes)
            at = std::min(rest.find(layout.row_delimiter), rest.size());
        const auto row = rest.substr(0, at);
        rest.remove_prefix(std::min(at + layout.row_delimiter.size(), rest.size()));
        if (!row.empty() && row != "\n" && row != "\r\n") return row;
    }
    return {};
}

}  // namespace tidemill::sql
