#include "operators/vector/batch.h"

namespace tidemill::sql {

Selection Selection::sub(std::size_t from, std::size_t n, std::vector<RowIndex>& scratch) const {
    if (rows != nullptr) return {rows + from, n};
    if (from == 0) return {nullptr, n};
    scratch.resize(n);
    for (std::size_t i = 0; i < n; ++i)
        scratch[i] = static_cast<RowIndex>(from + i);
    return of(scratch);
}

RowBatch::RowBatch(const Schema& schema) : rowtime(TypeKind::Timestamp) {
    columns.reserve(schema.size());
    for (const auto& field : schema.fields)
        columns.emplace_back(field.type);
}

void RowBatch::clear() {
    for (auto& column : columns)
        column.clear();
    rowtime.clear();
}

void RowBatch::append_row(const Batch& batch, std::size_t row) {
    for (std::size_t i = 0; i < columns.size(); ++i)
        columns[i].append_from(*batch.columns[i], row);
    rowtime.append_int(batch.rowtime->int_at(row));
}

void RowBatch::truncate(std::size_t rows) {
    for (auto& column : columns)
        column.truncate(rows);
    rowtime.truncate(rows);
}

Batch RowBatch::view() const {
    Batch batch;
    batch.columns.reserve(columns.size());
    for (const auto& column : columns)
        batch.columns.push_back(&column);
    batch.rowtime = &rowtime;
    batch.selection = Selection::all(size());
    batch.rows = size();
    return batch;
}

}  // namespace tidemill::sql
