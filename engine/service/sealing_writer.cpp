#include "engine/service/sealing_writer.h"

#include <cstddef>

#include "engine/reactor/reactor.h"

namespace tidemill {
namespace {

std::uint16_t key_id_of(Bytes batch) {
    return load_le<std::uint16_t>(batch.data() + offsetof(RecordBatchHeader, key_id));
}

Result<std::size_t> plain_bytes(const ReadResult& read) {
    std::size_t total = 0;
    for (const auto& slice : read.batches) {
        if (key_id_of(slice.bytes) == 0) continue;
        ASSIGN(const std::size_t size, BatchUnsealer::plain_bytes(slice.bytes));
        total += size;
    }
    return total;
}

}  // namespace

void SealingWriter::submit(AppendOp& op) {
    if (cipher_.is_plain()) return log_->submit(op);
    const auto sealer = cipher_.sealer();
    if (!sealer) {
        op.result.outcome = Outcome::Rejected;
        op.result.error = sealer.error();
        refused_.push_back(&op);
        Reactor::current().request_turn_end(*this);
        return;
    }
    const RecordBatchView plain = op.batch;
    op.batch = (*sealer)->seal(plain, log_->shard(), ciphers_.space);
    const std::size_t bytes = plain.bytes().size();
    ++ciphers_.stats.sealed_batches;
    ciphers_.stats.sealed_bytes += bytes;
    cipher_.count_sealed(bytes);
    log_->submit(op);
    op.batch = plain;
}

void SealingWriter::at_turn_end() {
    for (AppendOp* op : std::exchange(refused_, {}))
        op->done(*op);
}

bool has_sealed_batches(const ReadResult& read) {
    for (const auto& slice : read.batches)
        if (key_id_of(slice.bytes) != 0) return true;
    return false;
}

Status unseal_batches(ReadResult& read, ShardUid shard, StreamCipher& cipher,
                      EncryptionStats& stats) {
    ASSIGN(const std::size_t total, plain_bytes(read));
    const Buffer buffer = Buffer::allocate(total);
    MutableBytes room = buffer.bytes();
    read.key_ids.assign(read.batches.size(), 0);
    for (std::size_t i = 0; i < read.batches.size(); ++i) {
        BufferSlice& slice = read.batches[i];
        const std::uint16_t key_id = key_id_of(slice.bytes);
        if (key_id == 0) continue;
        const MutableBytes to = room.first(slice.bytes.size() - kBatchSealBytes);
        auto unsealer = cipher.unsealer(key_id);
        const Status opened = unsealer ? (*unsealer)->unseal(slice.bytes, shard, to)
                                       : Status(std::unexpected(unsealer.error()));
        if (!opened) {
            ++stats.refused_batches;
            if (i == 0) return opened;
            read.batches.resize(i);
            read.key_ids.resize(i);
            read.next = RecordBatchView::trusted(read.batches.back().bytes).end_ordinal();
            return {};
        }
        read.key_ids[i] = key_id;
        ++stats.opened_batches;
        stats.opened_bytes += to.size();
        slice = {buffer, to};
        room = room.subspan(to.size());
    }
    return {};
}

}  // namespace tidemill
