// One lane of the log on a simulated disk, through crashes, torn and lost writes, EIO, ENOSPC and
// flipped bits, all from one seed. After each recovery: every acknowledged record is there once, at
// its ordinal, in order; what was not acknowledged is there whole or not at all; what was rejected
// is not there; a flipped bit is reported and never served. TIDEMILL_SEED=N runs one seed;
// TIDEMILL_SEEDS=N runs that many.
#include <cstdlib>
#include <map>
#include <set>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "engine/log/local_log_store.h"
#include "engine/log/verify.h"
#include "engine/reactor/test_reactor.h"

using namespace tidemill;

namespace {

constexpr std::uint32_t kShards = 4;

std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

/// What the world knows of one append.
struct Sent : AppendOp {
    std::uint64_t id = 0;
    std::uint32_t count = 0;
    std::vector<std::byte> bytes;
    bool is_ended = false;
};

/// What must be, and what may be, in one shard.
struct Model {
    std::map<Ordinal, const Sent*>
        must;                   // by first ordinal: acknowledged, or seen after a recovery
    std::set<const Sent*> may;  // outcome unknown
};

class World {
 public:
    explicit World(std::uint64_t seed)
        : random_(seed), storage_(std::make_shared<SimStorage>(seed)) {}

    void run() {
        const auto lives = 2 + random_.below(4);
        for (std::uint64_t life = 0; life < lives; ++life)
            live_once(life + 1 == lives);
        if (random_.chance(0.6)) decay();
    }

 private:
    struct Process {
        explicit Process(World& world) : reactor(world.storage_) {
            LogConfig config;
            config.lane_count = 1;
            config.first_segment_bytes = 1_MiB;
            config.segment_bytes = 1_MiB;
            config.block_bytes = 64_KiB;
            config.second_write_bytes = 8_KiB;
            config.early_write_bytes = 16_KiB;
            config.tail_cache_bytes = 256_KiB;
            config.read_cache_bytes = 4_MiB;
            config.footer_cache_bytes = 16_KiB;
            config.seed = world.random_.next() | 1;
            config.report = [this](const std::string& text) { reports += text + "\n"; };
            store = std::make_unique<LocalLogStore>(std::vector<Reactor*>{&reactor}, config);
        }
        Status open() {
            TRY(reactor.run(store->open()));
            std::vector<std::pair<ShardUid, ShardPolicy>> policies;
            for (std::uint32_t shard = 0; shard < kShards; ++shard)
                policies.emplace_back(ShardUid{shard}, ShardPolicy{});
            return reactor.run(store->configure_shards(policies));
        }
        TestReactor reactor;
        std::unique_ptr<LocalLogStore> store;
        std::string reports;
    };

    std::unique_ptr<Process> start() {
        for (int attempt = 0;; ++attempt) {
            auto process = std::make_unique<Process>(*this);
            const auto opened = process->open();
            if (opened) return process;
            // Crashed again while recovering, or a planned fault: the next attempt finds a healthy
            // disk.
            REQUIRE_MESSAGE(attempt < 3, opened.error().to_string());
            storage_->faults = {};
            storage_->crash_after(UINT64_MAX);
        }
    }

    void live_once(bool is_last) {
        storage_->faults = {};
        storage_->set_capacity(UINT64_MAX);
        storage_->crash_after(random_.chance(0.2) ? random_.below(40) : UINT64_MAX);  // in recovery
        auto process = start();
        storage_->crash_after(UINT64_MAX);
        if (process->reactor.disk().is_lost()) {
            process->reactor.run(process->store->stop());
            process = start();
        }
        verify(*process, nullptr);
        if (random_.chance(0.3)) storage_->faults.write_error = 0.004;
        if (random_.chance(0.2)) storage_->faults.read_error = 0.01;
        if (random_.chance(0.2)) storage_->faults.sync_error = 0.05;
        if (random_.chance(0.5)) storage_->faults.slow = 0.2;
        if (random_.chance(0.3))
            storage_->set_capacity(storage_->used_bytes() + random_.below(3_MiB));
        const bool is_stopped_well = is_last || random_.chance(0.2);
        if (!is_stopped_well) storage_->crash_after(20 + random_.below(400));
        load(*process);
        if (is_stopped_well) {
            storage_->faults = {};
            storage_->set_capacity(UINT64_MAX);
        } else if (!process->reactor.disk().is_lost()) {
            storage_->crash();
        }
        drain(*process);
        process->reactor.run(process->store->stop());
        settle();
    }

    void load(Process& process) {
        std::map<std::uint32_t, std::unique_ptr<ShardWriter>> writers;
        const auto steps = 50 + random_.below(400);
        const bool is_manual = random_.chance(0.5);
        storage_->set_manual(is_manual);
        for (std::uint64_t i = 0; i < steps && !process.reactor.disk().is_lost(); ++i) {
            process.reactor.run_in_turn([&] {
                for (auto n = random_.below(6); n > 0; --n)
                    submit(process, writers);
            });
            for (auto n = is_manual ? random_.below(6) : 0; n > 0 && storage_->step(); --n)
                process.reactor.run_until_idle();
            if (random_.chance(0.05))
                process.reactor.advance(std::chrono::milliseconds(random_.below(1500)));
            if (random_.chance(0.02))
                process.reactor.clock().jump_wall(std::chrono::seconds(60) -
                                                  std::chrono::seconds(random_.below(120)));
            if (random_.chance(0.01)) storage_->set_capacity(UINT64_MAX);
        }
        if (random_.chance(0.5)) process.reactor.run_in_turn([&] { submit(process, writers); });
        storage_->set_manual(false);
        // Often the end comes with writes in flight.
        const bool is_drained = random_.chance(0.3);
        if (is_drained) drain(process);
        process.reactor.run_in_turn([&] { writers.clear(); });
    }

    void drain(Process& process) {
        while (storage_->step())
            process.reactor.run_until_idle();
    }

    void submit(Process& process, std::map<std::uint32_t, std::unique_ptr<ShardWriter>>& writers) {
        const auto shard = static_cast<std::uint32_t>(random_.below(kShards));
        auto& writer = writers[shard];
        if (!writer) {
            auto opened = process.store->open_writer(ShardUid{shard}, {});
            if (!opened) return;
            writer = std::move(*opened);
        }
        auto sent = std::make_unique<Sent>();
        sent->id = sent_.size();
        sent->shard = ShardUid{shard};
        sent->count = static_cast<std::uint32_t>(1 + random_.below(8));
        const std::size_t bytes = random_.chance(0.03) ? 60'000 : 10 + random_.below(1200);
        RecordBatchBuilder builder;
        for (std::uint32_t i = 0; i < sent->count; ++i)
            builder.add("", as_bytes(text_of(sent->id, i, bytes)));
        const auto built = builder.finish();
        sent->bytes.assign(built.bytes().begin(), built.bytes().end());
        sent->batch = *RecordBatchView::parse(sent->bytes);
        sent->done = [](AppendOp& op) noexcept {
            auto& self = static_cast<Sent&>(op);
            TM_CHECK(!self.is_ended, "an append ends twice");
            self.is_ended = true;
        };
        writer->submit(*sent);
        sent_.push_back(std::move(sent));
    }

    static std::string text_of(std::uint64_t id, std::uint32_t index, std::size_t bytes) {
        auto text = fmt::format("{}/{}/", id, index);
        text.resize(std::max(bytes, text.size()), static_cast<char>('a' + (id + index) % 26));
        return text;
    }

    /// Takes the outcomes of the life that has ended into the model.
    void settle() {
        for (; settled_ < sent_.size(); ++settled_) {
            const auto& sent = *sent_[settled_];
            auto& model = models_[sent.shard.value];
            REQUIRE_MESSAGE(sent.is_ended, "an append has not ended");
            if (sent.result.outcome == Outcome::Committed) {
                REQUIRE_MESSAGE(model.must.emplace(sent.result.first_ordinal, &sent).second,
                                "an ordinal was given twice");
                ++acknowledged;
            } else if (sent.result.outcome == Outcome::Unknown) {
                model.may.insert(&sent);
            }
        }
    }

    struct Fence {
        std::map<std::uint32_t, std::pair<Ordinal, Ordinal>>
            lost;  // by shard: [first, end) of the damaged commit
    };

    /// Reads everything and compares. With `fence`, reads inside it may fail as Corrupt, and only
    /// there.
    void verify(Process& process, const Fence* fence) {
        const auto faults = std::exchange(storage_->faults, {});
        for (std::uint32_t shard = 0; shard < kShards; ++shard) {
            auto& model = models_[shard];
            auto expected = model.must.begin();
            std::set<const Sent*> seen;
            Ordinal at = 0;
            while (true) {
                const auto result = process.reactor.run(process.store->read(
                    ShardUid{shard}, at,
                    {.bytes = 1 + static_cast<std::size_t>(random_.below(100'000))}));
                if (!result) {
                    REQUIRE_MESSAGE(result.error().code == Errc::Corrupt,
                                    result.error().to_string());
                    REQUIRE_MESSAGE(
                        (fence != nullptr && fence->lost.contains(shard) &&
                         at >= fence->lost.at(shard).first && at < fence->lost.at(shard).second),
                        fmt::format("{}\n{}", result.error().to_string(), process.reports));
                    ++damage_reported;
                    // The records of the fenced commit are excused; everything behind it is not.
                    at = fence->lost.at(shard).second;
                    while (expected != model.must.end() && expected->first < at)
                        ++expected;
                    continue;
                }
                if (result->batches.empty()) break;
                for (const auto& slice : result->batches) {
                    const auto batch = RecordBatchView::parse_stamped(slice.bytes);
                    REQUIRE_MESSAGE((batch && batch->payload_is_intact()),
                                    "a damaged batch was served");
                    REQUIRE_EQ(batch->first_ordinal(), at);
                    const Sent* sent = identify(*batch);
                    REQUIRE_MESSAGE(sent != nullptr, "a batch that nobody has sent");
                    REQUIRE_EQ(sent->shard.value, shard);
                    REQUIRE_MESSAGE(seen.insert(sent).second, "a batch is there twice");
                    if (expected != model.must.end() && expected->first == at) {
                        REQUIRE_MESSAGE(expected->second == sent,
                                        "another batch at an acknowledged ordinal");
                        ++expected;
                    } else {
                        REQUIRE_MESSAGE(model.may.contains(sent), "a rejected batch is there");
                        model.must.emplace(at, sent);  // found once, it stays
                        model.may.erase(sent);
                        expected = model.must.upper_bound(at);
                    }
                    at = batch->end_ordinal();
                }
            }
            REQUIRE_MESSAGE(expected == model.must.end(),
                            fmt::format("shard {} ends at {}, but {} was acknowledged\n{}", shard,
                                        at, expected->first, process.reports));
            model.may.clear();  // not there now, never there
        }
        storage_->faults = faults;
    }

    const Sent* identify(const RecordBatchView& batch) const {
        RecordCursor cursor(batch);
        RecordView record;
        const Sent* sent = nullptr;
        for (std::uint32_t i = 0; cursor.next(record); ++i) {
            const auto id =
                std::strtoull(std::string(as_text(record.data).substr(0, 20)).c_str(), nullptr, 10);
            if (id >= sent_.size() || (sent != nullptr && sent != sent_[id].get())) return nullptr;
            sent = sent_[id].get();
            if (as_text(record.data) != text_of(id, i, record.data.size())) return nullptr;
        }
        return sent != nullptr && sent->count == batch.record_count() ? sent : nullptr;
    }

    /// Flips a bit in a commit that is known to have been acknowledged.
    void decay() {
        storage_->faults = {};
        storage_->set_capacity(UINT64_MAX);
        const bool is_crashed = random_.chance(0.5);
        if (is_crashed) {  // so that the damage lies in a segment that recovery has to scan
            auto process = start();
            verify(*process, nullptr);
            load(*process);
            storage_->crash(PowerLoss::Chance);
            process->reactor.run(process->store->stop());
            settle();
        }
        struct Place {
            std::string file;
            std::uint64_t begin, end, number;
            Fence fence;
            std::vector<std::pair<std::uint64_t, std::uint64_t>>
                covered;  // [begin, end) under a checksum
        };
        std::map<std::uint64_t, Place> commits;
        std::uint64_t proven = 0;
        {
            TestReactor reactor(storage_);
            const auto report = reactor.run(verify_log(
                reactor.disk(), "log",
                [&](const SegmentReport& segment, const ScannedCommit& commit,
                    const DirectoryEntry& entry, bool) {
                    auto& place = commits[commit.header.number];
                    place.file = segment.file;
                    place.begin = commit.position;
                    place.end = commit.end();
                    place.number = commit.header.number;
                    proven =
                        std::max({proven, commit.header.durable, segment.header.first_commit - 1});
                    if (place.covered.empty()) {
                        place.covered.emplace_back(place.begin, place.begin + sizeof(CommitHeader));
                        place.covered.emplace_back(place.begin + commit.header.directory_offset,
                                                   place.end);
                    }
                    if (entry.is_control()) return;
                    place.covered.emplace_back(place.begin + entry.offset,
                                               place.begin + entry.offset + entry.bytes);
                    const auto [lost, is_new] = place.fence.lost.try_emplace(
                        entry.shard, entry.first_ordinal, entry.first_ordinal + entry.count);
                    if (!is_new) lost->second.second = entry.first_ordinal + entry.count;
                }));
            REQUIRE(report.has_value());
            REQUIRE_MESSAGE(report->is_sound(), to_text(*report));
            for (const auto& segment : report->lanes[0].segments)
                if (segment.is_sealed) proven = std::max(proven, segment.last_commit);
        }
        std::erase_if(commits, [&](const auto& item) { return item.first > proven; });
        if (commits.empty()) return;
        if (is_crashed &&
            random_.chance(0.8)) {  // in the segment that recovery will scan, when it has a choice
            const auto newest = commits.rbegin()->second.file;
            std::erase_if(commits, [&](const auto& item) { return item.second.file != newest; });
        }
        auto chosen = commits.begin();
        std::advance(chosen, static_cast<std::ptrdiff_t>(random_.below(commits.size())));
        const auto& place = chosen->second;
        const auto [begin, end] = place.covered[random_.below(place.covered.size())];
        const std::uint64_t offset = begin + random_.below(end - begin);
        storage_->flip_bit(place.file, offset, static_cast<unsigned>(random_.below(8)));
        ++flips;
        {
            TestReactor reactor(storage_);
            const auto report = reactor.run(verify_log(reactor.disk(), "log"));
            REQUIRE(report.has_value());
            REQUIRE_MESSAGE(!report->is_sound(),
                            "a flipped bit in an acknowledged commit was not found");
            ++flips_found;
        }
        auto process = start();
        verify(*process, &place.fence);
        load(*process);  // and the log goes on
        drain(*process);
        process->reactor.run(process->store->stop());
        settle();
        process = start();
        verify(*process, &place.fence);
        process->reactor.run(process->store->stop());
    }

 public:
    std::uint64_t acknowledged = 0, damage_reported = 0, flips = 0, flips_found = 0;

 private:
    Random random_;
    std::shared_ptr<SimStorage> storage_;
    std::vector<std::unique_ptr<Sent>> sent_;
    std::size_t settled_ = 0;
    std::map<std::uint32_t, Model> models_;
};

}  // namespace

TEST_CASE("log simulation: nothing acknowledged is lost, nothing damaged is served") {
    std::uint64_t first = number_from_environment("TIDEMILL_SEED", 0);
    const std::uint64_t count = first != 0 ? 1 : number_from_environment("TIDEMILL_SEEDS", 200);
    if (first == 0) first = 1;
    std::uint64_t acknowledged = 0, flips = 0, found = 0, reported = 0;
    for (std::uint64_t seed = first; seed < first + count; ++seed) {
        CAPTURE(seed);
        set_check_context(fmt::format("TIDEMILL_SEED={}", seed));
        World world(seed);
        world.run();
        acknowledged += world.acknowledged;
        flips += world.flips;
        found += world.flips_found;
        reported += world.damage_reported;
    }
    MESSAGE(fmt::format(
        "{} seeds, {} appends acknowledged, {} bits flipped, {} of them in data, {} reads refused",
        count, acknowledged, flips, found, reported));
    if (count > 50) {
        CHECK_GT(acknowledged, count * 20);
        CHECK_GT(found, flips / 2);
        CHECK_GT(reported, 0);
    }
}
