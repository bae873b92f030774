#include "operators/exec/items.h"

#include <algorithm>

namespace tidemill::sql {

namespace {
constexpr std::size_t kCountsPerItem = 10, kFewestCounts = 100'000;
}

Items::Items(ExecContext& context, std::string pump, Schema input, ItemsNode node,
             const Schema& output)
    : Operator(context, std::move(pump), node.top > 0 ? "TopItems" : "DistinctItems",
               std::move(input)),
      node_(std::move(node)),
      counts_(std::max(kFewestCounts, kCountsPerItem * node_.top)),
      out_(output) {}

void Items::on_batch(const Batch& batch) {
    Evaluation evaluation(batch, context().clock());
    const auto& items = node_.item->evaluate(evaluation, batch.selection);
    settle(evaluation, batch.selection, settled_).for_each([&](std::size_t row) {
        const auto time = batch.rowtime->int_at(row);
        if (time >= end_) {
            close();
            const auto rest = time % node_.millis;
            end_ = time - rest + (rest < 0 ? 0 : node_.millis);
        }
        if (items.is_null(row)) return;
        if (node_.top > 0)
            counts_.add(items.text_at(row));
        else
            distinct_.add(items.text_at(row));
    });
}

void Items::on_bound(std::int64_t bound) {
    if (bound >= end_) close();
    pass_bound(bound);
}

void Items::close() {
    if (node_.top > 0) {
        for (const auto& [item, count] : counts_.top(node_.top)) {
            out_.columns[0].append_text(item);
            out_.columns[1].append_int(count);
            out_.rowtime.append_int(end_);
            if (!out_.is_full()) continue;
            emit(out_.view());
            out_.clear();
        }
    } else if (!distinct_.is_empty()) {
        out_.columns[0].append_int(static_cast<std::int64_t>(distinct_.count()));
        out_.rowtime.append_int(end_);
    }
    if (out_.size() > 0) emit(out_.view());
    out_.clear();
    counts_.clear();
    distinct_.clear();
}

void Items::save(StateWriter& to) const {
    to.put_int(end_);
    counts_.save(to);
    distinct_.save(to);
}

void Items::load(StateReader& from) {
    end_ = from.take_int();
    counts_.load(from);
    distinct_.load(from);
}

}  // namespace tidemill::sql
