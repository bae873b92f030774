#include "operators/connect/schema_discovery.h"

#include <algorithm>
#include <charconv>
#include <unordered_map>

#include <fmt/format.h>
#include <simdjson.h>

#include "operators/connect/csv_reader.h"
#include "operators/vector/time_text.h"

namespace tidemill::sql {
namespace {

// What the values of one column seen so far could be.
struct Evidence {
    bool any = false, integer = true, number = true, boolean = true, time = true;

    void text(std::string_view value) {
        any = true;
        std::int64_t whole = 0;
        double real = 0;
        const char* const end = value.data() + value.size();
        const auto whole_read = std::from_chars(value.data(), end, whole);
        const auto real_read = std::from_chars(value.data(), end, real);
        integer = integer && whole_read.ec == std::errc() && whole_read.ptr == end;
        number = number && real_read.ec == std::errc() && real_read.ptr == end;
        boolean = boolean && (value == "true" || value == "false" || value == "TRUE" ||
                              value == "FALSE" || value == "True" || value == "False");
        time = time && parse_timestamp(value).has_value();
    }
    void only(bool Evidence::* kind) {
        any = true;
        for (const auto other :
             {&Evidence::integer, &Evidence::number, &Evidence::boolean, &Evidence::time})
            if (other != kind && !(kind == &Evidence::integer && other == &Evidence::number))
                this->*other = false;
    }
    void nothing_but_text() {
        any = true;
        integer = number = boolean = time = false;
    }
    Type type() const {
        if (!any) return Type::varchar();
        if (integer) return TypeKind::BigInt;
        if (number) return TypeKind::Double;
        if (boolean) return TypeKind::Boolean;
        if (time) return TypeKind::Timestamp;
        return Type::varchar();
    }
};

class Columns {
 public:
    Evidence& named(std::string_view name) {
        const auto [it, is_new] = index_.try_emplace(std::string(name), names_.size());
        if (is_new) {
            names_.emplace_back(name);
            evidence_.emplace_back();
        }
        return evidence_[it->second];
    }
    Evidence& at(std::size_t i) { return evidence_[i]; }
    std::size_t size() const { return names_.size(); }
    Schema schema() const {
        Schema schema;
        for (std::size_t i = 0; i < names_.size(); ++i)
            schema.fields.push_back({names_[i], evidence_[i].type()});
        return schema;
    }

 private:
    std::vector<std::string> names_;
    std::vector<Evidence> evidence_;
    std::unordered_map<std::string, std::size_t> index_;
};

void look_at_json(simdjson::dom::element value, Evidence& evidence) {
    switch (value.type()) {
        case simdjson::dom::element_type::INT64:
            evidence.only(&Evidence::integer);
            break;
        case simdjson::dom::element_type::UINT64:  // beyond BIGINT
        case simdjson::dom::element_type::DOUBLE:
            evidence.only(&Evidence::number);
            break;
        case simdjson::dom::element_type::BOOL:
            evidence.only(&Evidence::boolean);
            break;
        case simdjson::dom::element_type::NULL_VALUE:
            break;
        case simdjson::dom::element_type::STRING: {
            std::string_view text = value;
            // Quoted numbers stay text: who quotes them means text.
            if (parse_timestamp(text))
                evidence.only(&Evidence::time);
            else
                evidence.nothing_but_text();
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
