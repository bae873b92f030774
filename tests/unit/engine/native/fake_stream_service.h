#pragma once

#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "engine/reactor/reactor.h"
#include "engine/reactor/signal.h"
#include "engine/service/stream_service.h"
#include "tests/unit/engine/service/no_stream_control.h"

namespace tidemill {

/// A StreamService in memory, for one core: appends complete when the test lets them (or at once),
/// reads return what was appended, stamped.
class FakeStreamService final : public NoStreamControl {
 public:
    explicit FakeStreamService(Reactor& reactor) : reactor_(reactor) {}

    // what tests set and see
    bool completes_at_once = true;
    Error refuse_appends;  ///< Internal: do not refuse
    bool refuses = false;
    std::deque<AppendOp*> held;
    std::size_t append_count = 0, read_count = 0;
    Ordinal furthest_read = 0;
    std::optional<std::uint32_t> unanswered_lease;  ///< acquired, and nobody is told; once
    bool unanswered_save = false;                   ///< stored, and nobody is told; once
    WallTime now = from_millis(1'700'000'000'000);

    void complete_held() {
        while (!held.empty()) {
            AppendOp* op = held.front();
            held.pop_front();
            op->done(*op);
        }
    }
    const std::vector<BufferSlice>& batches(ShardUid uid) const { return shards_.at(uid).batches; }
    void steal_lease(const std::string& application, std::uint32_t index, std::string owner) {
        auto& lease = checkpoints_[{application, index}];
        lease.owner = std::move(owner);
        ++lease.lease_counter;
        lease.lease_until = from_millis(INT64_MAX / 2);
    }
    const Checkpoint& checkpoint(const std::string& application, std::uint32_t index) {
        return checkpoints_[{application, index}];
    }
    void seal(ShardUid uid) {
        shards_.at(uid).is_sealed = true;
        grown_.notify_all();
    }

    Task<Result<std::shared_ptr<const StreamInfo>>> create_stream(CreateStream request) override {
        if (streams_.contains(request.name))
            co_return fail(Errc::AlreadyExists, "the stream exists");
        auto stream = std::make_shared<StreamInfo>();
        stream->uid = StreamUid{++last_stream_};
        stream->name = request.name;
        stream->retention = request.retention;
        stream->max_bytes = request.max_bytes;
        stream->mode = request.mode;
        stream->tags = request.tags;
        stream->created = now;
        const uint128 width = kUint128Max / request.shard_count;
        for (std::uint32_t i = 0; i < request.shard_count; ++i) {
            ShardInfo shard;
            shard.uid = ShardUid{++last_shard_};
            shard.index = i;
            shard.range = {width * i,
                           i + 1 == request.shard_count ? kUint128Max : width * (i + 1) - 1};
            shard.created = now;
            stream->shards.push_back(shard);
            stream->open.push_back(i);
            shards_.try_emplace(shard.uid, *this, shard.uid);
        }
        streams_[request.name] = stream;
        co_return stream;
    }
    Task<Status> delete_stream(std::string name, bool) override {
        if (streams_.erase(name) == 0) co_return fail(Errc::NotFound, "no stream " + name);
        co_return Status{};
    }
    Result<std::shared_ptr<const StreamInfo>> find_stream(std::string_view name) const override {
        const auto found = streams_.find(name);
        if (found == streams_.end()) return fail(Errc::NotFound, "no stream " + std::string(name));
        return found->second;
    }
    std::shared_ptr<const CatalogView> catalog() const override {
        auto view = std::make_shared<CatalogView>();
        view->streams = streams_;
        return view;
    }
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
    Task<Status> set_retention(std::string name, RetentionChange change) override {
        const auto found = streams_.find(name);
        if (found == streams_.end()) co_return fail(Errc::NotFound, "no stream " + name);
        auto stream = std::make_shared<StreamInfo>(*found->second);
        stream->retention = change.retention.value_or(stream->retention);
        stream->max_bytes = change.max_bytes.value_or(stream->max_bytes);
        found->second = stream;
        co_return Status{};
    }
    Task<Status> edit_tags(std::string, std::map<std::string, std::string>,
                           std::vector<std::string>) override {
        co_return Status{};
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
    Task<std::vector<PutOutcome>> put_records(const StreamInfo&, std::vector<PutRecord>) override {
        co_return std::vector<PutOutcome>{};
    }
    Status check_record_sizes(ShardUid, const RecordBatchView&) override { return {}; }
    Result<ShardWriter*> writer(ShardUid shard) override {
        const auto found = shards_.find(shard);
        if (found == shards_.end()) return fail(Errc::NotFound, "no such shard");
        return &found->second.writer;
    }
    Task<Result<ReadResult>> read(ShardUid uid, Ordinal from, ReadLimits limits) override {
        const auto found = shards_.find(uid);
        if (found == shards_.end()) co_return fail(Errc::NotFound, "no such shard");
        ++read_count;
        ReadResult result;
        result.next = from;
        result.tail = tail_of(found->second);
        std::size_t bytes = 0;
        for (const auto& slice : found->second.batches) {
            const auto batch = RecordBatchView::trusted(slice.bytes);
            if (batch.end_ordinal() <= from) continue;
            if (bytes != 0 && bytes + slice.bytes.size() > limits.bytes) break;
            bytes += slice.bytes.size();
            result.batches.push_back(slice);
            result.next = batch.end_ordinal();
            furthest_read = std::max(furthest_read, result.next);
        }
        co_return result;
    }
    Task<Result<TailInfo>> tail(ShardUid uid) override {
        const auto found = shards_.find(uid);
        if (found == shards_.end()) co_return fail(Errc::NotFound, "no such shard");
        co_return tail_of(found->second);
    }
    Task<Result<Ordinal>> seek_time(ShardUid uid, WallTime time) override {
        for (const auto& slice : shards_.at(uid).batches) {
            const auto batch = RecordBatchView::trusted(slice.bytes);
            if (batch.arrival() >= time) co_return batch.first_ordinal();
        }
        co_return shards_.at(uid).end;
    }
    Task<Result<ProducerPosition>> producer_position(ShardUid, std::uint64_t) override {
        co_return ProducerPosition{};
    }
    Task<Result<TailInfo>> wait_tail(ShardUid uid, Ordinal beyond, MonoTime deadline) override {
        Shard& shard = shards_.at(uid);
        const auto interrupts = interrupts_;
        while (shard.end <= beyond && !shard.is_sealed && interrupts_ == interrupts &&
               reactor_.clock().mono_now() < deadline)
            co_await grown_.wait_until(deadline);
        co_return tail_of(shard);
    }
    Task<void> interrupt_waits() override {
        ++interrupts_;
        grown_.notify_all();
        co_return;
    }

    Task<Result<std::vector<Checkpoint>>> checkpoints(std::string application, StreamUid) override {
        std::vector<Checkpoint> all;
        for (const auto& [key, checkpoint] : checkpoints_)
            if (key.first == application) all.push_back(checkpoint);
        co_return all;
    }
    Task<Result<Checkpoint>> acquire_lease(std::string application, StreamUid, std::uint32_t index,
                                           std::string owner,
                                           std::chrono::milliseconds duration) override {
        auto& lease = checkpoints_[{application, index}];
        if (!lease.owner.empty() && lease.owner != owner)
            co_return fail(Errc::Fenced, "the lease is " + lease.owner + "'s");
        lease.shard_index = index;
        lease.owner = owner;
        ++lease.lease_counter;
        lease.lease_until = reactor_.clock().wall_now() + duration;
        if (unanswered_lease == index) {
            unanswered_lease.reset();
            co_return fail(Errc::Unavailable, "the answer is lost");
        }
        co_return lease;
    }
    Task<Status> save_checkpoint(std::string application, StreamUid,
                                 Checkpoint checkpoint) override {
        auto& lease = checkpoints_[{application, checkpoint.shard_index}];
        if (lease.owner != checkpoint.owner || lease.lease_counter != checkpoint.lease_counter)
            co_return fail(Errc::Fenced, "the lease is another's");
        lease.ordinal = checkpoint.ordinal;
        lease.is_finished = checkpoint.is_finished;
        if (std::exchange(unanswered_save, false))
            co_return fail(Errc::Unavailable, "the answer is lost");
        co_return Status{};
    }
    Task<Status> release_lease(std::string application, StreamUid, std::uint32_t index,
                               std::string owner) override {
        auto& lease = checkpoints_[{application, index}];
        if (lease.owner == owner) lease.owner.clear();
        co_return Status{};
    }
    Task<Result<std::optional<std::vector<std::byte>>>> load_blob(std::string,
                                                                  std::string) override {
        co_return std::optional<std::vector<std::byte>>{};
    }
    Task<Status> save_blob(std::string, std::string, std::vector<std::byte>) override {
        co_return Status{};
    }
    Task<Status> delete_blob(std::string, std::string) override { co_return Status{}; }
    Task<Result<std::vector<std::string>>> list_blobs(std::string) override {
        co_return std::vector<std::string>{};
    }

 private:
    struct Shard;
    struct Writer final : ShardWriter {
        Writer(FakeStreamService& service, ShardUid uid) : service_(service), uid_(uid) {}
        ShardUid shard() const override { return uid_; }
        void submit(AppendOp& op) override { service_.append(uid_, op); }
        FakeStreamService& service_;
        ShardUid uid_;
    };
    struct Shard {
        Shard(FakeStreamService& service, ShardUid uid) : writer(service, uid) {}
        Writer writer;
        std::vector<BufferSlice> batches;
        Ordinal end = 0;
        bool is_sealed = false;
    };

    static TailInfo tail_of(const Shard& shard) { return {0, shard.end, shard.is_sealed, {}}; }

    void append(ShardUid uid, AppendOp& op) {
        Shard& shard = shards_.at(uid);
        ++append_count;
        if (refuses || shard.is_sealed) {
            op.result.outcome = Outcome::Rejected;
            op.result.error =
                refuses ? refuse_appends : Error(Errc::ShardClosed, "the shard is closed");
        } else {
            const Bytes bytes = op.batch.bytes();
            Buffer buffer = Buffer::allocate(bytes.size());
            std::memcpy(buffer.data(), bytes.data(), bytes.size());
            stamp_record_batch(buffer.bytes(), uid, shard.end, now, 1);
            op.result = {Outcome::Committed, shard.end, now, false, {}};
            shard.end += op.batch.record_count();
            shard.batches.push_back({buffer, buffer.bytes()});
        }
        held.push_back(&op);
        if (completes_at_once)
            reactor_.post([this] {
                complete_held();
                grown_.notify_all();
            });
    }

    Reactor& reactor_;
    Signal grown_;
    std::map<std::string, std::shared_ptr<const StreamInfo>, std::less<>> streams_;
    std::map<ShardUid, Shard> shards_;
    std::map<std::pair<std::string, std::uint32_t>, Checkpoint> checkpoints_;
    std::uint32_t last_stream_ = 0, last_shard_ = 0;
    std::uint64_t interrupts_ = 0;
};

}  // namespace tidemill
