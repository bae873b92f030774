// ApplicationFeed: what the journal says was done since the checkpoint, done again.
#include <algorithm>

#include <fmt/format.h>

#include "engine/query/application_feed.h"
#include "engine/reactor/turn.h"

namespace tidemill::query {
namespace {

constexpr std::size_t kEntriesPerTurn = 16;

}  // namespace

Task<Status> ApplicationFeed::replay(const std::vector<JournalEntry>& entries) {
    std::size_t done = 0;
    for (const auto& entry : entries) {
        if (is_stopped_) co_return fail(Errc::Cancelled, "the application stops");
        if (entry.input >= inputs_.size())
            co_return fail(Errc::Corrupt,
                           fmt::format("the journal speaks of input {}, there are {}", entry.input,
                                       inputs_.size()));
        Input& input = *inputs_[entry.input];
        if (entry.kind == JournalEntry::Kind::Bound) {
            set_clock(entry.now);
            input.bound = std::max(input.bound, entry.bound);
            application_->advance(input.stream, from_millis(input.bound));
        } else {
            CO_ASSIGN(Shard* const shard, shard_of(input, entry.shard));
            CO_TRY(co_await replay_slice(input, *shard, entry));
        }
        if (++done % kEntriesPerTurn == 0) co_await next_turn(reactor_);
        while (pending_ >= limits_.rows_in_flight_max && !is_stopped_)
            co_await room_.wait_until(mono_now() + limits_.retry_last);
    }
    co_return Status{};
}

/// One that came after the checkpoint is not known yet.
Result<ApplicationFeed::Shard*> ApplicationFeed::shard_of(Input& input, ShardUid uid) {
    for (auto& [index, shard] : input.shards)
        if (shard.info.uid == uid) return &shard;
    ASSIGN(const auto stream, service_.find_stream(input.definition.stream));
    for (const auto& info : stream->shards)
        if (info.uid == uid) return &(input.shards[info.index] = {info, 0, false, false, 0, {}});
    return fail(Errc::NotFound,
                fmt::format("the journal speaks of records of stream {} that are gone",
                            input.definition.stream));
}

Task<Status> ApplicationFeed::replay_slice(Input& input, Shard& shard, const JournalEntry& entry) {
    shard.next = std::max(shard.next, entry.from);
    while (shard.next < entry.to) {
        const Ordinal before = shard.next;
        ReadLimits read_limits;
        read_limits.bytes = limits_.read_bytes;
        CO_ASSIGN(const auto read, co_await service_.read(shard.info.uid, shard.next, read_limits));
        for (const auto& slice : read.batches) {
            const auto batch = RecordBatchView::parse_stamped(slice.bytes);
            if (batch) CO_TRY(co_await decode_again(input, shard, *batch, entry.to));
        }
        shard.next = std::max(shard.next, std::min(read.next, entry.to));
        if (shard.next == before)
            co_return fail(Errc::Corrupt,
                           fmt::format("the journal speaks of records of stream {} {} that are not "
                                       "there: {} to {}",
                                       input.definition.stream, shard_id_text(shard.info.index),
                                       entry.from, entry.to));
    }
    set_clock(entry.now);
    push_decoded(input);
    co_return Status{};
}

Task<Status> ApplicationFeed::decode_again(Input& input, Shard& shard, RecordBatchView batch,
                                           Ordinal end) {
    BatchOpener opener;
    RecordCursor cursor = opener.open(batch);
    std::vector<Unprocessed> group;
    RecordView record;
    while (shard.next < end && cursor.next(record)) {
        if (cursor.ordinal() < shard.next) continue;
        if (cursor.ordinal() >= end) break;
        if (input.preprocessing) {
            group.push_back(unprocessed(shard, cursor, record));
            if (cursor.ordinal() + 1 == end) break;
            continue;
        }
        decode(input, shard, record, cursor.ordinal(), cursor.arrival());
        shard.next = cursor.ordinal() + 1;
        shard.clear_until = std::max(shard.clear_until, to_millis(cursor.arrival()));
    }
    if (!group.empty() && !co_await decode_processed(input, shard, group))
        co_return fail(Errc::Cancelled, "the application stops");
    if (!cursor.status() && batch.end_ordinal() <= end)
        report_unreadable(input, shard, batch, cursor.status().error());
    co_return Status{};
}

}  // namespace tidemill::query
