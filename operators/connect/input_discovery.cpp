#include "operators/connect/input_discovery.h"

#include <algorithm>
#include <bit>

#include <fmt/format.h>
#include <simdjson.h>

#include "operators/connect/column_evidence.h"
#include "operators/connect/csv_reader.h"
#include "operators/connect/json_path.h"
#include "operators/connect/row_encoder.h"
#include "operators/connect/schema_discovery.h"
#include "operators/sql/printer.h"
#include "operators/sql/token_cursor.h"

namespace tidemill::sql {
namespace {

namespace dom = simdjson::dom;

constexpr std::size_t kNameMax = 100;
constexpr std::size_t kColumnsMax = 1000;
constexpr std::size_t kRowsMax = 100;
constexpr std::size_t kNestingMax = 10;  // deeper objects stay text
constexpr std::size_t kArrayText = 4096;

std::string upper(std::string_view text) {
    std::string result(text);
    std::ranges::transform(result, result.begin(), [](char c) {
        return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
    return result;
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// A column of JSON on its way.
struct JsonColumn {
    JsonPath path;
    ColumnEvidence evidence;
};

class JsonSample {
 public:
    std::vector<JsonColumn> columns;

    void look_at(dom::element document) {
        if (document.is_array()) {
            for (const auto element : dom::array(document))
                if (element.is_object()) look_into(dom::object(element), {});
        } else if (document.is_object()) {
            look_into(dom::object(document), {});
        }
    }

 private:
    void look_into(dom::object object, const JsonPath& at) {
        for (const auto member : object) {
            JsonPath path = at;
            path.steps.push_back({std::string(member.key), false});
            if (member.value.is_object() && path.steps.size() < kNestingMax)
                look_into(dom::object(member.value), path);
            else if (member.value.is_array())
                look_at_array(dom::array(member.value), path);
            else
                look_at_value(member.value, column(path));
        }
    }

    /// Elements that are objects become rows, of one array; all else is text.
    void look_at_array(dom::array array, JsonPath path) {
        path.steps.push_back({{}, true});
        const bool has_objects =
            array.size() > 0 && std::all_of(array.begin(), array.end(), [](dom::element element) {
                return element.is_object();
            });
        const bool is_inner =
            std::ranges::count(path.steps, true, &JsonPath::Step::is_elements) > 1;
        if (has_objects && !is_inner && (!flattened_ || flattened_->steps == path.steps)) {
            flattened_ = path;
            for (const auto element : array)
                look_into(dom::object(element), path);
            return;
        }
        if (flattened_ && flattened_->steps == path.steps) return;  // an empty one
        if (!is_inner)
            column(path).nothing_but_text(kArrayText / 2);
        else
            path.steps.pop_back(), column(path).nothing_but_text(kArrayText / 2);
    }

    static void look_at_value(dom::element value, ColumnEvidence& evidence) {
        switch (value.type()) {
            case dom::element_type::INT64:
                return evidence.only(&ColumnEvidence::integer);
            case dom::element_type::UINT64:  // beyond BIGINT
            case dom::element_type::DOUBLE:
                return evidence.only(&ColumnEvidence::number);
            case dom::element_type::BOOL:
                return evidence.only(&ColumnEvidence::boolean);
            case dom::element_type::NULL_VALUE:
                return;
            case dom::element_type::STRING:
                return evidence.quoted_text(value);
            default:
                return evidence.nothing_but_text(kArrayText / 2);
        }
    }

    ColumnEvidence& column(const JsonPath& path) {
        const auto known = std::ranges::find(
            columns, path.steps, [](const JsonColumn& column) { return column.path.steps; });
        if (known != columns.end()) return known->evidence;
        if (columns.size() == kColumnsMax) return spare_;
        columns.push_back({path, {}});
        return columns.back().evidence;
    }

    std::optional<JsonPath> flattened_;
    ColumnEvidence spare_;
};

/// A name that no column has yet: the member's, then with its parents', then with a number.
std::string unique_name(const Schema& columns, std::string name, std::string_view parent) {
    if (!columns.find(name)) return name;
    if (!parent.empty()) {
        std::string longer =
            column_name_for(fmt::format("{}_{}", parent, name), columns.size() + 1);
        if (!columns.find(longer)) return longer;
    }
    for (int copy = 2;; ++copy)
        if (auto numbered = fmt::format("{}_{}", name, copy); !columns.find(numbered))
            return numbered;
}

Result<DiscoveredInput> discover_json(std::span<const std::string> records) {
    JsonSample sample;
    dom::parser parser;
    std::string why = "there is no record";
    for (std::string_view record : records)
        while (const auto row = take_row(RecordFormat::Json, record)) {
            dom::element document;
            if (const auto error = parser.parse(row->data(), row->size()).get(document))
                why = simdjson::error_message(error);
            else
                sample.look_at(document);
        }
    if (sample.columns.empty())
        return fail(Errc::InvalidArgument,
                    fmt::format("no columns found: no record is a JSON object ({})", why));
    DiscoveredInput found;
    found.layout.row_path = "$";
    for (const auto& [path, evidence] : sample.columns) {
        std::string_view name, parent;
        for (const auto& step : path.steps)
            if (!step.is_elements) parent = std::exchange(name, step.member);
        found.columns.fields.push_back(
            {unique_name(found.columns, column_name_for(name, found.columns.size() + 1), parent),
             evidence.wide_type(), true, false});
        found.layout.column_paths.push_back(path.to_string());
    }
    return found;
}

using CsvRow = std::vector<std::string>;

CsvRow split(CsvLine& line, std::string_view row) {
    CsvRow fields;
    for (const auto& field : line.split(row))
        fields.emplace_back(field.text);
    return fields;
}

/// Names look like names, and below them is something else.
bool looks_like_header(const std::vector<CsvRow>& rows) {
    if (rows.size() < 2) return false;
    for (std::size_t i = 0; i < rows[0].size(); ++i) {
        const auto& name = rows[0][i];
        if (name.empty() || is_digit(name[0]) ||
            std::count(rows[0].begin(), rows[0].end(), name) > 1)
            return false;
        ColumnEvidence evidence;
        evidence.text(name);
        if (evidence.wide_type().kind != TypeKind::Varchar) return false;
    }
    for (std::size_t i = 0; i < rows[0].size(); ++i) {
        ColumnEvidence below;
        for (std::size_t row = 1; row < rows.size(); ++row)
            if (i < rows[row].size() && !rows[row][i].empty()) below.text(rows[row][i]);
        if (below.wide_type().kind != TypeKind::Varchar) return true;
    }
    return false;
}

Result<DiscoveredInput> discover_csv(std::span<const std::string> records) {
    DiscoveredInput found;
    found.layout.format = RecordFormat::Csv;
    std::string_view first = records.front();
    const auto line_end = std::min(first.find('\n'), first.size());
    found.layout.column_delimiter = std::string(1, guess_delimiter(first.substr(0, line_end)));
    CsvLine line(found.layout.column_delimiter);
    std::vector<CsvRow> rows;
    std::vector<std::string_view> heads;  // the first row of each record that has several
    for (std::string_view record : records) {
        std::size_t count = 0;
        std::string_view head;
        while (const auto row = take_row(found.layout, record)) {
            if (count++ == 0) head = *row;
            if (rows.size() < kRowsMax) rows.push_back(split(line, *row));
        }
        if (count > 1) heads.push_back(head);
    }
    if (rows.empty()) return fail(Errc::InvalidArgument, "no columns found: the records are empty");
    const bool is_repeated =
        heads.size() > 1 && heads.size() == records.size() &&
        std::ranges::all_of(heads, [&](std::string_view head) { return head == heads.front(); });
    found.layout.has_header =
        (is_repeated || (records.size() == 1 && heads.size() == 1)) && looks_like_header(rows);
    std::size_t width = 0;
    for (const auto& row : rows)
        width = std::max(width, row.size());
    for (std::size_t i = 0; i < std::min(width, kColumnsMax); ++i) {
        ColumnEvidence evidence;
        for (const auto& row : rows)
            if (i < row.size() && !row[i].empty() &&
                !(found.layout.has_header && row == rows.front()))
                evidence.text(row[i]);
        const std::string name = found.layout.has_header && i < rows[0].size()
                                     ? column_name_for(rows[0][i], i + 1)
                                     : fmt::format("COL_{}", i + 1);
        found.columns.fields.push_back(
            {unique_name(found.columns, name, ""), evidence.wide_type(), true, false});
    }
    return found;
}

/// The sample as the application would see it.
Status decode_sample(DiscoveredInput& found, std::span<const std::string> records) {
    ASSIGN(const auto decoder, make_record_decoder(found.layout, found.columns));
    RowBatch rows(found.columns);
    RejectedRows rejected;
    for (const auto& record : records) {
        if (rows.size() >= kRowsMax) break;
        decoder->decode(record, {}, rows, rejected);
    }
    for (std::size_t row = 0; row < std::min(rows.size(), kRowsMax); ++row) {
        auto& texts = found.rows.emplace_back();
        for (const auto& column : rows.columns)
            texts.push_back(cell_text(column, row));
    }
    return {};
}

std::string in_quotes(std::string_view text) {
    std::string result = "'";
    for (const char c : text) {
        if (c == '\'') result += '\'';
        if (c == '\n')
            result += "\\n";
        else if (c == '\t')
            result += "\\t";
        else
            result += c;
    }
    return result + "'";
}

}  // namespace

std::string column_name_for(std::string_view name, std::size_t place) {
    std::string kept;
    for (const char c : name)
        if (is_letter(c) || is_digit(c) || c == '_') kept += c;
    if (kept.find_first_not_of('_') == std::string::npos) return fmt::format("COL_{}", place);
    const bool is_kept = kept.size() == name.size() && name.size() <= kNameMax &&
                         !is_digit(name.front()) && !is_reserved(upper(name));
    if (is_kept) return kept;
    kept = "COL_" + kept;
    kept.resize(std::min(kept.size(), kNameMax));
    return kept;
}

Result<DiscoveredInput> discover_input(std::span<const std::string> records) {
    if (records.empty()) return fail(Errc::InvalidArgument, "there is no record to look at");
    for (const auto& record : records)
        if (!simdjson::validate_utf8(record.data(), record.size()))
            return fail(Errc::InvalidArgument, "the records are not UTF-8 text");
    const auto begin = records.front().find_first_not_of(" \t\r\n");
    const char first = begin == std::string::npos ? ' ' : records.front()[begin];
    auto found = first == '{' || first == '[' ? discover_json(records) : discover_csv(records);
    if (found) TRY(decode_sample(*found, records));
    return found;
}

std::string create_stream_text(const DiscoveredInput& found, std::string_view stream,
                               std::string_view source) {
    std::string text = fmt::format("CREATE STREAM {} (", print_name(stream));
    for (std::size_t i = 0; i < found.columns.size(); ++i) {
        const Field& field = found.columns[i];
        text += fmt::format("{}\n    {} {}", i == 0 ? "" : ",", print_name(field.name),
                            field.type.to_string());
        if (i < found.layout.column_paths.size())
            text += " PATH " + in_quotes(found.layout.column_paths[i]);
    }
    const bool is_csv = found.layout.format == RecordFormat::Csv;
    text += fmt::format("\n) WITH (source = {}, format = '{}'", in_quotes(source),
                        is_csv ? "csv" : "json");
    if (is_csv && found.layout.column_delimiter != ",")
        text += ", column_delimiter = " + in_quotes(found.layout.column_delimiter);
    if (found.layout.has_header) text += ", header = true";
    return text + ");";
}

}  // namespace tidemill::sql
