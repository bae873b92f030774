#include <algorithm>
#include <cstdio>

#include "tests/sim/log_world.h"

namespace tidemill::sim {

void LogWorld::take(LogProcess& process, ShardModel& shard, Ordinal& at, const ReadResult& result) {
    const WorldTime now = time(process);
    bool is_first = true;
    if (result.batches.empty() && result.next > at) {
        shard.pass_over(journal_, now, at, result.next);
        at = result.next;
    }
    for (const auto& slice : result.batches) {
        const auto batch = RecordBatchView::parse_stamped(slice.bytes);
        journal_.expect(batch && batch->payload_is_intact(),
                        "shard {}: a damaged batch was served at {}", shard.uid, at);
        journal_.expect(is_first || batch->first_ordinal() == at,
                        "shard {}: a read goes on at {} behind {}", shard.uid,
                        batch->first_ordinal(), at);
        const auto pieces = ledger_.identify(*batch);
        journal_.expect(!pieces.empty(), "shard {}: at {} is a batch that nobody has sent",
                        shard.uid, at);
        for (const auto& piece : pieces) {
            if (piece.end() <= at) continue;  // a packed batch is served whole
            shard.read(journal_, now, at, piece);
            at = piece.end();
        }
        counts.packed_batches += batch->is_packed();
        at = batch->end_ordinal();
        is_first = false;
        ++counts.followed;
    }
    journal_.expect(result.next == at, "shard {}: a read to {} says to go on at {}", shard.uid, at,
                    result.next);
}

// Damage is told only of the records that it took: the error names the first of them, and what
// comes before it must have been let go.
Ordinal LogWorld::after_damage(LogProcess& process, ShardModel& shard, Ordinal at,
                               const Error& error) {
    unsigned uid = 0;
    unsigned long first = 0;
    const auto lost = fence_.find(shard.uid.value);
    const bool is_excused =
        lost != fence_.end() &&
        std::sscanf(error.message.c_str(), "shard %u from record %lu on,", &uid, &first) == 2 &&
        uid == shard.uid.value && first >= std::max(at, lost->second.first) &&
        first < lost->second.second;
    journal_.expect(is_excused, "shard {} read from {}: {}", shard.uid, at, error.to_string());
    shard.excuse(lost->second.first, lost->second.second);
    shard.pass_over(journal_, time(process), at, first);
    return lost->second.second;
}

void LogWorld::check_all(LogProcess& process) {
    if (killed_ == storage_->crashes()) is_doubtful_ = false;  // and no power was lost since
    for (auto& shard : shards_) {
        if (is_doubtful_) shard.doubt();
        check_shard(process, shard);
    }
    is_doubtful_ = false;
    if (!process.is_lost()) secure();  // a start makes durable what it finds
}

void LogWorld::check_shard(LogProcess& process, ShardModel& shard) {
    std::int64_t arrival_ms = 0;
    for (Ordinal at = 0;;) {
        const auto result = process.run(process.store->read(
            shard.uid, at, {.bytes = 1 + static_cast<std::size_t>(random_.below(200'000))}));
        if (shard.is_deleted) {
            journal_.expect(!result && result.error().code == Errc::NotFound,
                            "the deleted shard {} is still there", shard.uid);
            return;
        }
        if (!result && result.error().code == Errc::Corrupt) {
            at = after_damage(process, shard, at, result.error());
            ++counts.reads_refused;
            continue;
        }
        journal_.expect(result.has_value(), "shard {} cannot be read from {}: {}", shard.uid, at,
                        result ? "" : result.error().to_string());
        for (const auto& slice : result->batches) {
            const auto header = load_le<RecordBatchHeader>(slice.bytes.data());
            journal_.expect(header.arrival_ms >= arrival_ms,
                            "shard {}: arrival goes back by {} ms at {}", shard.uid,
                            arrival_ms - header.arrival_ms, header.first_ordinal);
            arrival_ms = header.arrival_ms;
            journal_.expect(header.first_ordinal + header.record_count > shard.trimmed,
                            "shard {}: {} is served and was trimmed up to {}", shard.uid,
                            header.first_ordinal, shard.trimmed);
        }
        journal_.note("    check: shard {} from {} to {}, trim {}", shard.uid, at, result->next,
                      result->tail.trim);
        const bool is_end = result->batches.empty();
        const Ordinal before = at;
        take(process, shard, at, *result);
        if (!is_end || at > before) continue;
        const auto& tail = result->tail;
        if (is_doubtful_) counts.rolled_back += shard.settle_for(journal_, tail);
        journal_.expect(at == tail.end, "shard {} is read to {} and says it ends at {}", shard.uid,
                        at, tail.end);
        journal_.expect(tail.end >= shard.end_least,
                        "shard {} ends at {} and {} was acknowledged\n{}", shard.uid, tail.end,
                        shard.end_least, process.reports);
        journal_.expect(tail.trim >= shard.trimmed, "shard {} has lost its trim", shard.uid);
        journal_.expect(tail.is_sealed || !shard.is_sealed, "shard {} has lost its seal",
                        shard.uid);
        journal_.expect(!tail.is_sealed || shard.is_seal_asked, "shard {} is sealed by nobody",
                        shard.uid);
        journal_.expect(!shard.sealed_end || shard.sealed_end == tail.end,
                        "shard {} was sealed at {} and ends at {}", shard.uid,
                        shard.sealed_end.value_or(0), tail.end);
        if (tail.is_sealed) {
            shard.is_sealed = true;
            shard.sealed_end = tail.end;
        }
        shard.forget_unknown();
        return;
    }
}

LogReport LogWorld::look_offline(const VisitBatch& visit) {
    heal();
    TestReactor reactor(storage_);
    auto report = reactor.run(verify_log(reactor.disk(), config_.directory, visit));
    journal_.expect(report.has_value(), "verify does not run: {}",
                    report ? "" : report.error().to_string());
    return std::move(*report);
}

void LogWorld::check_offline() {
    const auto report = look_offline();
    journal_.expect(report.is_sound(), "verify finds:\n{}", to_text(report));
}

}  // namespace tidemill::sim
