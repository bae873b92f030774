#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>

#include <fmt/format.h>

#include "operators/connect/coercion.h"
#include "operators/connect/csv_reader.h"
#include "operators/connect/json_decoder.h"
#include "operators/connect/row_decoder.h"
#include "operators/connect/schema_decoder.h"

namespace tidemill::sql {
namespace {

class CsvDecoder final : public SchemaDecoder {
 public:
    CsvDecoder(const RowLayout& layout, const Schema& schema,
               std::optional<std::size_t> rowtime_column)
        : SchemaDecoder(schema, rowtime_column),
          line_(layout.delimiter),
          allows_more_(layout.allows_more_fields) {
        for (const auto& name : layout.csv_columns)
            columns_.push_back(schema.find(name));
        // Without names the fields are the columns in order.
        if (layout.csv_columns.empty())
            for (std::size_t i = 0; i < schema.size(); ++i)
                if (!schema[i].is_hidden) columns_.emplace_back(i);
    }

 private:
    bool fill(std::string_view row, RowBatch& rows, RejectedRow& bad) override {
        const auto& fields = line_.split(row);
        if (fields.size() > columns_.size() && !allows_more_) {
            bad.name = "PARSE_ERROR";
            bad.message = fmt::format("the row has {} fields where {} are known", fields.size(),
                                      columns_.size());
            return false;
        }
        for (std::size_t i = 0; i < std::min(fields.size(), columns_.size()); ++i) {
            if (!columns_[i]) continue;
            Column& column = rows.columns[*columns_[i]];
            is_set_[*columns_[i]] = 1;
            // An empty field is an empty text, but no number and no time.
            if (fields[i].text.empty() && !(column.type().is_text() && fields[i].is_quoted)) {
                column.append_null();
            } else if (!append_text_as(column, fields[i].text)) {
                bad.name = "TYPE_MISMATCH";
                bad.message = misfit(fields[i].text, schema_[*columns_[i]].name, column.type());
                return false;
            }
        }
        return true;
    }

    CsvLine line_;
    bool allows_more_;
    std::vector<std::optional<std::size_t>> columns_;  // of each field
};

// The first quote or backslash from `at` on, eight bytes a step; the size if there is none.
std::size_t find_text_mark(std::string_view text, std::size_t at) {
    constexpr std::uint64_t kOnes = 0x0101010101010101, kHigh = 0x8080808080808080;
    if constexpr (std::endian::native == std::endian::little) {
        for (; at + 8 <= text.size(); at += 8) {
            std::uint64_t word;
            std::memcpy(&word, text.data() + at, 8);
            const auto quote = word ^ (kOnes * '"'), slash = word ^ (kOnes * '\\');
            // The lowest byte marked is one that is zero; above it there may be false marks.
            const auto marks = (((quote - kOnes) & ~quote) | ((slash - kOnes) & ~slash)) & kHigh;
            if (marks != 0) return at + static_cast<std::size_t>(std::countr_zero(marks)) / 8;
        }
    }
    while (at < text.size() && text[at] != '"' && text[at] != '\\')
        ++at;
    return at;
}

std::optional<std::string_view> take_json(std::string_view& rest) {
    const auto begin = rest.find_first_not_of(" \t\r\n");
    if (begin == std::string_view::npos) {
        rest = {};
        return {};
    }
    rest.remove_prefix(begin);
    std::size_t depth = 0, at = 0;
    if (rest[0] == '{' || rest[0] == '[') {
        for (bool in_text = false; at < rest.size(); ++at) {
            if (in_text) {
                at = find_text_mark(rest, at);
                if (at == rest.size()) break;
                if (rest[at] == '\\')
                    ++at;
                else
                    in_text = false;
                continue;
            }
            const char c = rest[at];
            if (c == '"') {
                in_text = true;
            } else if (c == '{' || c == '[') {
                ++depth;
            } else if ((c == '}' || c == ']') && --depth == 0) {
                ++at;
                break;
            }
        }
        // A document that never closes must not swallow the good lines behind it.
        if (depth != 0) at = rest.find('\n');
    } else {
        at = rest.find('\n');  // no document at all: the line is one bad row
    }
    at = std::min(at, rest.size());
    const auto row = rest.substr(0, at);
    rest.remove_prefix(at);
    return row;
}

std::optional<std::string_view> take_csv(std::string_view& rest) {
    while (!rest.empty()) {
        std::size_t at = 0;
        for (bool in_quotes = false; at < rest.size() && (in_quotes || rest[at] != '\n'); ++at)
            if (rest[at] == '"') in_quotes = !in_quotes;
        // As above: an unbalanced quote ends with its line.
        if (at == rest.size() && rest.back() != '"') at = std::min(rest.find('\n'), rest.size());
        auto row = rest.substr(0, at);
        rest.remove_prefix(std::min(at + 1, rest.size()));
        if (row.ends_with('\r')) row.remove_suffix(1);
        if (!row.empty()) return row;
    }
    return {};
}

}  // namespace

std::optional<std::string_view> take_row(RecordFormat format, std::string_view& rest) {
    return format == RecordFormat::Json ? take_json(rest) : take_csv(rest);
}

std::unique_ptr<RowDecoder> make_row_decoder(const RowLayout& layout, const Schema& schema,
                                             std::optional<std::size_t> rowtime_column) {
    if (layout.format == RecordFormat::Json) return make_json_decoder(schema, rowtime_column);
    return std::make_unique<CsvDecoder>(layout, schema, rowtime_column);
}

}  // namespace tidemill::sql
