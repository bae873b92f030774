#include <fmt/format.h>

#include "engine/native/native_connection.h"
#include "engine/usage/limited_writer.h"

namespace tidemill {

// A batch goes from the socket's buffer into the open commit with one copy. Neither a task nor an
// allocation is made for it: the op comes from this connection's pool and answers through `done`.

Result<ShardWriter*> NativeConnection::writer_of(ShardUid shard) {
    if (const auto found = writers_.find(shard.value); found != writers_.end())
        return found->second;
    ASSIGN(ShardWriter* const writer, service().writer(shard));
    writers_.emplace(shard.value, writer);
    return writer;
}

void NativeConnection::produce(const wire::FrameView& frame) {
    const auto refuse = [&](const Error& error) {
        send_error(frame.header.kind, frame.header.request_id, error);
    };
    const auto request = wire::read_struct<wire::ProduceRequest>(frame.envelope);
    if (!request) return refuse(request.error());
    const ShardUid shard{request->shard()};
    const auto batch = RecordBatchView::parse(frame.attachment);
    if (!batch) return refuse(batch.error());
    if (const Status status = service().check_record_sizes(shard, *batch); !status)
        return refuse(status.error());
    const auto writer = writer_of(shard);
    if (!writer) return refuse(writer.error());

    if (free_op_ == nullptr) {
        free_op_ = &ops_.emplace_back();
        free_op_->connection = this;
        free_op_->done = &NativeConnection::on_appended;
    }
    ProduceOp& op = *free_op_;
    free_op_ = op.next_free;
    op.shard = shard;
    op.batch = *batch;
    op.result = {};
    op.request_id = frame.header.request_id;
    op.bytes = frame.attachment.size();
    op.counted_records = op.counted_bytes = 0;
    if (service().shard_counts(shard) != nullptr) {
        op.counted_records = batch->record_count();
        op.counted_bytes = records_bytes_of(*batch);
    }
    ++requests_in_flight_;
    bytes_in_flight_ += op.bytes;
    gate_.enter();
    (*writer)->submit(op);
}

void NativeConnection::on_appended(AppendOp& op) noexcept {
    auto& mine = static_cast<ProduceOp&>(op);
    mine.connection->answer_append(mine);
}

void NativeConnection::count(const ProduceOp& op) {
    ShardCounts* const counts = service().shard_counts(op.shard);
    if (counts == nullptr) return;
    if (op.result.outcome == Outcome::Committed && !op.result.is_duplicate)
        counts->count_written(op.counted_records, op.counted_bytes);
    else if (op.result.error.code == Errc::Throttled)
        counts->writes_refused += op.counted_records;
}

void NativeConnection::answer_append(ProduceOp& op) {
    const auto& result = op.result;
    const auto kind = static_cast<std::uint8_t>(wire::Kind::Produce);
    if (op.counted_records > 0) count(op);
    if (result.outcome == Outcome::Committed) {
        const wire::ProduceReply reply(result.first_ordinal, to_millis(result.arrival),
                                       result.is_duplicate ? 1u : 0u);
        send(kind, wire::kReply | wire::kEnd, op.request_id, wire::struct_bytes(reply));
    } else {
        Error error = result.error;
        if (result.outcome == Outcome::Unknown) error.code = Errc::Unknown;
        if (result.outcome == Outcome::Fenced) error.code = Errc::Fenced;
        // The shard's writer may be gone for good: ask for it again next time.
        writers_.erase(op.shard.value);
        send_error(kind, op.request_id, error);
    }
    --requests_in_flight_;
    bytes_in_flight_ -= op.bytes;
    op.next_free = free_op_;
    free_op_ = &op;
    wake_reader();
    gate_.leave();
}

}  // namespace tidemill
