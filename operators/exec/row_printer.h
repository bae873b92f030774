#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "operators/exec/local_run.h"
#include "operators/vector/batch.h"

namespace tidemill::sql {

/// Prints the rows of one stream for a person (table) or a program (CSV, JSON lines). A table waits
/// for its first rows to know its widths, and then prints row by row.
class RowPrinter {
 public:
    /// `title` stands above a table; empty: none.
    RowPrinter(PrintFormat format, const Schema& schema, bool with_rowtime, std::string title);

    void print(const Batch& batch, std::ostream& out);
    /// Prints what still waits; a table or CSV without rows gets its header.
    void finish(std::ostream& out);

 private:
    static constexpr std::size_t kRowsBeforeWidths = 100;
    static constexpr std::size_t kMaxWidth = 60;

    void print_table_row(const std::vector<std::string>& cells, std::ostream& out) const;
    void start_table(std::ostream& out);

    PrintFormat format_;
    Schema schema_;
    bool with_rowtime_;
    std::string title_;
    bool has_header_ = false;
    std::vector<std::vector<std::string>> waiting_;
    std::vector<std::size_t> widths_;
};

}  // namespace tidemill::sql
