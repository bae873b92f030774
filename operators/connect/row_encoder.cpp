#include "operators/connect/row_encoder.h"

#include <cmath>

#include <fmt/format.h>

#include "operators/vector/value.h"

namespace tidemill::sql {
namespace {

void append_cell(std::string& to, const Column& column, std::size_t row) {
    if (column.type().storage() == Storage::Text)
        to += column.text_at(row);
    else
        append_text(to, column.type(), column.slots()[row & column.row_mask()]);
}

/// In quotes.
void append_base64(std::string& to, std::string_view bytes) {
    constexpr std::string_view kDigits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    to += '"';
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        std::uint32_t bits = 0;
        for (std::size_t k = i; k < i + 3; ++k)
            bits = bits << 8 |
                   (k < bytes.size() ? static_cast<unsigned char>(bytes[k]) : std::uint32_t{0});
        for (std::size_t k = 0; k < 4; ++k)
            to += i + k <= bytes.size() ? kDigits[bits >> (18 - 6 * k) & 63] : '=';
    }
    to += '"';
}

void append_csv_text(std::string& to, std::string_view text, std::string_view delimiter) {
    if (!text.empty() && text.find_first_of("\"\r\n") == std::string_view::npos &&
        text.find(delimiter) == std::string_view::npos) {
        to += text;
        return;
    }
    to += '"';
    for (const char c : text) {
        if (c == '"') to += '"';
        to += c;
    }
    to += '"';
}

}  // namespace

void append_json_row(std::string& to, const Schema& schema, const Batch& batch, std::size_t row) {
    to += '{';
    for (std::size_t i = 0; i < batch.columns.size(); ++i) {
        const Column& column = *batch.columns[i];
        if (i != 0) to += ',';
        append_json_string(to, schema[i].name);
        to += ':';
        const bool is_number = column.type().is_numeric();
        if (column.is_null(row) ||
            (column.type().is_approximate() && !std::isfinite(column.double_at(row)))) {
            to += "null";
        } else if (column.type().family() == Family::Binary) {
            append_base64(to, column.text_at(row));
        } else if (column.type().storage() == Storage::Text) {
            append_json_string(to, column.text_at(row));
        } else if (is_number || column.type().kind == TypeKind::Boolean) {
            append_cell(to, column, row);
        } else {
            to += '"';
            append_cell(to, column, row);
            to += '"';
        }
    }
    to += '}';
}

void append_csv_row(std::string& to, const Schema& schema, const Batch& batch, std::size_t row,
                    std::string_view delimiter) {
    (void)schema;
    for (std::size_t i = 0; i < batch.columns.size(); ++i) {
        const Column& column = *batch.columns[i];
        if (i != 0) to += delimiter;
        if (column.is_null(row)) continue;
        if (column.type().storage() == Storage::Text)
            append_csv_text(to, column.text_at(row), delimiter);
        else
            append_cell(to, column, row);
    }
}

void append_csv_header(std::string& to, const Schema& schema, std::string_view delimiter) {
    for (std::size_t i = 0; i < schema.size(); ++i) {
        if (i != 0) to += delimiter;
        append_csv_text(to, schema[i].name, delimiter);
    }
}

std::string cell_text(const Column& column, std::size_t row) {
    if (column.is_null(row)) return "NULL";
    std::string text;
    append_cell(text, column, row);
    return text;
}

}  // namespace tidemill::sql
