#include "engine/usage/limited_writer.h"

#include <utility>

#include <fmt/format.h>

#include "engine/reactor/reactor.h"

namespace tidemill {

std::uint64_t records_bytes_of(const RecordBatchView& batch) {
    if (batch.header().codec != static_cast<std::uint8_t>(Codec::None))
        if (const auto opened = compressed_records(batch)) return opened->records_bytes;
    return batch.bytes().size() - sizeof(RecordBatchHeader);
}

void LimitedWriter::refuse(AppendOp& op) {
    op.result.outcome = Outcome::Rejected;
    op.result.error = {Errc::Throttled, fmt::format("Rate exceeded for shard {}.", op.shard)};
}

void LimitedWriter::submit(AppendOp& op) {
    const WriteCost cost{op.batch.record_count(), records_bytes_of(op.batch)};
    if (limits_.is_here(shard())) {
        if (limits_.take_write(shard(), cost)) return next_.submit(op);
        refuse(op);
        refused_.push_back(&op);
        return Reactor::current().request_turn_end(*this);
    }
    const Bytes bytes = op.batch.bytes();
    waiting_.push_back({&op, {bytes.begin(), bytes.end()}, cost});
    if (std::exchange(is_draining_, true)) return;
    Reactor::current().spawn(gate_, drain());
}

void LimitedWriter::at_turn_end() {
    for (AppendOp* op : std::exchange(refused_, {}))
        op->done(*op);
}

Task<void> LimitedWriter::drain() {
    while (!waiting_.empty()) {
        std::vector<WriteCost> costs;
        for (const auto& one : waiting_)
            costs.push_back(one.cost);
        for (const bool may : co_await limits_.admit_batches(shard(), std::move(costs))) {
            const Waiting one = std::move(waiting_.front());
            waiting_.pop_front();
            AppendOp& op = *one.op;
            if (may) {
                op.batch = RecordBatchView::trusted(one.batch);
                next_.submit(op);
                op.batch = {};
            } else {
                refuse(op);
                op.done(op);
            }
        }
    }
    is_draining_ = false;
}

}  // namespace tidemill
