#include "operators/exec/parse_row.h"

namespace tidemill::sql {

ParseRow::ParseRow(ExecContext& context, std::string pump, Schema input, ParseRowNode node)
    : Operator(context, std::move(pump), "ParseRow", std::move(input)), node_(std::move(node)) {
    for (std::size_t i = 0; i < node_.parser->size(); ++i)
        columns_.emplace_back(Type::varchar(kMaxLogColumnLength));
}

void ParseRow::on_batch(const Batch& batch) {
    Evaluation evaluation(batch, context().clock());
    const auto& line = node_.line->evaluate(evaluation, batch.selection);
    const auto rows = settle(evaluation, batch.selection, settled_);
    for (auto& column : columns_)
        column.reset(batch.rows);
    complete_.clear();
    rows.for_each([&](std::size_t row) {
        const bool fits = !line.is_null(row) && node_.parser->parse(line.text_at(row), pieces_);
        for (std::size_t i = 0; i < columns_.size(); ++i) {
            if (fits && pieces_[i])
                columns_[i].set_text(row, pieces_[i]->substr(0, kMaxLogColumnLength));
            else
                columns_[i].set_null(row);
            const bool is_missing = !fits || !pieces_[i] || pieces_[i]->empty();
            if (fits && node_.is_not_null[i] && is_missing)
                return reject(batch, row, "NULL_VALUE",
                              "A column of the line that is NOT NULL has no value.");
        }
        complete_.push_back(static_cast<RowIndex>(row));
    });
    Batch out = batch;
    out.selection = Selection::of(complete_);
    for (const auto& column : columns_)
        out.columns.push_back(&column);
    emit(out);
}

}  // namespace tidemill::sql
