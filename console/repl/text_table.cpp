#include "console/repl/text_table.h"

#include <algorithm>
#include <string_view>

namespace tidemill::console {
namespace {

bool is_number(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789.,+-eE%") == std::string_view::npos &&
           text.find_first_of("0123456789") != std::string_view::npos;
}

}  // namespace

std::size_t display_width(std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count_if(
        text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

TextTable::TextTable(std::vector<std::string> headings) : headings_(std::move(headings)) {}

void TextTable::add(std::vector<std::string> row) {
    row.resize(headings_.size());
    rows_.push_back(std::move(row));
}

std::string TextTable::to_string() const {
    std::vector<std::size_t> widths;
    std::vector<bool> right(headings_.size(), !rows_.empty());
    for (const auto& heading : headings_)
        widths.push_back(display_width(heading));
    for (const auto& row : rows_)
        for (std::size_t i = 0; i < row.size(); ++i) {
            widths[i] = std::max(widths[i], display_width(row[i]));
            if (!row[i].empty() && !is_number(row[i])) right[i] = false;
        }
    std::string text;
    const auto line = [&](const std::vector<std::string>& cells) {
        const std::size_t begin = text.size();
        for (std::size_t i = 0; i < cells.size(); ++i) {
            if (i != 0) text += "  ";
            const std::string padding(widths[i] - display_width(cells[i]), ' ');
            text += right[i] ? padding + cells[i] : cells[i] + padding;
        }
        while (text.size() > begin && text.back() == ' ')
            text.pop_back();
        text += '\n';
    };
    line(headings_);
    for (const auto& row : rows_)
        line(row);
    return text;
}

}  // namespace tidemill::console
