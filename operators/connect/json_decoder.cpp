#include "operators/connect/json_decoder.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <simdjson.h>

#include "operators/connect/coercion.h"
#include "operators/connect/schema_decoder.h"

namespace tidemill::sql {
namespace {

namespace ondemand = simdjson::ondemand;

class JsonDecoder final : public SchemaDecoder {
 public:
    JsonDecoder(const Schema& schema, std::optional<std::size_t> rowtime_column)
        : SchemaDecoder(schema, rowtime_column) {}

 private:
    bool fill(std::string_view row, RowBatch& rows, RejectedRow& bad) override {
        // simdjson reads past the end: the row is copied to where that is allowed.
        padded_.resize(std::max(padded_.size(), row.size() + simdjson::SIMDJSON_PADDING));
        std::memcpy(padded_.data(), row.data(), row.size());
        std::memset(padded_.data() + row.size(), ' ', simdjson::SIMDJSON_PADDING);
        ondemand::document document;
        ondemand::object object;
        if (auto error = parser_.iterate(padded_.data(), row.size(), padded_.size()).get(document))
            return no_json(error, bad);
        if (auto error = document.get_object().get(object)) return no_json(error, bad);
        std::size_t expected = 0;
        for (auto member : object) {
            std::string_view key;
            if (auto error = member.unescaped_key().get(key)) return no_json(error, bad);
            const auto column = find(key, expected);
            ondemand::value value;
            if (auto error = member.value().get(value)) return no_json(error, bad);
            if (!column || is_set_[*column] != 0) continue;
            expected = *column + 1;
            is_set_[*column] = 1;
            if (!append(value, *column, rows, bad)) return false;
        }
        const char* rest = nullptr;
        if (!document.current_location().get(rest)) return no_json(simdjson::TRAILING_CONTENT, bad);
        return true;
    }

    bool append(ondemand::value& value, std::size_t index, RowBatch& rows, RejectedRow& bad) {
        Column& column = rows.columns[index];
        ondemand::json_type type{};
        if (auto error = value.type().get(type)) return no_json(error, bad);
        std::string_view text;
        bool fits = false;
        switch (type) {
            case ondemand::json_type::null: {
                bool is_null = false;
                if (auto error = value.is_null().get(is_null)) return no_json(error, bad);
                column.append_null();
                return true;
            }
            case ondemand::json_type::boolean: {
                bool truth = false;
                if (auto error = value.get_bool().get(truth)) return no_json(error, bad);
                text = truth ? "true" : "false";
                fits = append_boolean_as(column, truth);
                break;
            }
            case ondemand::json_type::number: {
                // Checked as JSON first, so that 01 and 1.e5 are refused, then taken by its text.
                text = value.raw_json_token();
                while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ')
                    text.remove_suffix(1);
                // Mostly a whole number for a whole column: read once. What is none is not
                // consumed by the attempt.
                if (std::int64_t whole = 0; column.type().is_integer() &&
                                            value.get_int64().get(whole) == simdjson::SUCCESS) {
                    const auto range = integer_range(column.type().kind);
                    fits = whole >= range.low && whole <= range.high;
                    if (fits) column.append_int(whole);
                    break;
                }
                double number = 0;
                if (auto error = value.get_double().get(number)) return no_json(error, bad);
                fits = append_number_as(column, text);
                break;
            }
            case ondemand::json_type::string:
                if (auto error = value.get_string().get(text)) return no_json(error, bad);
                fits = append_text_as(column, text);
                break;
            case ondemand::json_type::array:
            case ondemand::json_type::object: {
                if (type == ondemand::json_type::array) {
                    ondemand::array array;
                    if (auto error = value.get_array().get(array)) return no_json(error, bad);
                    if (auto error = array.raw_json().get(text)) return no_json(error, bad);
                } else {
                    ondemand::object nested;
                    if (auto error = value.get_object().get(nested)) return no_json(error, bad);
                    if (auto error = nested.raw_json().get(text)) return no_json(error, bad);
                }
                fits = column.type().is_text() && append_text_as(column, text);
                break;
            }
        }
        if (!fits) {
            bad.name = "TYPE_MISMATCH";
            bad.message = misfit(text, schema_[index].name, column.type());
        }
        return fits;
    }

    // Members mostly come in the order of the columns.
    std::optional<std::size_t> find(std::string_view key, std::size_t expected) const {
        if (expected < schema_.size() && schema_[expected].name == key &&
            !schema_[expected].is_hidden)
            return expected;
        const auto column = schema_.find(key);
        return column && !schema_[*column].is_hidden ? column : std::nullopt;
    }

    static bool no_json(simdjson::error_code error, RejectedRow& bad) {
        bad.name = "PARSE_ERROR";
        bad.message = fmt::format("the row is no JSON object: {}", simdjson::error_message(error));
        return false;
    }

    ondemand::parser parser_;
    std::vector<char> padded_;
};

}  // namespace

std::unique_ptr<RowDecoder> make_json_decoder(const Schema& schema,
                                              std::optional<std::size_t> rowtime_column) {
    return std::make_unique<JsonDecoder>(schema, rowtime_column);
}

}  // namespace tidemill::sql
