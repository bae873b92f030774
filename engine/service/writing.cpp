// LocalStreamService: records routed to shards and appended.
#include <algorithm>

#include <fmt/format.h>

#include "engine/base/check.h"
#include "engine/base/hash_key.h"
#include "engine/service/append_group.h"
#include "engine/service/local_stream_service.h"
#include "engine/service/reshard_timing.h"
#include "engine/service/sealing_writer.h"
#include "proto/wire_limits.h"

namespace tidemill {
namespace {

constexpr std::uint32_t kNone = UINT32_MAX;

/// A record's way through one call: records of one shard are chained in their order.
struct Routed {
    std::uint32_t next = kNone;    // next record of the same shard
    std::uint32_t place = 0;       // within its batch
    const AppendOp* op = nullptr;  // its batch; null when refused
};

/// The records of one shard within one call.
struct Chain {
    std::uint32_t open_position = 0;
    std::uint32_t first = kNone, last = kNone;
};

Status check_size(const StreamInfo& stream, std::size_t bytes) {
    if (bytes <= stream.max_record_bytes) return {};
    return fail(Errc::TooLarge,
                fmt::format("a record of stream {} has at most {} bytes of data, not {}",
                            stream.name, stream.max_record_bytes, bytes));
}

Status check_record(const StreamInfo& stream, const PutRecord& record) {
    if (record.partition_key.size() > wire_limits::kPartitionKeyBytesMax)
        return fail(Errc::InvalidArgument, "a partition key has at most 256 characters");
    return check_size(stream, record.data.size());
}

uint128 hash_key_of(const PutRecord& record) {
    return record.explicit_hash_key ? *record.explicit_hash_key
                                    : hash_partition_key(record.partition_key);
}

bool is_refused_by_closed_shard(const PutOutcome& outcome) {
    return outcome.append.outcome == Outcome::Rejected &&
           outcome.append.error.code == Errc::ShardClosed;
}

AppendResult rejected(Error error) {
    AppendResult result;
    result.outcome = Outcome::Rejected;
    result.error = std::move(error);
    return result;
}

}  // namespace

Result<ShardWriter*> LocalStreamService::writer(ShardUid shard) {
    if (limits_ == nullptr) return unlimited_writer(shard);
    Core& core = this_core();
    if (const auto found = core.limited.find(shard); found != core.limited.end())
        return found->second.get();
    ASSIGN(ShardWriter* const next, unlimited_writer(shard));
    auto limited = std::make_unique<LimitedWriter>(*next, *limits_, core.limited_gate);
    return core.limited.emplace(shard, std::move(limited)).first->second.get();
}

Result<MeteredWriter*> LocalStreamService::unlimited_writer(ShardUid shard) {
    auto& writers = this_core().writers;
    if (const auto found = writers.find(shard); found != writers.end()) return found->second.get();
    ASSIGN(auto opened, log_.open_writer(shard, Ownership{}));
    if (auto* ciphers = this_core().ciphers.get()) {
        const auto cipher = ciphers->of_shard(shard, *catalog_.view());
        // The log knows the shard: the catalog's news is still on its way to this core.
        if (!cipher) return fail(Errc::Unavailable, fmt::format("shard {} is being made", shard));
        opened = std::make_unique<SealingWriter>(std::move(opened), **cipher, *ciphers);
    }
    auto metered = std::make_unique<MeteredWriter>(std::move(opened), this_core().meters);
    return writers.emplace(shard, std::move(metered)).first->second.get();
}

/// The stream that a shard is of. Remembered: the catalog finds streams by name.
Result<StreamPtr> LocalStreamService::stream_of(ShardUid shard) {
    auto& names = this_core().stream_names;
    const auto has_shard = [shard](const StreamInfo& stream) {
        return std::ranges::find(stream.shards, shard, &ShardInfo::uid) != stream.shards.end();
    };
    if (const auto known = names.find(shard); known != names.end())
        if (auto found = find_stream(known->second); found && has_shard(**found)) return *found;
    for (const auto& [name, stream] : catalog_.view()->streams) {
        if (!has_shard(*stream)) continue;
        names[shard] = name;
        return stream;
    }
    names.erase(shard);
    return fail(Errc::NotFound, fmt::format("shard {} belongs to no stream", shard));
}

Status LocalStreamService::check_record_sizes(ShardUid shard, const RecordBatchView& batch) {
    std::size_t bytes = batch.bytes().size();
    if (batch.header().codec != static_cast<std::uint8_t>(Codec::None)) {
        ASSIGN(const CompressedRecords records, compressed_records(batch));
        bytes = records.records_bytes;
    }
    if (bytes <= wire_limits::kRecordBytesDefault) return {};  // so is each of its records
    ASSIGN(const StreamPtr stream, stream_of(shard));
    if (bytes <= stream->max_record_bytes) return {};
    RecordCursor cursor = this_core().opener.open(batch);
    for (RecordView record; cursor.next(record);)
        TRY(check_size(*stream, record.data.size()));
    return cursor.status();
}

Task<std::vector<PutOutcome>> LocalStreamService::put_records(const StreamInfo& stream,
                                                              std::vector<PutRecord> records) {
    std::vector<Admission> admissions;
    if (limits_ != nullptr) admissions = co_await admit_records(stream, records);
    auto outcomes = co_await put_routed(stream, records, admissions);
    if (std::ranges::any_of(outcomes, is_refused_by_closed_shard))
        co_await follow_reshard(stream, records, outcomes);
    if (stream.shard_metrics != 0) count_put(records, outcomes);
    co_return outcomes;
}

void LocalStreamService::count_put(const std::vector<PutRecord>& records,
                                   const std::vector<PutOutcome>& outcomes) {
    for (std::size_t i = 0; i < records.size(); ++i) {
        if (outcomes[i].shard == nullptr) continue;
        ShardCounts* const counts = shard_counts(outcomes[i].shard->uid);
        if (counts == nullptr) continue;
        const AppendResult& append = outcomes[i].append;
        if (append.outcome == Outcome::Committed)
            counts->count_written(1, records[i].partition_key.size() + records[i].data.size());
        else if (append.error.code == Errc::Throttled)
            ++counts->writes_refused;
    }
}

/// Where each record goes, and whether it fits into that shard's rate. One that will be refused
/// anyway costs nothing.
Task<std::vector<LocalStreamService::Admission>> LocalStreamService::admit_records(
    const StreamInfo& stream, const std::vector<PutRecord>& records) {
    std::unordered_map<std::uint32_t, std::uint32_t> place_of;  // of a shard in `writes`
    std::vector<ShardWrites> writes;
    std::vector<std::vector<std::uint32_t>> records_of;  // as `writes`
    std::vector<Admission> admissions(records.size());
    for (std::uint32_t i = 0; i < records.size(); ++i) {
        if (!check_record(stream, records[i])) continue;
        const std::uint32_t position = open_position_of(stream, records[i]);
        admissions[i].open_position = position;
        const auto [at, is_new] =
            place_of.try_emplace(position, static_cast<std::uint32_t>(writes.size()));
        if (is_new) {
            writes.push_back({stream.shards[stream.open[position]].uid, {}, {}});
            records_of.emplace_back();
        }
        writes[at->second].record_bytes.push_back(
            static_cast<std::uint32_t>(records[i].partition_key.size() + records[i].data.size()));
        records_of[at->second].push_back(i);
    }
    writes = co_await limits_->admit_writes(std::move(writes));
    for (std::size_t w = 0; w < writes.size(); ++w)
        for (std::size_t i = 0; i < records_of[w].size(); ++i)
            admissions[records_of[w][i]].is_admitted = writes[w].is_admitted[i];
    co_return admissions;
}

/// By its key; evenly when the stream says so.
std::uint32_t LocalStreamService::open_position_of(const StreamInfo& stream,
                                                   const PutRecord& record) {
    if (stream.distribution == RecordDistribution::ByKey)
        return stream.open_position_for(hash_key_of(record));
    return this_core().next_even++ % static_cast<std::uint32_t>(stream.open.size());
}

/// Records that met a closed shard have certainly not been stored: they go to its children as soon
/// as these are known, all of one shard together, so that they keep their order.
Task<void> LocalStreamService::follow_reshard(const StreamInfo& before,
                                              const std::vector<PutRecord>& records,
                                              std::vector<PutOutcome>& outcomes) {
    Reactor& reactor = Reactor::current();
    const MonoTime until = reactor.clock().mono_now() + reshard_timing::kLookFor;
    std::vector<std::uint32_t> left;
    for (std::uint32_t i = 0; i < outcomes.size(); ++i)
        if (is_refused_by_closed_shard(outcomes[i])) left.push_back(i);
    while (!left.empty() && reactor.clock().mono_now() < until) {
        const auto found = find_stream(before.name);
        if (!found || (*found)->uid != before.uid) co_return;  // deleted: the refusal stands
        const StreamPtr layout = *found;
        const ShardInfo* met = layout->shard_by_index(outcomes[left.front()].shard->index);
        const bool is_still_closing = met != nullptr && met->is_open();
        if (is_still_closing) {
            co_await reactor.sleep_until(reactor.clock().mono_now() + reshard_timing::kLookEvery);
            continue;
        }
        std::vector<PutRecord> again;
        for (const std::uint32_t i : left)
            again.push_back(records[i]);
        auto ended = co_await put_routed(*layout, again, {});
        std::vector<std::uint32_t> still;
        for (std::size_t i = 0; i < left.size(); ++i) {
            if (is_refused_by_closed_shard(ended[i])) still.push_back(left[i]);
            outcomes[left[i]] = std::move(ended[i]);
            outcomes[left[i]].layout = layout;
        }
        left = std::move(still);
    }
}

Task<std::vector<PutOutcome>> LocalStreamService::put_routed(
    const StreamInfo& stream, const std::vector<PutRecord>& records,
    const std::vector<Admission>& admissions) {
    Core& core = this_core();
    std::vector<PutOutcome> outcomes(records.size());
    std::vector<Routed> routed(records.size());
    std::vector<Chain> chains;
    AppendGroup appends;

    // 1. Chain the records of each shard. `first_of_open` finds a shard's chain; it is cleared
    // again before suspending.
    auto& chain_of = core.first_of_open;
    if (chain_of.size() < stream.open.size()) chain_of.resize(stream.open.size(), kNone);
    for (std::uint32_t i = 0; i < records.size(); ++i) {
        const auto& record = records[i];
        if (Status status = check_record(stream, record); !status) {
            outcomes[i].append = rejected(std::move(status).error());
            continue;
        }
        const std::uint32_t position =
            admissions.empty() ? open_position_of(stream, record) : admissions[i].open_position;
        outcomes[i].shard = &stream.shards[stream.open[position]];
        if (!admissions.empty() && !admissions[i].is_admitted) {
            outcomes[i].append =
                rejected({Errc::Throttled,
                          fmt::format("Rate exceeded for shard {} in stream {}.",
                                      shard_id_text(outcomes[i].shard->index), stream.name)});
            continue;
        }
        std::uint32_t& chain = chain_of[position];
        if (chain == kNone) {
            chain = static_cast<std::uint32_t>(chains.size());
            chains.push_back({position, i, i});
        } else {
            routed[chains[chain].last].next = i;
            chains[chain].last = i;
        }
    }
    for (const auto& chain : chains)
        chain_of[chain.open_position] = kNone;

    // 2. One batch a shard, more only when it would be too large. The log copies a batch before
    // `submit` returns.
    for (const auto& chain : chains) {
        const ShardInfo& shard = stream.shards[stream.open[chain.open_position]];
        auto shard_writer = unlimited_writer(shard.uid);
        if (!shard_writer) {
            for (std::uint32_t i = chain.first; i != kNone; i = routed[i].next)
                outcomes[i].append = rejected(shard_writer.error());
            continue;
        }
        std::uint32_t batch_first = chain.first;
        const auto sample = [&](MeteredWriter& writer, std::uint32_t i, std::uint32_t end) {
            const auto sampling = writer.begin_keys(core.builder.record_count());
            for (std::uint32_t place = 0; i != end; i = routed[i].next, ++place)
                if (sampling.takes(place))
                    writer.take_key(hash_key_of(records[i]), sampling.stride,
                                    records[i].partition_key);
        };
        const auto submit = [&](std::uint32_t end) {
            if ((*shard_writer)->wants_keys()) sample(**shard_writer, batch_first, end);
            const AppendOp& op = appends.submit(**shard_writer, shard.uid, core.builder.finish());
            for (std::uint32_t i = batch_first; i != end; i = routed[i].next)
                routed[i].op = &op;
            core.builder.clear();
            batch_first = end;
        };
        for (std::uint32_t i = chain.first; i != kNone; i = routed[i].next) {
            const auto& record = records[i];
            const std::size_t size =
                record_bytes(record.partition_key.size(), record.data.size(), 0);
            if (!core.builder.is_empty() &&
                core.builder.bytes() + size > wire_limits::kBatchBytesMax)
                submit(i);
            routed[i].place = core.builder.record_count();
            core.builder.add(record.partition_key, record.data);
        }
        submit(kNone);
    }

    co_await appends.wait();
    for (std::uint32_t i = 0; i < records.size(); ++i) {
        if (routed[i].op == nullptr) continue;
        outcomes[i].append = routed[i].op->result;
        outcomes[i].append.first_ordinal += routed[i].place;
    }
    co_return outcomes;
}

}  // namespace tidemill
