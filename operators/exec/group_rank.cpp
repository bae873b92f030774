#include "operators/exec/group_rank.h"

#include <algorithm>
#include <numeric>

#include "operators/vector/column_order.h"

namespace tidemill::sql {

GroupRank::GroupRank(ExecContext& context, std::string pump, Schema input, GroupRankNode node,
                     const Schema& output)
    : Operator(context, std::move(pump), "GroupRank", std::move(input)),
      node_(node),
      rows_(this->input()),
      out_(output) {}

void GroupRank::on_batch(const Batch& batch) {
    batch.selection.for_each([&](std::size_t row) {
        if (rows_.size() > 0 && rows_.rowtime.int_at(0) != batch.rowtime->int_at(row)) close();
        rows_.append_row(batch, row);
    });
}

void GroupRank::close() {
    const auto& column = rows_.columns[node_.column];
    const auto count = rows_.size();
    const auto order_of = [&](std::uint32_t a, std::uint32_t b) {
        const int order = compare_rows(column, a, b);
        return node_.is_descending && !column.is_null(a) && !column.is_null(b) ? -order : order;
    };
    std::vector<std::uint32_t> order(count), ranks(count);
    std::iota(order.begin(), order.end(), 0U);
    std::ranges::sort(order, [&](std::uint32_t a, std::uint32_t b) {
        const int compared = order_of(a, b);
        return compared != 0 ? compared < 0 : a < b;
    });
    for (std::uint32_t i = 0; i < count; ++i)
        ranks[order[i]] =
            i > 0 && order_of(order[i - 1], order[i]) == 0 ? ranks[order[i - 1]] : i + 1;
    if (node_.output == GroupRankNode::Order::AsReceived)
        std::iota(order.begin(), order.end(), 0U);
    else if (node_.output == GroupRankNode::Order::Descending)
        std::ranges::reverse(order);
    if (node_.limit > 0 && count > node_.limit) order.resize(node_.limit);
    for (const auto row : order) {
        for (std::size_t c = 0; c < rows_.columns.size(); ++c)
            out_.columns[c].append_from(rows_.columns[c], row);
        out_.columns.back().append_int(ranks[row]);
        out_.rowtime.append_from(rows_.rowtime, row);
        if (!out_.is_full()) continue;
        emit(out_.view());
        out_.clear();
    }
    if (out_.size() > 0) emit(out_.view());
    out_.clear();
    rows_.clear();
}

void GroupRank::on_bound(std::int64_t bound) {
    if (rows_.size() > 0 && bound > rows_.rowtime.int_at(0)) close();
    pass_bound(bound);
}

void GroupRank::save(StateWriter& to) const { to.put_rows(rows_); }

void GroupRank::load(StateReader& from) { from.take_rows(rows_); }

}  // namespace tidemill::sql
