#include "engine/log/local_log_store.h"

#include <cstring>
#include <random>

#include <fmt/format.h>

#include "engine/reactor/call_on.h"
#include "engine/reactor/gate.h"

namespace tidemill {
namespace {

std::uint64_t system_seed() {
    std::random_device device;
    return std::uint64_t{device()} << 32 | device();
}

class OwnCoreWriter final : public ShardWriter {
 public:
    OwnCoreWriter(Lane& lane, ShardUid shard, Ownership ownership)
        : lane_(lane), shard_(shard), ownership_(ownership) {}
    ShardUid shard() const override { return shard_; }
    void submit(AppendOp& op) override { lane_.submit(op, ownership_); }

 private:
    Lane& lane_;
    ShardUid shard_;
    Ownership ownership_;
};

class OtherCoreWriter final : public ShardWriter {
 public:
    OtherCoreWriter(RemoteAppends& path, ShardUid shard, Ownership ownership)
        : path_(path), shard_(shard), ownership_(ownership) {}
    ShardUid shard() const override { return shard_; }
    void submit(AppendOp& op) override { path_.submit(op, ownership_); }

 private:
    RemoteAppends& path_;
    ShardUid shard_;
    Ownership ownership_;
};

Task<Status> open_lane(Lane* lane) { co_return co_await lane->open(); }

Task<void> stop_lane(std::unique_ptr<Lane>* lane, bool is_open) {
    if (is_open) co_await (*lane)->stop();
    lane->reset();
}

/// The shards of one call to seal_shards, by lane.
struct SealCalls {
    struct Wanted {
        ShardUid shard;
        std::size_t place = 0;  // in the call's outcomes
    };
    explicit SealCalls(std::size_t lanes) : of_lane(lanes) {}
    std::vector<std::vector<Wanted>> of_lane;
    Gate gate;
};

Task<void> seal_on(Lane* lane, const std::vector<SealCalls::Wanted>* wanted, Ownership ownership,
                   std::vector<Result<TailInfo>>* sealed) {
    std::vector<ShardUid> shards;
    for (const auto& one : *wanted)
        shards.push_back(one.shard);
    auto seal = [lane, shards = std::move(shards), ownership]() mutable {
        return lane->seal_shards(std::move(shards), ownership);
    };
    auto ended = co_await call_on(lane->reactor(), std::move(seal));
    for (std::size_t i = 0; i < ended.size(); ++i)
        (*sealed)[(*wanted)[i].place] = std::move(ended[i]);
}

Task<LogStats> stats_of(Lane* lane) { co_return lane->stats(); }

Task<void> wait_for_answers(Reactor* reactor, RemoteAppends* path) {
    while (path->outstanding() > 0)
        co_await reactor->sleep_until(reactor->clock().mono_now() + 1ms);
}

}  // namespace

LocalLogStore::LocalLogStore(std::vector<Reactor*> reactors, LogConfig config)
    : config_(std::move(config)), seed_(config_.seed != 0 ? config_.seed : system_seed()) {
    TM_CHECK(!reactors.empty() && config_.block_bytes % kBlockBytes == 0);
    for (auto* reactor : reactors)
        cores_.push_back({reactor, {}, {}});
}

LocalLogStore::LocalLogStore(ReactorGroup& group, LogConfig config)
    : LocalLogStore(
          [&group] {
              std::vector<Reactor*> reactors;
              for (std::uint32_t i = 0; i < group.size(); ++i)
                  reactors.push_back(&group.at(CoreId{i}));
              return reactors;
          }(),
          std::move(config)) {}

LocalLogStore::~LocalLogStore() { TM_CHECK(lanes_.empty(), "the log was not stopped"); }

Task<Status> LocalLogStore::open_superblock() {
    Disk& disk = cores_[0].reactor->disk();
    const std::string name = config_.directory + "/superblock";
    CO_TRY(disk.make_directory(config_.directory));
    const Buffer block = Buffer::allocate(kBlockBytes);
    std::memset(block.data(), 0, kBlockBytes);
    CO_ASSIGN(const auto file, disk.open(name, {.create = true}));
    CO_TRY(co_await file->read(0, block.bytes()));
    auto superblock = read_block<Superblock>(block.bytes());
    if (!superblock) {
        if (disk.list(config_.directory + "/lane-0000"))
            co_return fail(Errc::Corrupt, name + " is damaged, and there are lanes beside it");
        Random random(seed_);
        Superblock fresh{};
        fresh.log_id = random.next();
        fresh.lane_count = config_.lane_count != 0 ? config_.lane_count
                                                   : static_cast<std::uint32_t>(cores_.size());
        fresh.created_ms = to_millis(cores_[0].reactor->clock().wall_now());
        superblock = fresh;
    }
    // Also when it was there: whoever made it may have ended before it or its name was durable, and
    // after a failed sync it is read back without being on any disk.
    write_block(block.bytes(), *superblock);
    CO_TRY(co_await file->write(0, block.bytes(), Persistence::Durable));
    CO_TRY(co_await file->sync());
    CO_TRY(co_await disk.sync_directory(config_.directory));
    CO_TRY(co_await disk.sync_directory(""));
    log_id_ = superblock->log_id;
    fit_to_budget(superblock->lane_count);
    for (std::uint32_t i = 0; i < superblock->lane_count; ++i)
        lanes_.push_back(std::make_unique<Lane>(reactor_of(LaneId{i}), config_, *space_, log_id_,
                                                LaneId{i}, seed_ * 0x9e3779b97f4a7c15 + i));
    co_return Status{};
}

// A lane needs a few segments to let go of one at a time, and what rewriting copies, half a segment
// at most, must fit beside everything else.
void LocalLogStore::fit_to_budget(std::uint32_t lanes) {
    const std::uint64_t budget = config_.disk_budget_bytes;
    std::uint64_t reserve = 0;
    if (budget != 0) {
        const auto share = align_down(budget / (8 * lanes), 1_MiB);
        config_.segment_bytes = std::min(config_.segment_bytes, std::max(share, 1_MiB));
        config_.first_segment_bytes = std::min(config_.first_segment_bytes, config_.segment_bytes);
        reserve = std::min(config_.segment_bytes / 2 + lanes * 1_MiB, budget / 4);
    }
    space_ = std::make_unique<SpaceBudget>(budget, reserve);
}

Task<Status> LocalLogStore::open() {
    auto status = co_await call_on(*cores_[0].reactor, [this] { return open_superblock(); });
    for (std::size_t i = 0; status && i < lanes_.size(); ++i) {
        auto* lane = lanes_[i].get();
        status = co_await call_on(lane->reactor(), [lane] { return open_lane(lane); });
        if (!status)
            for (std::size_t j = 0; j < lanes_.size(); ++j)
                co_await call_on(reactor_of(LaneId{static_cast<std::uint32_t>(j)}),
                                 [lane_at = &lanes_[j], is_opened = j < i] {
                                     return stop_lane(lane_at, is_opened);
                                 });
    }
    if (!status) {
        lanes_.clear();
        co_return status;
    }
    for (auto& core : cores_)
        for (auto& lane : lanes_)
            core.remote.push_back(&lane->reactor() == core.reactor
                                      ? nullptr
                                      : std::make_unique<RemoteAppends>(*core.reactor, *lane,
                                                                        config_.pending_bytes_max));
    is_open_ = true;
    co_return Status{};
}

Task<void> LocalLogStore::stop() {
    is_open_ = false;
    for (auto& core : cores_)
        for (auto& path : core.remote)
            if (path)
                co_await call_on(*core.reactor, [reactor = core.reactor, remote = path.get()] {
                    return wait_for_answers(reactor, remote);
                });
    for (std::size_t i = 0; i < lanes_.size(); ++i)
        co_await call_on(lanes_[i]->reactor(),
                         [lane = &lanes_[i]] { return stop_lane(lane, true); });
    for (auto& core : cores_)
        core.remote.clear();
    lanes_.clear();
}

LocalLogStore::Core& LocalLogStore::here() {
    auto& reactor = Reactor::current();
    for (auto& core : cores_)
        if (core.reactor == &reactor) return core;
    check_failed(__FILE__, __LINE__, "here",
                 "the log is used from a reactor that it does not know");
}

Task<std::vector<LogStats>> LocalLogStore::stats() {
    std::vector<LogStats> all;
    for (auto& lane : lanes_)
        all.push_back(
            co_await call_on(lane->reactor(), [at = lane.get()] { return stats_of(at); }));
    if (!all.empty()) {
        all[0].space_budget_bytes = space_->total();
        all[0].space_used_bytes = space_->used();
    }
    co_return all;
}

Task<Status> LocalLogStore::configure_shard(ShardUid shard, ShardPolicy policy) {
    Policies one;
    one.emplace_back(shard, policy);
    co_return co_await configure_shards(std::move(one));
}

Task<Status> LocalLogStore::configure_shards(Policies shards) {
    if (!is_open_) co_return fail(Errc::Unavailable, "the log is not open");
    // Lanes first: a writer opened by what a core has learnt must find its shard there.
    for (auto& core : cores_)
        CO_TRY(co_await call_on(*core.reactor,
                                [this, at = &core, shards] { return configure_core(at, shards); }));
    for (auto& core : cores_)
        co_await call_on(*core.reactor, [at = &core, shards] {
            return [](Core* into, Policies policies) -> Task<void> {
                for (const auto& [shard, policy] : policies)
                    into->shards[shard.value].is_deleted = policy.is_deleted;
                co_return;
            }(at, shards);
        });
    co_return Status{};
}

Task<Status> LocalLogStore::configure_core(Core* core, Policies policies) {
    for (const auto& [shard, policy] : policies)
        if (&reactor_of(lane_of(shard)) == core->reactor)
            lane_for(shard).configure_shard(shard, policy);
    co_return Status{};
}

Task<Status> LocalLogStore::drop_unconfigured_shards(ShardUid below) {
    if (!is_open_) co_return fail(Errc::Unavailable, "the log is not open");
    for (auto& lane : lanes_)
        co_await call_on(lane->reactor(), [at = lane.get(), below] {
            return [](Lane* in, ShardUid first_unused) -> Task<void> {
                in->drop_unconfigured_shards(first_unused);
                co_return;
            }(at, below);
        });
    co_return Status{};
}

Result<std::unique_ptr<ShardWriter>> LocalLogStore::open_writer(ShardUid shard,
                                                                Ownership ownership) {
    if (!is_open_) return fail(Errc::Unavailable, "the log is not open");
    auto& core = here();
    const auto known = core.shards.find(shard.value);
    if (known == core.shards.end() || known->second.is_deleted)
        return fail(Errc::NotFound, fmt::format("shard {} does not exist", shard));
    if (ownership.epoch < known->second.epoch)
        return fail(Errc::Fenced,
                    fmt::format("shard {} is owned under epoch {}", shard, known->second.epoch));
    known->second.epoch = ownership.epoch;
    const auto lane = lane_of(shard);
    if (auto* path = core.remote[lane.value].get()) {
        // The lane has the last word: an append under an old epoch ends Fenced there.
        path->fence(shard, ownership);
        return std::make_unique<OtherCoreWriter>(*path, shard, ownership);
    }
    TRY(lanes_[lane.value]->open_writer(shard, ownership));
    return std::make_unique<OwnCoreWriter>(*lanes_[lane.value], shard, ownership);
}

Task<Result<ReadResult>> LocalLogStore::read(ShardUid shard, Ordinal from, ReadLimits limits) {
    if (!is_open_) co_return fail(Errc::Unavailable, "the log is not open");
    auto* lane = &lane_for(shard);
    co_return co_await call_on(lane->reactor(), [=] { return lane->read(shard, from, limits); });
}

Task<Result<TailInfo>> LocalLogStore::tail(ShardUid shard) {
    if (!is_open_) co_return fail(Errc::Unavailable, "the log is not open");
    auto* lane = &lane_for(shard);
    co_return co_await call_on(lane->reactor(), [=] { return lane->tail(shard); });
}

Task<Result<Ordinal>> LocalLogStore::seek_time(ShardUid shard, WallTime time) {
    if (!is_open_) co_return fail(Errc::Unavailable, "the log is not open");
    auto* lane = &lane_for(shard);
    co_return co_await call_on(lane->reactor(), [=] { return lane->seek_time(shard, time); });
}

Task<Result<TailInfo>> LocalLogStore::wait_tail(ShardUid shard, Ordinal beyond, MonoTime deadline) {
    if (!is_open_) co_return fail(Errc::Unavailable, "the log is not open");
    auto* lane = &lane_for(shard);
    co_return co_await call_on(lane->reactor(),
                               [=] { return lane->wait_tail(shard, beyond, deadline); });
}

Task<Result<ProducerPosition>> LocalLogStore::producer_position(ShardUid shard,
                                                                std::uint64_t producer_id) {
    if (!is_open_) co_return fail(Errc::Unavailable, "the log is not open");
    auto* lane = &lane_for(shard);
    co_return co_await call_on(lane->reactor(),
                               [=] { return lane->producer_position(shard, producer_id); });
}

Task<void> LocalLogStore::interrupt_waits() {
    if (!is_open_) co_return;
    for (auto& lane : lanes_)
        co_await call_on(lane->reactor(), [at = lane.get()] {
            return [](Lane* one) -> Task<void> {
                one->interrupt_waits();
                co_return;
            }(at);
        });
}

Task<Result<TailInfo>> LocalLogStore::seal(ShardUid shard, Ownership ownership) {
    auto sealed = co_await seal_shards({shard}, ownership);
    co_return std::move(sealed.front());
}

// Each lane seals its shards in one call; the lanes do so at the same time.
Task<std::vector<Result<TailInfo>>> LocalLogStore::seal_shards(std::vector<ShardUid> shards,
                                                               Ownership ownership) {
    std::vector<Result<TailInfo>> sealed(shards.size(),
                                         fail(Errc::Unavailable, "the log is not open"));
    if (!is_open_) co_return sealed;
    SealCalls calls(lanes_.size());
    for (std::size_t i = 0; i < shards.size(); ++i)
        calls.of_lane[lane_of(shards[i]).value].push_back({shards[i], i});
    Reactor& home = Reactor::current();
    for (std::size_t i = 0; i < lanes_.size(); ++i)
        if (!calls.of_lane[i].empty())
            home.spawn(calls.gate, seal_on(lanes_[i].get(), &calls.of_lane[i], ownership, &sealed));
    co_await calls.gate.close();
    co_return sealed;
}

Task<Status> LocalLogStore::trim(ShardUid shard, Ordinal before) {
    if (!is_open_) co_return fail(Errc::Unavailable, "the log is not open");
    auto* lane = &lane_for(shard);
    co_return co_await call_on(lane->reactor(), [=] { return lane->trim(shard, before); });
}

}  // namespace tidemill
