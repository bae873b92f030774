#include "operators/exec/insert.h"

#include <fmt/format.h>

namespace tidemill::sql {

void Insert::on_batch(const Batch& batch) {
    Batch out = batch;
    for (std::size_t i = 0; i < input().size(); ++i) {
        const auto& column = *batch.columns[i];
        if (input()[i].is_nullable || !column.has_nulls()) continue;
        std::vector<RowIndex> kept;
        out.selection.for_each([&](std::size_t row) {
            if (column.is_null(row))
                reject(batch, row, "NULL_VALUE",
                       fmt::format("Column {} is NOT NULL.", input()[i].name));
            else
                kept.push_back(static_cast<RowIndex>(row));
        });
        whole_ = std::move(kept);
        out.selection = Selection::of(whole_);
    }
    emit(out);
    target_.push(writer_, out);
}

}  // namespace tidemill::sql
