#pragma once

#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "engine/log/local_log_store.h"
#include "engine/reactor/test_reactor.h"

namespace tidemill::test {

/// A small log that rolls over quickly.
inline LogConfig small_log(std::uint64_t seed = 7) {
    LogConfig config;
    config.lane_count = 1;
    config.first_segment_bytes = 1_MiB;
    config.segment_bytes = 2_MiB;
    config.block_bytes = 256_KiB;
    config.tail_cache_bytes = 1_MiB;
    config.read_cache_bytes = 4_MiB;
    config.seed = seed;
    return config;
}

/// Record `ordinal` of `shard` as the tests write it: whoever reads it can tell whether it is the
/// right one.
inline std::string record_text(ShardUid shard, Ordinal ordinal, std::size_t bytes) {
    auto text = fmt::format("{}/{}/", shard, ordinal);
    while (text.size() < bytes)
        text += static_cast<char>('a' + (text.size() + ordinal) % 26);
    return text;
}

inline std::vector<std::byte> make_batch(ShardUid shard, Ordinal first, std::uint32_t count,
                                         std::size_t record_bytes) {
    RecordBatchBuilder builder;
    for (std::uint32_t i = 0; i < count; ++i)
        builder.add("key", as_bytes(record_text(shard, first + i, record_bytes)));
    const auto view = builder.finish();
    return {view.bytes().begin(), view.bytes().end()};
}

/// An append that remembers how it ended.
struct TestAppend : AppendOp {
    std::vector<std::byte> bytes;
    bool is_done = false;

    TestAppend(ShardUid to, std::vector<std::byte> batch_bytes) : bytes(std::move(batch_bytes)) {
        shard = to;
        batch = *RecordBatchView::parse(bytes);
        done = [](AppendOp& op) noexcept { static_cast<TestAppend&>(op).is_done = true; };
    }
};

/// One process with a log over simulated storage.
struct LogProcess {
    explicit LogProcess(std::shared_ptr<SimStorage> storage, LogConfig config = small_log(),
                        std::vector<std::uint32_t> shards = {1, 2, 3})
        : reactor(std::move(storage)) {
        config.report = [this](const std::string& text) { reports.push_back(text); };
        store = std::make_unique<LocalLogStore>(std::vector<Reactor*>{&reactor}, config);
        opened = reactor.run(store->open());
        if (!opened) return;
        std::vector<std::pair<ShardUid, ShardPolicy>> policies;
        for (const auto shard : shards)
            policies.emplace_back(ShardUid{shard}, ShardPolicy{});
        opened = reactor.run(store->configure_shards(policies));
    }
    ~LogProcess() {
        if (opened && !is_stopped) stop();
    }
    void stop() {
        is_stopped = true;
        reactor.run(store->stop());
    }
    ShardWriter& writer(std::uint32_t shard) {
        auto& writer = writers[shard];
        if (!writer)
            reactor.run_in_turn([&] { writer = *store->open_writer(ShardUid{shard}, {}); });
        return *writer;
    }
    AppendResult append(std::uint32_t shard, std::uint32_t count = 1,
                        std::size_t record_bytes = 100) {
        const auto bytes = make_batch(ShardUid{shard}, next[shard], count, record_bytes);
        auto result = reactor.run(writer(shard).append(*RecordBatchView::parse(bytes)));
        if (result.outcome == Outcome::Committed) next[shard] += count;
        return result;
    }
    void configure(std::uint32_t shard, ShardPolicy policy) {
        (void)reactor.run(store->configure_shard(ShardUid{shard}, policy));
    }
    Status trim(std::uint32_t shard, Ordinal before) {
        return reactor.run(store->trim(ShardUid{shard}, before));
    }
    Result<ReadResult> read(std::uint32_t shard, Ordinal from, ReadLimits limits = {}) {
        return reactor.run(store->read(ShardUid{shard}, from, limits));
    }
    Result<TailInfo> tail(std::uint32_t shard) { return reactor.run(store->tail(ShardUid{shard})); }
    LogStats stats() { return reactor.run(store->stats()).at(0); }

    /// Reads everything from `from` and checks each record's text; returns one past the last
    /// record, or the error.
    Result<Ordinal> verify(std::uint32_t shard, Ordinal from = 0) {
        while (true) {
            ASSIGN(const auto result, read(shard, from));
            if (result.batches.empty()) return from;
            for (const auto& slice : result.batches) {
                ASSIGN(const auto batch, RecordBatchView::parse_stamped(slice.bytes));
                if (!batch.payload_is_intact() || batch.header().shard != shard)
                    return fail(Errc::Internal, "a wrong batch was served");
                RecordCursor cursor(batch);
                RecordView record;
                while (cursor.next(record)) {
                    if (cursor.ordinal() < from) continue;
                    if (cursor.ordinal() != from)
                        return fail(Errc::Internal,
                                    fmt::format("{} where {} should be", cursor.ordinal(), from));
                    const auto text = record_text(ShardUid{shard}, from, record.data.size());
                    if (as_text(record.data) != text)
                        return fail(Errc::Internal, fmt::format("record {} reads '{:.30}'", from,
                                                                as_text(record.data)));
                    ++from;
                }
                TRY(cursor.status());
            }
            if (result.next != from)
                return fail(Errc::Internal, "next is not behind the last batch");
        }
    }

    TestReactor reactor;
    std::vector<std::string> reports;
    std::unique_ptr<LocalLogStore> store;
    std::map<std::uint32_t, std::unique_ptr<ShardWriter>> writers;
    std::map<std::uint32_t, Ordinal> next;
    Status opened;
    bool is_stopped = false;
};

}  // namespace tidemill::test
