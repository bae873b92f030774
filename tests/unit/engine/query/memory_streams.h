#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/base/check.h"
#include "engine/base/hash_key.h"
#include "engine/reactor/reactor.h"
#include "engine/reactor/signal.h"
#include "engine/service/stream_service.h"
#include "tests/unit/engine/service/no_stream_control.h"

namespace tidemill::query {

/// A StreamService in memory, for one core: streams, records and blobs outlive the "process" that a
/// test restarts.
class MemoryStreams final : public NoStreamControl {
 public:
    explicit MemoryStreams(Reactor& reactor) : reactor_(reactor) {}

    // what tests set and see
    Error refusal;  ///< of every write while `refuses`
    bool refuses = false;
    std::size_t blobs_saved = 0;
    std::map<std::pair<std::string, std::string>, std::vector<std::byte>> blobs;

    void add_stream(const std::string& name, std::uint32_t shard_count = 1) {
        auto stream = std::make_shared<StreamInfo>();
        stream->uid = StreamUid{++last_stream_};
        stream->name = name;
        stream->created = reactor_.clock().wall_now();
        const auto ranges = split_evenly(shard_count);
        for (std::uint32_t i = 0; i < shard_count; ++i)
            stream->shards.push_back(new_shard(i, ranges[i]));
        stream->index_open_shards();
        streams_[name] = stream;
    }
    /// Closes the only open shard; its two halves take over.
    void split(const std::string& name) {
        auto stream = std::make_shared<StreamInfo>(*streams_.at(name));
        ShardInfo& parent = stream->shards[stream->open.front()];
        parent.closed = reactor_.clock().wall_now();
        parent.end_ordinal = shards_.at(parent.uid).end;
        shards_.at(parent.uid).is_sealed = true;
        const auto parent_index = parent.index;
        for (const auto& range : split_evenly(2)) {
            stream->shards.push_back(
                new_shard(static_cast<std::uint32_t>(stream->shards.size()), range));
            stream->shards.back().parent = parent_index;
        }
        stream->index_open_shards();
        streams_[name] = stream;
        grown_.notify_all();
    }
    /// Appends one record and returns at once.
    void put(const std::string& name, std::string_view data, std::string_view key = "key") {
        append(streams_.at(name)->shard_for(hash_partition_key(key)).uid, key, as_bytes(data));
        grown_.notify_all();
    }
    /// Appends a batch as it is to the shard of that index.
    void put_batch(const std::string& name, std::uint32_t index, Bytes batch) {
        store(streams_.at(name)->shards.at(index).uid, batch);
        grown_.notify_all();
    }
    /// All records of a stream, shard by shard.
    std::vector<std::string> texts(const std::string& name) const {
        std::vector<std::string> all;
        for (const auto& info : streams_.at(name)->shards)
            for (const auto& slice : shards_.at(info.uid).batches) {
                RecordCursor cursor(RecordBatchView::trusted(slice.bytes));
                RecordView record;
                while (cursor.next(record))
                    all.emplace_back(as_text(record.data));
            }
        return all;
    }

    Result<std::shared_ptr<const StreamInfo>> find_stream(std::string_view name) const override {
        const auto found = streams_.find(name);
        if (found == streams_.end())
            return fail(Errc::NotFound, "stream " + std::string(name) + " does not exist");
        return found->second;
    }
    std::shared_ptr<const CatalogView> catalog() const override {
        auto view = std::make_shared<CatalogView>();
        view->streams = streams_;
        return view;
    }
    Task<Result<std::shared_ptr<const StreamInfo>>> split_shard(std::string, std::uint32_t,
                                                                std::optional<uint128>) override {
        co_return fail(Errc::Unsupported, "shards do not change here");
    }
    Task<Result<std::shared_ptr<const StreamInfo>>> merge_shards(std::string, std::uint32_t,
                                                                 std::uint32_t) override {
        co_return fail(Errc::Unsupported, "shards do not change here");
    }
    Task<Result<std::shared_ptr<const StreamInfo>>> scale_stream(std::string,
                                                                 std::uint32_t) override {
        co_return fail(Errc::Unsupported, "shards do not change here");
    }
    Task<std::vector<PutOutcome>> put_records(const StreamInfo&,
                                              std::vector<PutRecord> records) override {
        co_return std::vector<PutOutcome>(records.size());
    }
    Task<Result<ReadResult>> read(ShardUid uid, Ordinal from, ReadLimits limits) override {
        const Shard& shard = shards_.at(uid);
        ReadResult result;
        result.next = from;
        result.tail = tail_of(shard);
        std::size_t bytes = 0;
        for (const auto& slice : shard.batches) {
            const auto batch = RecordBatchView::trusted(slice.bytes);
            if (batch.end_ordinal() <= from) continue;
            if (bytes != 0 && bytes + slice.bytes.size() > limits.bytes) break;
            bytes += slice.bytes.size();
            result.batches.push_back(slice);
            result.next = batch.end_ordinal();
        }
        co_return result;
    }
    Task<Result<TailInfo>> tail(ShardUid uid) override { co_return tail_of(shards_.at(uid)); }
    Task<Result<ProducerPosition>> producer_position(ShardUid uid,
                                                     std::uint64_t producer) override {
        const auto found = shards_.at(uid).producers.find(producer);
        if (found == shards_.at(uid).producers.end()) co_return ProducerPosition{};
        co_return ProducerPosition{true, found->second, 0};
    }
    Task<Result<TailInfo>> wait_tail(ShardUid uid, Ordinal beyond, MonoTime deadline) override {
        const Shard& shard = shards_.at(uid);
        while (shard.end <= beyond && !shard.is_sealed && reactor_.clock().mono_now() < deadline)
            co_await grown_.wait_until(deadline);
        co_return tail_of(shard);
    }
    Task<void> interrupt_waits() override {
        grown_.notify_all();
        co_return;
    }
    Task<Result<std::optional<std::vector<std::byte>>>> load_blob(std::string kind,
                                                                  std::string name) override {
        const auto found = blobs.find({kind, name});
        if (found == blobs.end()) co_return std::nullopt;
        co_return found->second;
    }
    Task<Status> save_blob(std::string kind, std::string name,
                           std::vector<std::byte> bytes) override {
        ++blobs_saved;
        blobs[{kind, name}] = std::move(bytes);
        co_return Status{};
    }
    Task<Status> delete_blob(std::string kind, std::string name) override {
        blobs.erase({kind, name});
        co_return Status{};
    }
    Task<Result<std::vector<std::string>>> list_blobs(std::string kind) override {
        std::vector<std::string> names;
        for (const auto& [key, bytes] : blobs)
            if (key.first == kind) names.push_back(key.second);
        co_return names;
    }

    // what SQL does not ask for
    Task<Result<std::shared_ptr<const StreamInfo>>> create_stream(CreateStream) override {
        co_return unsupported();
    }
    Task<Status> delete_stream(std::string, bool) override { co_return unsupported(); }
    Task<Result<std::shared_ptr<const StreamInfo>>> start_encryption(std::string,
                                                                     std::string) override {
        co_return fail(Errc::Unsupported, "not in this fake");
    }
    Task<Result<std::shared_ptr<const StreamInfo>>> stop_encryption(std::string) override {
        co_return fail(Errc::Unsupported, "not in this fake");
    }
    Task<Result<std::shared_ptr<const StreamInfo>>> rotate_data_key(std::string) override {
        co_return fail(Errc::Unsupported, "not in this fake");
    }
    Task<Status> set_retention(std::string, RetentionChange) override { co_return unsupported(); }
    Task<Status> edit_tags(std::string, std::map<std::string, std::string>,
                           std::vector<std::string>) override {
        co_return unsupported();
    }
    Result<ShardWriter*> writer(ShardUid uid) override {
        auto& writer = writers_[uid];
        if (!writer) writer = std::make_unique<Writer>(*this, uid);
        return writer.get();
    }
    Status check_record_sizes(ShardUid, const RecordBatchView&) override { return {}; }
    Task<Result<Ordinal>> seek_time(ShardUid, WallTime) override { co_return unsupported(); }
    Task<Result<std::vector<Checkpoint>>> checkpoints(std::string, StreamUid) override {
        co_return unsupported();
    }
    Task<Result<Checkpoint>> acquire_lease(std::string, StreamUid, std::uint32_t, std::string,
                                           std::chrono::milliseconds) override {
        co_return unsupported();
    }
    Task<Status> save_checkpoint(std::string, StreamUid, Checkpoint) override {
        co_return unsupported();
    }
    Task<Status> release_lease(std::string, StreamUid, std::uint32_t, std::string) override {
        co_return unsupported();
    }

 private:
    struct Shard {
        std::vector<BufferSlice> batches;
        Ordinal end = 0;
        bool is_sealed = false;
        std::map<std::uint64_t, std::uint32_t> producers;  // the number that comes next
    };
    class Writer final : public ShardWriter {
     public:
        Writer(MemoryStreams& streams, ShardUid shard) : streams_(streams), shard_(shard) {}
        ShardUid shard() const override { return shard_; }
        void submit(AppendOp& op) override {
            op.result = {};
            auto& shard = streams_.shards_.at(shard_);
            auto& next = shard.producers[op.batch.header().producer_id];
            if (streams_.refuses) {
                op.result = {Outcome::Rejected, 0, {}, false, streams_.refusal};
            } else if (shard.is_sealed) {
                op.result = {Outcome::Rejected, 0, {}, false, {Errc::ShardClosed, "closed"}};
            } else {
                TM_CHECK(op.batch.header().producer_sequence == next, "a row out of its order");
                next += op.batch.record_count();
                op.result = {
                    Outcome::Committed, streams_.store(shard_, op.batch.bytes()), {}, false, {}};
            }
            op.done(op);
        }

     private:
        MemoryStreams& streams_;
        ShardUid shard_;
    };

    static std::unexpected<Error> unsupported() {
        return fail(Errc::Unsupported, "not in this test");
    }
    static TailInfo tail_of(const Shard& shard) { return {0, shard.end, shard.is_sealed, {}}; }

    ShardInfo new_shard(std::uint32_t index, HashRange range) {
        ShardInfo shard;
        shard.uid = ShardUid{++last_shard_};
        shard.index = index;
        shard.range = range;
        shard.created = reactor_.clock().wall_now();
        shards_.try_emplace(shard.uid);
        return shard;
    }
    Ordinal append(ShardUid uid, std::string_view key, Bytes data) {
        RecordBatchBuilder builder;
        builder.add(key, data);
        return store(uid, builder.finish().bytes());
    }
    Ordinal store(ShardUid uid, Bytes bytes) {
        Shard& shard = shards_.at(uid);
        Buffer buffer = Buffer::allocate(bytes.size());
        std::memcpy(buffer.data(), bytes.data(), bytes.size());
        stamp_record_batch(buffer.bytes(), uid, shard.end, reactor_.clock().wall_now(), 1);
        shard.batches.push_back({buffer, buffer.bytes()});
        const Ordinal first = shard.end;
        shard.end += RecordBatchView::trusted(bytes).record_count();
        return first;
    }

    Reactor& reactor_;
    Signal grown_;
    std::map<std::string, std::shared_ptr<const StreamInfo>, std::less<>> streams_;
    std::map<ShardUid, Shard> shards_;
    std::map<ShardUid, std::unique_ptr<Writer>> writers_;
    std::uint32_t last_stream_ = 0, last_shard_ = 0;
};

}  // namespace tidemill::query
