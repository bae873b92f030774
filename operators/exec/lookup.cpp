#include "operators/exec/lookup.h"

#include <algorithm>

namespace tidemill::sql {

namespace {

constexpr std::size_t kPairsAtOnce = 32 * kBatchRows;

std::vector<Type> types_of(const std::vector<ExpressionPtr>& expressions) {
    std::vector<Type> types;
    for (const auto& expression : expressions)
        types.push_back(expression->type());
    return types;
}

bool has_null(std::span<const Column* const> columns, std::size_t row) {
    return std::ranges::any_of(columns, [&](const Column* column) { return column->is_null(row); });
}

}  // namespace

Lookup::Lookup(ExecContext& context, std::string pump, Schema input, LookupNode node,
               const Schema& output, const ReferenceTable& table)
    : Operator(context, std::move(pump), "Lookup", std::move(input)),
      node_(std::move(node)),
      table_(table),
      version_(table.version - 1),
      groups_(types_of(node_.table_keys)),
      stream_at_(node_.is_table_first ? table.schema.size() : 0),
      table_at_(node_.is_table_first ? 0 : this->input().size()),
      out_(output) {
    for (const auto& field : table.schema.fields)
        table_columns_.emplace_back(field.type);
}

void Lookup::index() {
    version_ = table_.version;
    rows_ = table_.rows;
    groups_.clear();
    first_.clear();
    last_.clear();
    has_many_ = false;
    const auto size = rows_ ? rows_->size() : 0;
    next_.assign(size, kNoRow);
    if (size == 0) return;
    const auto all = rows_->view();
    RowBatch part = RowBatch(table_.schema);
    std::vector<std::uint32_t> groups;
    std::vector<RowIndex> keyed;
    for (std::size_t begin = 0; begin < size; begin += kBatchRows) {
        part.clear();
        for (auto row = begin; row < std::min(size, begin + kBatchRows); ++row)
            part.append_row(all, row);
        const auto batch = part.view();
        // A key that cannot be computed matches nothing.
        Evaluation evaluation(batch, context().clock());
        std::vector<const Column*> keys;
        for (const auto& key : node_.table_keys)
            keys.push_back(&key->evaluate(evaluation, batch.selection));
        keyed.clear();
        batch.selection.for_each([&](std::size_t row) {
            if (!has_null(keys, row) && !evaluation.has_failed(row))
                keyed.push_back(static_cast<RowIndex>(row));
        });
        groups_.find_or_add(keys, Selection::of(keyed), groups);
        first_.resize(groups_.size(), kNoRow);
        last_.resize(groups_.size(), kNoRow);
        for (const auto row : keyed) {
            const auto group = groups[row];
            const auto number = static_cast<std::uint32_t>(begin + row);
            if (first_[group] == kNoRow) {
                first_[group] = number;
            } else {
                next_[last_[group]] = number;
                has_many_ = true;
            }
            last_[group] = number;
        }
    }
}

void Lookup::on_batch(const Batch& batch) {
    if (version_ != table_.version) index();
    Evaluation evaluation(batch, context().clock());
    std::vector<const Column*> keys;
    for (const auto& key : node_.stream_keys)
        keys.push_back(&key->evaluate(evaluation, batch.selection));
    const auto rows = settle(evaluation, batch.selection, settled_);
    groups_.find(keys, rows, group_of_row_);
    if (std::ranges::any_of(keys, [](const Column* key) { return key->has_nulls(); }))
        rows.for_each([&](std::size_t row) {
            if (has_null(keys, row)) group_of_row_[row] = GroupTable::kNoGroup;
        });
    if (has_many_)
        push_many(batch, rows);
    else
        push_single(batch, rows);
}

// No row has two matches: the stream's columns stay as they are.
void Lookup::push_single(const Batch& batch, const Selection& rows) {
    kept_.clear();
    tested_.clear();
    rows.for_each([&](std::size_t row) {
        const bool is_match = group_of_row_[row] != GroupTable::kNoGroup;
        if (is_match) tested_.push_back(static_cast<RowIndex>(row));
        if (is_match || node_.keeps_stream) kept_.push_back(static_cast<RowIndex>(row));
    });
    Batch out;
    out.rowtime = batch.rowtime;
    out.rows = batch.rows;
    out.columns.resize(batch.columns.size() + table_columns_.size());
    std::ranges::copy(batch.columns, out.columns.begin() + static_cast<std::ptrdiff_t>(stream_at_));
    for (std::size_t c = 0; c < table_columns_.size(); ++c) {
        auto& column = table_columns_[c];
        column.reset(batch.rows);
        for (const auto row : kept_) {
            const auto group = group_of_row_[row];
            if (group == GroupTable::kNoGroup)
                column.set_null(row);
            else
                column.set_from(row, rows_->columns[c], first_[group]);
        }
        out.columns[table_at_ + c] = &column;
    }
    out.selection = Selection::of(kept_);
    if (node_.residual) {
        Evaluation evaluation(out, context().clock());
        const auto& truth = node_.residual->evaluate(evaluation, Selection::of(tested_));
        settle(evaluation, Selection::of(tested_), settled_);
        const auto is_lost = [&](RowIndex row) {
            if (group_of_row_[row] == GroupTable::kNoGroup) return false;
            if (evaluation.has_failed(row)) return true;
            if (!truth.is_null(row) && truth.bool_at(row)) return false;
            if (!node_.keeps_stream) return true;
            for (auto& column : table_columns_)
                column.set_null(row);
            return false;
        };
        std::erase_if(kept_, is_lost);
        out.selection = Selection::of(kept_);
    }
    emit(out);
}

void Lookup::push_many(const Batch& batch, const Selection& rows) {
    pairs_.clear();
    rows.for_each([&](std::size_t row) {
        const auto group = group_of_row_[row];
        const auto begin = pairs_.size();
        if (group != GroupTable::kNoGroup)
            for (auto match = first_[group]; match != kNoRow; match = next_[match])
                pairs_.push_back({static_cast<RowIndex>(row), match});
        if (pairs_.size() == begin && node_.keeps_stream)
            pairs_.push_back({static_cast<RowIndex>(row), kNoRow});
        if (pairs_.size() >= kPairsAtOnce) push_pairs(batch);
    });
    push_pairs(batch);
}

void Lookup::push_pairs(const Batch& batch) {
    if (node_.residual) test_pairs(batch);
    for (std::size_t i = 0; i < pairs_.size(); i += kBatchRows) {
        gather(batch, i, std::min(kBatchRows, pairs_.size() - i));
        emit(out_.view());
    }
    pairs_.clear();
}

// Drops the pairs that the residual does not hold for; a row that must stay and has none left goes
// on alone.
void Lookup::test_pairs(const Batch& batch) {
    is_true_.assign(pairs_.size(), 0);
    for (std::size_t begin = 0; begin < pairs_.size(); begin += kBatchRows) {
        const auto count = std::min(kBatchRows, pairs_.size() - begin);
        gather(batch, begin, count);
        tested_.clear();
        for (std::size_t i = 0; i < count; ++i)
            if (pairs_[begin + i].matched != kNoRow) tested_.push_back(static_cast<RowIndex>(i));
        const auto pairs = out_.view();
        Evaluation evaluation(pairs, context().clock());
        const auto& truth = node_.residual->evaluate(evaluation, Selection::of(tested_));
        for (const auto i : tested_)
            is_true_[begin + i] =
                !evaluation.has_failed(i) && !truth.is_null(i) && truth.bool_at(i) ? 1 : 0;
        for (auto& error : evaluation.errors)
            reject(batch, pairs_[begin + error.row].row, std::string(error.name), error.message);
    }
    std::vector<Pair> kept;
    for (std::size_t i = 0; i < pairs_.size();) {
        const auto row = pairs_[i].row;
        const auto before = kept.size();
        for (; i < pairs_.size() && pairs_[i].row == row; ++i)
            if (is_true_[i] != 0) kept.push_back(pairs_[i]);
        if (kept.size() == before && node_.keeps_stream) kept.push_back({row, kNoRow});
    }
    pairs_ = std::move(kept);
}

void Lookup::gather(const Batch& batch, std::size_t from, std::size_t count) {
    out_.clear();
    for (std::size_t c = 0; c < batch.columns.size(); ++c)
        for (auto i = from; i < from + count; ++i)
            out_.columns[stream_at_ + c].append_from(*batch.columns[c], pairs_[i].row);
    for (std::size_t c = 0; c < table_columns_.size(); ++c) {
        auto& column = out_.columns[table_at_ + c];
        for (auto i = from; i < from + count; ++i)
            if (pairs_[i].matched == kNoRow)
                column.append_null();
            else
                column.append_from(rows_->columns[c], pairs_[i].matched);
    }
    for (auto i = from; i < from + count; ++i)
        out_.rowtime.append_from(*batch.rowtime, pairs_[i].row);
}

}  // namespace tidemill::sql
