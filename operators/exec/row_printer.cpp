#include "operators/exec/row_printer.h"

#include <algorithm>
#include <ostream>

#include "operators/connect/row_encoder.h"

namespace tidemill::sql {

RowPrinter::RowPrinter(PrintFormat format, const Schema& schema, bool with_rowtime,
                       std::string title)
    : format_(format), schema_(schema), with_rowtime_(with_rowtime), title_(std::move(title)) {
    if (with_rowtime_)
        schema_.fields.insert(schema_.fields.begin(), {std::string(kRowtime), TypeKind::Timestamp});
}

void RowPrinter::print(const Batch& batch, std::ostream& out) {
    Batch shown = batch;
    if (with_rowtime_) shown.columns.insert(shown.columns.begin(), batch.rowtime);
    std::string text;
    if (format_ == PrintFormat::Csv && !has_header_) {
        append_csv_header(text, schema_);
        text += '\n';
        has_header_ = true;
    }
    shown.selection.for_each([&](std::size_t row) {
        if (format_ == PrintFormat::Table) {
            std::vector<std::string> cells;
            for (std::size_t i = 0; i < schema_.size(); ++i)
                cells.push_back(cell_text(*shown.columns[i], row));
            if (has_header_) return print_table_row(cells, out);
            waiting_.push_back(std::move(cells));
            if (waiting_.size() == kRowsBeforeWidths) start_table(out);
            return;
        }
        if (format_ == PrintFormat::Csv)
            append_csv_row(text, schema_, shown, row);
        else
            append_json_row(text, schema_, shown, row);
        text += '\n';
    });
    out << text;
}

void RowPrinter::start_table(std::ostream& out) {
    std::vector<std::string> names;
    for (const auto& field : schema_.fields)
        names.push_back(field.name);
    for (std::size_t i = 0; i < names.size(); ++i) {
        std::size_t width = names[i].size();
        for (const auto& cells : waiting_)
            width = std::max(width, cells[i].size());
        widths_.push_back(std::min(width, kMaxWidth));
    }
    if (!title_.empty()) out << title_ << '\n';
    print_table_row(names, out);
    for (std::size_t i = 0; i < widths_.size(); ++i)
        out << (i > 0 ? "  " : "") << std::string(widths_[i], '-');
    out << '\n';
    for (const auto& cells : waiting_)
        print_table_row(cells, out);
    waiting_.clear();
    has_header_ = true;
}

void RowPrinter::print_table_row(const std::vector<std::string>& cells, std::ostream& out) const {
    std::string line;
    for (std::size_t i = 0; i < cells.size(); ++i) {
        if (i > 0) line += "  ";
        const auto padding = std::string(widths_[i] - std::min(widths_[i], cells[i].size()), ' ');
        // Numbers stand to the right.
        line += schema_[i].type.is_numeric() ? padding + cells[i] : cells[i] + padding;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out << line << '\n';
}

void RowPrinter::finish(std::ostream& out) {
    if (has_header_) return;
    if (format_ == PrintFormat::Table) start_table(out);
    if (format_ == PrintFormat::Csv) {
        std::string text;
        append_csv_header(text, schema_);
        out << text << '\n';
    }
}

}  // namespace tidemill::sql
