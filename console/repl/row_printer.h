#pragma once

#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "console/repl/print_style.h"
#include "operators/vector/batch.h"
#include "operators/vector/schema.h"

namespace tidemill::console {

/// "table", "csv", "json" or "jsonl"
std::optional<sql::PrintFormat> parse_print_format(std::string_view name);

/// Prints rows of one or several streams as they come. A heading stands before the first row and
/// wherever the stream changes; columns of a table are as wide as their first rows need, or numbers
/// and times usually do. Unlike exec's RowPrinter it never holds rows back.
class RowPrinter {
 public:
    RowPrinter(std::ostream& out, const PrintStyle& style,
               std::optional<std::uint64_t> limit = std::nullopt)
        : out_(out), style_(style), limit_(limit) {}

    /// Rows beyond the limit are passed over.
    void print(std::string_view stream, const sql::Schema& schema, const sql::Batch& batch);
    bool is_full() const { return limit_ && rows_ >= *limit_; }
    /// For a person: how many rows there were.
    void finish();
    std::uint64_t rows() const { return rows_; }

 private:
    using Cells = std::vector<std::string>;
    void print_table(const sql::Schema& schema, const sql::Batch& batch, bool is_new);
    void print_expanded(const sql::Schema& schema, const std::vector<Cells>& lines);
    void print_line(const Cells& cells);

    std::ostream& out_;
    PrintStyle style_;
    std::optional<std::uint64_t> limit_;
    std::string stream_;
    std::vector<std::size_t> widths_;
    std::vector<bool> is_right_;
    bool is_expanded_ = false;
    std::uint64_t rows_ = 0;
};

}  // namespace tidemill::console
