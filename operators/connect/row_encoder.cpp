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

void append_csv_text(std::string& to, std::string_view text) {
    if (text.find_first_of(",\"\r\n") == std::string_view::npos && !text.empty()) {
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

// Length of the well-formed UTF-8 sequence that `text` begins with, 0 when there is none.
// Source: RFC 3629, section 4.
std::size_t utf8_length(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned lead = byte(0);
    const std::size_t length = lead < 0x80   ? 1
                               : lead < 0xc2 ? 0
                               : lead < 0xe0 ? 2
                               : lead < 0xf0 ? 3
                               : lead < 0xf5 ? 4
                                             : 0;
    if (length == 0 || length > text.size()) return 0;
    for (std::size_t i = 1; i < length; ++i)
        if ((byte(i) & 0xc0) != 0x80) return 0;
    if ((lead == 0xe0 && byte(1) < 0xa0) || (lead == 0xed && byte(1) > 0x9f) ||
        (lead == 0xf0 && byte(1) < 0x90) || (lead == 0xf4 && byte(1) > 0x8f))
        return 0;
    return length;
}

}  // namespace

void append_json_string(std::string& to, std::string_view text) {
    to += '"';
    while (!text.empty()) {
        // Plain characters in one piece.
        std::size_t plain = 0;
        while (plain < text.size() && text[plain] >= 0x20 && text[plain] != '"' &&
               text[plain] != '\\')
            ++plain;
        to += text.substr(0, plain);
        text.remove_prefix(plain);
        if (text.empty()) break;
        std::size_t length = 1;
        switch (const char c = text[0]) {
            case '"':
                to += "\\\"";
                break;
            case '\\':
                to += "\\\\";
                break;
            case '\n':
                to += "\\n";
                break;
            case '\r':
                to += "\\r";
                break;
            case '\t':
                to += "\\t";
                break;
            default:
                if (static_cast<unsigned char>(c) < 0x20) {
                    to += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
                } else if (length = utf8_length(text); length == 0) {
                    to += "\xef\xbf\xbd";
                    length = 1;
                } else {
                    to += text.substr(0, length);
                }
        }
        text.remove_prefix(length);
    }
    to += '"';
}

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

void append_csv_row(std::string& to, const Schema& schema, const Batch& batch, std::size_t row) {
    (void)schema;
    for (std::size_t i = 0; i < batch.columns.size(); ++i) {
        const Column& column = *batch.columns[i];
        if (i != 0) to += ',';
        if (column.is_null(row)) continue;
        if (column.type().storage() == Storage::Text)
            append_csv_text(to, column.text_at(row));
        else
            append_cell(to, column, row);
    }
}

void append_csv_header(std::string& to, const Schema& schema) {
    for (std::size_t i = 0; i < schema.size(); ++i) {
        if (i != 0) to += ',';
        append_csv_text(to, schema[i].name);
    }
}

std::string cell_text(const Column& column, std::size_t row) {
    if (column.is_null(row)) return "NULL";
    std::string text;
    append_cell(text, column, row);
    return text;
}

}  // namespace tidemill::sql
