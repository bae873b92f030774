#include "console/repl/row_printer.h"

#include <algorithm>
#include <numeric>
#include <ostream>

#include <fmt/format.h>

#include "console/repl/rate_line.h"
#include "console/repl/text_table.h"
#include "operators/connect/row_encoder.h"

namespace tidemill::console {

namespace {

/// Rows come one by one: the first say little of the width that later ones need.
std::size_t usual_width(const sql::Type& type) {
    if (type.is_approximate()) return 18;
    if (type.is_numeric()) return 8;
    return type.kind == sql::TypeKind::Timestamp ? 23 : 0;
}

}  // namespace

std::optional<sql::PrintFormat> parse_print_format(std::string_view name) {
    if (name == "table") return sql::PrintFormat::Table;
    if (name == "csv") return sql::PrintFormat::Csv;
    if (name == "jsonl" || name == "json") return sql::PrintFormat::JsonLines;
    return std::nullopt;
}

void RowPrinter::print(std::string_view stream, const sql::Schema& schema,
                       const sql::Batch& given) {
    std::vector<sql::RowIndex> scratch;
    sql::Batch batch = given;
    if (limit_ && batch.size() > *limit_ - rows_)
        batch.selection = batch.selection.sub(0, *limit_ - rows_, scratch);
    if (batch.size() == 0) return;
    const bool is_new = rows_ == 0 || stream != stream_;
    const bool is_change = rows_ != 0 && is_new;
    stream_ = stream;
    rows_ += batch.size();
    if (style_.format == sql::PrintFormat::Table) {
        if (is_change) out_ << "\n-- " << stream << "\n";
        print_table(schema, batch, is_new);
        return;
    }
    std::string text;
    if (is_new && style_.format == sql::PrintFormat::Csv) {
        sql::append_csv_header(text, schema);
        text += '\n';
    }
    batch.selection.for_each([&](std::size_t row) {
        if (style_.format == sql::PrintFormat::Csv)
            sql::append_csv_row(text, schema, batch, row);
        else
            sql::append_json_row(text, schema, batch, row);
        text += '\n';
    });
    out_ << text;
}

void RowPrinter::print_table(const sql::Schema& schema, const sql::Batch& batch, bool is_new) {
    std::vector<Cells> lines;
    batch.selection.for_each([&](std::size_t row) {
        Cells& cells = lines.emplace_back();
        for (const auto* column : batch.columns)
            cells.push_back(sql::cell_text(*column, row));
    });
    if (is_new) {
        Cells names;
        widths_.clear();
        is_right_.clear();
        for (std::size_t i = 0; i < schema.size(); ++i) {
            names.push_back(schema[i].name);
            is_right_.push_back(schema[i].type.is_numeric());
            std::size_t width = std::max(display_width(names.back()), usual_width(schema[i].type));
            for (const auto& line : lines)
                width = std::max(width, display_width(line[i]));
            widths_.push_back(width);
        }
        const std::size_t all =
            std::accumulate(widths_.begin(), widths_.end(), 2 * (widths_.size() - 1));
        is_expanded_ =
            style_.expanded == Expanded::On ||
            (style_.expanded == Expanded::Auto && style_.columns != 0 && all > style_.columns);
        if (is_expanded_) return print_expanded(schema, lines);
        print_line(names);
        for (std::size_t i = 0; i < widths_.size(); ++i)
            out_ << (i == 0 ? "" : "  ") << std::string(widths_[i], '-');
        out_ << '\n';
    }
    if (is_expanded_) return print_expanded(schema, lines);
    for (const auto& line : lines)
        print_line(line);
}

void RowPrinter::print_expanded(const sql::Schema& schema, const std::vector<Cells>& lines) {
    std::size_t width = 0;
    for (const auto& field : schema.fields)
        width = std::max(width, display_width(field.name));
    for (std::size_t i = 0; i < lines.size(); ++i) {
        out_ << fmt::format("-- row {}\n", rows_ - lines.size() + i + 1);
        for (std::size_t column = 0; column < schema.size(); ++column)
            out_ << schema[column].name
                 << std::string(width + 2 - display_width(schema[column].name), ' ')
                 << lines[i][column] << '\n';
    }
}

void RowPrinter::finish() {
    if (style_.is_live && style_.format == sql::PrintFormat::Table)
        out_ << fmt::format("({} {})\n", with_commas(rows_), rows_ == 1 ? "row" : "rows");
}

void RowPrinter::print_line(const Cells& cells) {
    std::string text;
    for (std::size_t i = 0; i < cells.size(); ++i) {
        const std::size_t width = display_width(cells[i]);
        const std::string fill(widths_[i] > width ? widths_[i] - width : 0, ' ');
        if (i != 0) text += "  ";
        text += is_right_[i] ? fill + cells[i] : cells[i];
        if (!is_right_[i] && i + 1 != cells.size()) text += fill;
    }
    out_ << text << '\n';
}

}  // namespace tidemill::console
