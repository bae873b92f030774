#include "operators/expr/evaluation.h"

namespace tidemill::sql {

void Evaluation::fail(std::size_t row, std::string_view name, std::string message) {
    if (failed_.empty()) failed_.resize((batch.rows + 63) / 64 + 1);
    if (has_failed(row)) return;
    failed_[row >> 6] |= std::uint64_t{1} << (row & 63);
    errors.push_back({row, name, std::move(message)});
}

Selection Evaluation::without_failed(const Selection& rows, std::vector<RowIndex>& scratch) const {
    if (errors.empty()) return rows;
    scratch.clear();
    rows.for_each([&](std::size_t row) {
        if (!has_failed(row)) scratch.push_back(static_cast<RowIndex>(row));
    });
    return Selection::of(scratch);
}

}  // namespace tidemill::sql
