#include "operators/exec/window_rows.h"

#include "operators/exec/window_bounds.h"

namespace tidemill::sql {

WindowRows::WindowRows(ExecContext& context, std::string pump, Schema input, WindowFunction windows,
                       const Schema& output)
    : Operator(context, std::move(pump), "WindowRows", std::move(input)),
      windows_(std::move(windows)),
      out_(output) {}

void WindowRows::on_batch(const Batch& batch) {
    const auto first = batch.columns.size();
    batch.selection.for_each([&](std::size_t row) {
        const auto time = batch.rowtime->int_at(row);
        for_each_window(windows_, time, [&](WindowBounds bounds) {
            for (std::size_t c = 0; c < first; ++c)
                out_.columns[c].append_from(*batch.columns[c], row);
            out_.columns[first].append_int(bounds.start);
            out_.columns[first + 1].append_int(bounds.end);
            out_.columns[first + 2].append_int(bounds.end - 1);
            out_.rowtime.append_int(time);
            if (!out_.is_full()) return;
            emit(out_.view());
            out_.clear();
        });
    });
    if (out_.size() > 0) emit(out_.view());
    out_.clear();
}

}  // namespace tidemill::sql
