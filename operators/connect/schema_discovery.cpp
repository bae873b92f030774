#include "operators/connect/schema_discovery.h"

#include <algorithm>
#include <unordered_map>

#include <fmt/format.h>
#include <simdjson.h>

#include "operators/connect/column_evidence.h"
#include "operators/connect/csv_reader.h"

namespace tidemill::sql {
namespace {

class Columns {
 public:
    ColumnEvidence& named(std::string_view name) {
        const auto [it, is_new] = index_.try_emplace(std::string(name), names_.size());
        if (is_new) {
            names_.emplace_back(name);
            evidence_.emplace_back();
        }
        return evidence_[it->second];
    }
    ColumnEvidence& at(std::size_t i) { return evidence_[i]; }
    std::size_t size() const { return names_.size(); }
    Schema schema() const {
        Schema schema;
        for (std::size_t i = 0; i < names_.size(); ++i)
            schema.fields.push_back({names_[i], evidence_[i].type()});
        return schema;
    }

 private:
    std::vector<std::string> names_;
    std::vector<ColumnEvidence> evidence_;
    std::unordered_map<std::string, std::size_t> index_;
};

void look_at_json(simdjson::dom::element value, ColumnEvidence& evidence) {
    switch (value.type()) {
        case simdjson::dom::element_type::INT64:
            evidence.only(&ColumnEvidence::integer);
            break;
        case simdjson::dom::element_type::UINT64:  // beyond BIGINT
        case simdjson::dom::element_type::DOUBLE:
            evidence.only(&ColumnEvidence::number);
            break;
        case simdjson::dom::element_type::BOOL:
            evidence.only(&ColumnEvidence::boolean);
            break;
        case simdjson::dom::element_type::NULL_VALUE:
            break;
        case simdjson::dom::element_type::STRING: {
            std::string_view text = value;
            evidence.quoted_text(text);
            break;
        }
        default:
            evidence.nothing_but_text();
    }
}

Result<DiscoveredSchema> discover_json(const std::vector<std::string_view>& rows) {
    Columns columns;
    simdjson::dom::parser parser;
    std::string why = "the sample is empty";
    for (const auto row : rows) {
        simdjson::dom::object object;
        if (const auto error = parser.parse(row.data(), row.size()).get_object().get(object)) {
            why = simdjson::error_message(error);
            continue;
        }
        for (const auto member : object)
            look_at_json(member.value, columns.named(member.key));
    }
    if (columns.size() == 0)
        return fail(Errc::InvalidArgument,
                    fmt::format("no columns found: no row is a JSON object ({})", why));
    return DiscoveredSchema{columns.schema(), {RecordFormat::Json, ",", {}, false}};
}

Result<DiscoveredSchema> discover_csv(const std::vector<std::string_view>& rows,
                                      const std::string& delimiter) {
    if (rows.empty())
        return fail(Errc::InvalidArgument, "no columns found: the sample has no header line");
    CsvLine line(delimiter);
    Columns columns;
    DiscoveredSchema found;
    found.layout = {RecordFormat::Csv, delimiter, {}, false};
    for (const auto& field : line.split(rows[0])) {
        std::string name(field.text);
        if (name.empty()) name = fmt::format("COL_{}", found.layout.csv_columns.size() + 1);
        for (int copy = 2;
             std::ranges::find(found.layout.csv_columns, name) != found.layout.csv_columns.end();
             ++copy)
            name = fmt::format("{}_{}", field.text, copy);
        columns.named(name);
        found.layout.csv_columns.push_back(name);
    }
    for (std::size_t i = 1; i < rows.size(); ++i) {
        const auto& fields = line.split(rows[i]);
        for (std::size_t k = 0; k < fields.size() && k < columns.size(); ++k)
            if (!fields[k].text.empty()) columns.at(k).text(fields[k].text);
    }
    found.schema = columns.schema();
    return found;
}

}  // namespace

Result<DiscoveredSchema> discover_schema(RecordFormat format,
                                         const std::vector<std::string_view>& rows,
                                         const std::string& delimiter) {
    return format == RecordFormat::Json ? discover_json(rows) : discover_csv(rows, delimiter);
}

RecordFormat guess_format(std::string_view text) {
    const auto at = text.find_first_not_of(" \t\r\n");
    return at != std::string_view::npos && text[at] == '{' ? RecordFormat::Json : RecordFormat::Csv;
}

char guess_delimiter(std::string_view first_line) {
    char best = ',';
    std::ptrdiff_t most = 0;
    for (const char candidate : {',', ';', '\t', '|'}) {
        const auto count = std::ranges::count(first_line, candidate);
        if (count > most) {
            most = count;
            best = candidate;
        }
    }
    return best;
}

}  // namespace tidemill::sql
