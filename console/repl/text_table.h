#pragma once

#include <string>
#include <vector>

namespace tidemill::console {

/// Rows of text under headings, columns padded to their widest cell, numbers to the right. Widths
/// count code points.
class TextTable {
 public:
    explicit TextTable(std::vector<std::string> headings);
    void add(std::vector<std::string> row);
    bool is_empty() const { return rows_.empty(); }
    std::string to_string() const;

 private:
    std::vector<std::string> headings_;
    std::vector<std::vector<std::string>> rows_;
};

/// Code points of UTF-8 text: how many terminal cells it takes (wide characters aside).
std::size_t display_width(std::string_view text);

}  // namespace tidemill::console
