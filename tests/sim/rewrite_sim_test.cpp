// Retention and rewriting on a simulated disk: mixed retentions that change, trims, max_bytes and
// deletions, with power lost at any call; in half of the worlds batches are small and get packed.
// After each recovery and in between: what is acknowledged and still owed is there once, in order,
// byte for byte, with its own arrival; what has expired or was trimmed is not read; a position by
// time is that of the first record so late; verify finds nothing wrong. TIDEMILL_SEED=N runs one
// seed, TIDEMILL_SEEDS=M that many, both M from N on.
#include <cstdlib>
#include <map>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "engine/log/local_log_store.h"
#include "engine/log/verify.h"
#include "engine/reactor/test_reactor.h"

using namespace tidemill;

namespace {

constexpr std::uint32_t kShards = 5;

std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

std::string text_of(std::uint32_t shard, Ordinal ordinal, std::size_t bytes) {
    auto text = fmt::format("{}/{}/", shard, ordinal);
    text.resize(std::max(bytes, text.size()), static_cast<char>('a' + (shard + ordinal) % 26));
    return text;
}

struct Batch {
    Ordinal first, end;
    std::int64_t arrival_ms;
    std::size_t bytes;
    bool is_arrival_known = true;
};

/// What the world knows of one shard.
struct Shard {
    std::uint32_t uid = 0;
    ShardPolicy policy;
    std::vector<Batch> stored;    // acknowledged or seen
    Ordinal next = 0;             // as of the last look
    std::int64_t expired_ms = 0;  // what arrived before it had expired at some time
    Ordinal may_go = 0;           // records before it need not be there
    Ordinal trimmed = 0;          // records before it must not be read
    bool is_unsure = false;       // an append of unknown outcome is not yet looked for
};

class World {
 public:
    explicit World(std::uint64_t seed)
        : random_(seed), storage_(std::make_shared<SimStorage>(seed)), is_small_(seed % 2 == 0) {}

    void run() {
        for (std::uint32_t i = 0; i < kShards; ++i)
            add_shard();
        const auto lives = 2 + random_.below(3);
        for (std::uint64_t life = 0; life < lives; ++life)
            live_once();
        end_all();
    }

    std::uint64_t rewritten = 0, packed = 0, crashes = 0, batches_seen = 0, packed_seen = 0;

 private:
    struct Process {
        explicit Process(World& world) : reactor(world.storage_) {
            LogConfig config;
            config.lane_count = 1;
            config.first_segment_bytes = config.segment_bytes = 1_MiB;
            config.block_bytes = 64_KiB;
            config.tail_cache_bytes = 128_KiB;
            config.read_cache_bytes = 2_MiB;
            config.footer_cache_bytes = 16_KiB;
            config.rewrite_gain_min = 16_KiB;
            if (world.is_small_) {
                config.first_segment_bytes = config.segment_bytes = 256_KiB;
                config.tail_cache_bytes = 64_KiB;
                config.pack_gain_min = 1;
                config.pack_gain_share = 0.1;
            }
            config.packs = world.is_small_;
            config.seed = world.random_.next() | 1;
            config.report = [this](const std::string& text) { reports += text + "\n"; };
            reactor.clock().jump_wall(std::chrono::milliseconds(world.now_ms_) -
                                      reactor.clock().wall_now().time_since_epoch());
            store = std::make_unique<LocalLogStore>(std::vector<Reactor*>{&reactor}, config);
        }
        TestReactor reactor;
        std::unique_ptr<LocalLogStore> store;
        std::string reports;
        bool is_lost() { return reactor.disk().is_lost(); }
    };

    Shard& add_shard() {
        auto& shard = shards_[++last_uid_];
        shard.uid = last_uid_;
        shard.policy = policy();
        return shard;
    }
    ShardPolicy policy() {
        constexpr std::chrono::hours kHours[] = {1h, 1h, 3h, 87'600h};
        ShardPolicy policy;
        policy.retention = kHours[random_.below(4)];
        if (random_.chance(0.25)) policy.max_bytes = 100'000 + random_.below(1'000'000);
        return policy;
    }

    std::unique_ptr<Process> start() {
        auto process = std::make_unique<Process>(*this);
        auto opened = process->reactor.run(process->store->open());
        // Failures that were meant for the process before.
        for (int i = 0; i < 10 && !opened && opened.error().code == Errc::IoFailed; ++i) {
            process->reactor.run(process->store->stop());
            process = std::make_unique<Process>(*this);
            opened = process->reactor.run(process->store->open());
        }
        REQUIRE_MESSAGE(opened.has_value(), (opened ? "" : opened.error().to_string()));
        std::vector<std::pair<ShardUid, ShardPolicy>> policies;
        for (const auto& [uid, shard] : shards_)
            policies.emplace_back(ShardUid{uid}, shard.policy);
        REQUIRE(process->reactor.run(process->store->configure_shards(policies)).has_value());
        REQUIRE(
            process->reactor.run(process->store->drop_unconfigured_shards(ShardUid{last_uid_ + 1}))
                .has_value());
        for (auto& [uid, shard] : shards_)
            learn_unsure(*process, shard);
        return process;
    }

    /// An append of unknown outcome is there or not; from now on it stays so.
    void learn_unsure(Process& process, Shard& shard) {
        if (!shard.is_unsure) return;
        const auto tail = process.reactor.run(process.store->tail(ShardUid{shard.uid}));
        if (!tail && process.is_lost()) return;
        REQUIRE_MESSAGE(tail.has_value(), (tail ? "" : tail.error().to_string()));
        shard.is_unsure = false;
        while (!maybe_[shard.uid].empty()) {
            const auto batch = maybe_[shard.uid].front();
            maybe_[shard.uid].erase(maybe_[shard.uid].begin());
            if (batch.end <= tail->end && batch.first >= shard.next) {
                shard.stored.push_back(batch);
                shard.next = batch.end;
            }
        }
        REQUIRE_EQ(tail->end, shard.next);
    }

    void live_once() {
        auto process = start();
        verify(*process);
        const auto steps = 30 + random_.below(60);
        const auto crash_step = random_.below(steps * 2);
        if (random_.chance(0.2))
            storage_->set_capacity(storage_->used_bytes() + random_.below(2_MiB));
        for (std::uint64_t i = 0; i < steps && !process->is_lost(); ++i) {
            for (auto n = random_.below(is_small_ ? 60 : 12); n > 0 && !process->is_lost(); --n)
                append(*process);
            if (i == crash_step) storage_->crash_after(random_.below(150));
            if (random_.chance(0.02)) storage_->set_capacity(UINT64_MAX);
            if (random_.chance(0.15)) change(*process);
            if (random_.chance(0.05)) storage_->fail_next(SimCall::Write, EIO, random_.below(20));
            rest(*process);
            if (random_.chance(0.1) && !process->is_lost()) verify(*process);
        }
        const auto stats = process->reactor.run(process->store->stats()).at(0);
        rewritten += stats.segments_rewritten;
        packed += stats.segments_packed;
        if (random_.chance(0.7) && !process->is_lost()) storage_->crash();
        if (process->is_lost()) ++crashes;
        storage_->crash_after(UINT64_MAX);
        storage_->set_capacity(UINT64_MAX);
        process->reactor.run(process->store->stop());
        check_sound();
    }

    void check_sound() {
        TestReactor reactor(storage_);
        const auto report = reactor.run(verify_log(reactor.disk(), "log"));
        REQUIRE_MESSAGE(report.has_value(), (report ? "" : report.error().to_string()));
        REQUIRE_MESSAGE(report->is_sound(), to_text(*report));
    }

    void rest(Process& process) {
        const std::chrono::milliseconds time{random_.chance(0.5) ? 3'000 : random_.below(900'000)};
        for (auto left = time; left > 0ms && !process.is_lost(); left -= 30s)
            process.reactor.advance(std::min<std::chrono::milliseconds>(left, 30s));
        if (process.is_lost()) process.reactor.run_until_idle();
        now_ms_ = to_millis(process.reactor.clock().wall_now());
        for (auto& [uid, shard] : shards_) {
            note_policy(shard);
            if (!process.is_lost()) learn_unsure(process, shard);
        }
    }

    /// Of a bounded shard the newest half of the bound must stay, whatever the estimate.
    void note_policy(Shard& shard) {
        shard.expired_ms =
            std::max(shard.expired_ms, now_ms_ - std::int64_t{shard.policy.retention.count()});
        if (shard.policy.max_bytes == 0) return;
        std::uint64_t bytes = 0;
        for (std::size_t i = shard.stored.size(); i-- > 0;) {
            bytes += shard.stored[i].bytes;
            if (bytes <= shard.policy.max_bytes / 2) continue;
            shard.may_go = std::max(shard.may_go, shard.stored[i].end);
            return;
        }
    }

    Shard& any_shard() {
        auto at = shards_.begin();
        std::advance(at, static_cast<std::ptrdiff_t>(random_.below(shards_.size())));
        return at->second;
    }

    void append(Process& process) {
        auto& shard = any_shard();
        if (shard.is_unsure) return;
        std::unique_ptr<ShardWriter> writer;
        process.reactor.run_in_turn([&] {
            if (auto opened = process.store->open_writer(ShardUid{shard.uid}, {}))
                writer = std::move(*opened);
        });
        if (!writer) return;
        RecordBatchBuilder builder;
        const bool is_lone = is_small_ && !random_.chance(0.02);
        const auto count = static_cast<std::uint32_t>(1 + random_.below(is_lone ? 2 : 10));
        const std::size_t size = is_lone ? 20 + random_.below(150) : 800;
        for (std::uint32_t i = 0; i < count; ++i)
            builder.add("", as_bytes(text_of(shard.uid, shard.next + i, size)));
        const auto built = builder.finish();
        const std::size_t bytes = built.bytes().size();
        const auto result = process.reactor.run(writer->append(built));
        process.reactor.run_in_turn([&] { writer.reset(); });
        Batch batch{shard.next, shard.next + count, to_millis(result.arrival), bytes};
        if (result.outcome == Outcome::Committed) {
            REQUIRE_EQ(result.first_ordinal, shard.next);
            shard.stored.push_back(batch);
            shard.next = batch.end;
        } else if (result.outcome == Outcome::Unknown) {
            batch.arrival_ms = now_ms_;
            batch.is_arrival_known = false;
            maybe_[shard.uid].push_back(batch);
            shard.is_unsure = true;
        }
    }

    void change(Process& process) {
        auto& shard = any_shard();
        const auto kind = random_.below(4);
        const ShardUid uid{shard.uid};
        if (kind == 0) {
            (void)process.reactor.run(process.store->configure_shard(uid, {.is_deleted = true}));
            shards_.erase(shard.uid);
            maybe_.erase(uid.value);
            auto& fresh = add_shard();
            (void)process.reactor.run(
                process.store->configure_shard(ShardUid{fresh.uid}, fresh.policy));
        } else if (kind == 1 && shard.next > 0) {
            const Ordinal before = random_.below(shard.next + 1);
            shard.may_go = std::max(shard.may_go, before);
            if (process.reactor.run(process.store->trim(uid, before)))
                shard.trimmed = std::max(shard.trimmed, before);
        } else {
            note_policy(shard);
            shard.policy = policy();
            (void)process.reactor.run(process.store->configure_shard(uid, shard.policy));
            note_policy(shard);
        }
    }

    void verify(Process& process) {
        now_ms_ = to_millis(process.reactor.clock().wall_now());
        for (auto& [uid, shard] : shards_)
            if (!shard.is_unsure) verify(process, shard);
    }

    void verify(Process& process, Shard& shard) {
        note_policy(shard);
        std::map<Ordinal, std::int64_t> seen;  // when each record arrived
        Ordinal at = 0;
        while (true) {
            const auto result = process.reactor.run(process.store->read(
                ShardUid{shard.uid}, at,
                {.bytes = 1 + static_cast<std::size_t>(random_.below(60'000))}));
            if (!result && result.error().code == Errc::IoFailed) return;  // the disk is gone
            REQUIRE_MESSAGE(
                result.has_value(),
                fmt::format("{}\n{}", (result ? "" : result.error().to_string()), process.reports));
            if (result->batches.empty()) break;
            for (const auto& slice : result->batches) {
                const auto batch = RecordBatchView::parse_stamped(slice.bytes);
                REQUIRE((batch && batch->payload_is_intact()));
                REQUIRE_EQ(batch->header().shard, shard.uid);
                REQUIRE_GE(batch->end_ordinal(), at);
                REQUIRE_GT(batch->end_ordinal(), shard.trimmed);
                REQUIRE_GE(batch->header().arrival_ms,
                           now_ms_ - std::int64_t{shard.policy.retention.count()});
                RecordCursor cursor(*batch);
                RecordView record;
                while (cursor.next(record)) {
                    REQUIRE_EQ(as_text(record.data),
                               text_of(shard.uid, cursor.ordinal(), record.data.size()));
                    if (cursor.ordinal() < at) continue;
                    REQUIRE(seen.emplace(cursor.ordinal(), to_millis(cursor.arrival())).second);
                }
                REQUIRE(cursor.status().has_value());
                at = batch->end_ordinal();
                ++batches_seen;
                if (batch->is_packed()) ++packed_seen;
            }
        }
        for (const auto& batch : shard.stored) {
            if (batch.end <= shard.may_go || batch.arrival_ms < shard.expired_ms) continue;
            for (Ordinal ordinal = std::max(batch.first, shard.may_go); ordinal < batch.end;
                 ++ordinal) {
                const auto found = seen.find(ordinal);
                REQUIRE_MESSAGE(
                    found != seen.end(),
                    fmt::format("record {} of {} to {} of shard {} is missing; it arrived {} ms "
                                "before what has expired, there are {} from {} on\n{}",
                                ordinal, batch.first, batch.end, shard.uid,
                                shard.expired_ms - batch.arrival_ms, seen.size(),
                                seen.empty() ? 0 : seen.begin()->first, process.reports));
                if (batch.is_arrival_known) REQUIRE_EQ(found->second, batch.arrival_ms);
            }
        }
        verify_times(process, shard, seen);
    }

    /// A few positions by time; `seen` is what there is to read.
    void verify_times(Process& process, const Shard& shard,
                      const std::map<Ordinal, std::int64_t>& seen) {
        for (int i = 0; i < 3 && !seen.empty(); ++i) {
            auto one = seen.begin();
            std::advance(one, static_cast<std::ptrdiff_t>(random_.below(seen.size())));
            const std::int64_t at = one->second;
            const auto first = std::ranges::partition_point(
                seen, [at](const auto& record) { return record.second < at; });
            const auto found =
                process.reactor.run(process.store->seek_time(ShardUid{shard.uid}, from_millis(at)));
            if (!found && found.error().code == Errc::IoFailed) return;  // the disk is gone
            REQUIRE_MESSAGE(found.has_value(), (found ? "" : found.error().to_string()));
            const auto tail = process.reactor.run(process.store->tail(ShardUid{shard.uid}));
            if (!tail) return;
            // Time has gone on: what has expired meanwhile is passed over.
            REQUIRE_MESSAGE(
                (*found == first->first || (*found > first->first && *found <= tail->trim)),
                fmt::format("shard {}: {} is said to be the first since {}, it is {}", shard.uid,
                            *found, at, first->first));
        }
    }

    /// Without anything that is owed the log shrinks to next to nothing.
    void end_all() {
        auto process = start();
        verify(*process);
        for (const auto& [uid, shard] : shards_)
            (void)process->reactor.run(
                process->store->configure_shard(ShardUid{uid}, {.is_deleted = true}));
        process->reactor.advance(120s);
        const auto used = storage_->used_bytes();
        process->reactor.run(process->store->stop());
        check_sound();
        CHECK_MESSAGE(used < 1_MiB + 400_KiB, used, "\n", process->reports, what_is_left());
    }

    std::string what_is_left() {
        TestReactor reactor(storage_);
        const auto report = reactor.run(verify_log(reactor.disk(), "log"));
        std::string text = report ? to_text(*report) : report.error().to_string();
        if (const auto names = reactor.disk().list("log/lane-0000"))
            for (const auto& name : *names)
                text += fmt::format("{} {}\n", name,
                                    storage_->contents("log/lane-0000/" + name)->size());
        return text;
    }

    Random random_;
    std::shared_ptr<SimStorage> storage_;
    bool is_small_;  // batches are
    std::int64_t now_ms_ = 1'800'000'000'000;
    std::uint32_t last_uid_ = 0;
    std::map<std::uint32_t, Shard> shards_;
    std::map<std::uint32_t, std::vector<Batch>> maybe_;
};

}  // namespace

TEST_CASE("rewriting simulation: what is owed is never missing, never twice") {
    std::uint64_t first = number_from_environment("TIDEMILL_SEED", 0);
    const std::uint64_t count = number_from_environment("TIDEMILL_SEEDS", first != 0 ? 1 : 40);
    if (first == 0) first = 1;
    std::uint64_t rewritten = 0, packed = 0, crashes = 0, seen = 0, packed_seen = 0;
    for (std::uint64_t seed = first; seed < first + count; ++seed) {
        CAPTURE(seed);
        set_check_context(fmt::format("TIDEMILL_SEED={}", seed));
        World world(seed);
        world.run();
        rewritten += world.rewritten;
        packed += world.packed;
        packed_seen += world.packed_seen;
        crashes += world.crashes;
        seen += world.batches_seen;
    }
    MESSAGE(
        fmt::format("{} seeds, {} segments rewritten, {} of them packed, {} losses of power, {} "
                    "batches read, {} of them packed",
                    count, rewritten, packed, crashes, seen, packed_seen));
    if (count > 20) {
        CHECK_GT(rewritten, count);
        CHECK_GT(packed, count / 2);
        CHECK_GT(packed_seen, count);
        CHECK_GT(crashes, count / 2);
    }
}

// The header of a form that was given up may stand in its file, and a removed name comes back when
// the power goes: then it must not claim a number whose neighbours have gone.
TEST_CASE("what a failure leaves of a rewriting never outlives the segments beside it") {
    constexpr std::uint64_t kCallsMax = 200;
    constexpr std::uint64_t kWorlds = 8;  // of each
    int failed = 0;
    const auto live_once = [&](SimCall call, std::uint64_t skip, std::uint64_t world) {
        auto storage = std::make_shared<SimStorage>(skip * kWorlds + world + 1);
        bool is_met = false;
        {
            TestReactor reactor(storage);
            LogConfig config;
            config.lane_count = 1;
            config.first_segment_bytes = config.segment_bytes = 256_KiB;
            config.rewrite_gain_min = 16_KiB;
            config.seed = skip + 3;
            LocalLogStore store({&reactor}, config);
            REQUIRE(reactor.run(store.open()).has_value());
            for (std::uint32_t shard = 1; shard <= 2; ++shard)
                (void)reactor.run(store.configure_shard(ShardUid{shard}, {}));
            Ordinal next[3] = {};
            for (int i = 0; i < 72; ++i) {
                const std::uint32_t shard = i % 6 == 0 ? 2 : 1;
                std::unique_ptr<ShardWriter> writer;
                reactor.run_in_turn([&] { writer = *store.open_writer(ShardUid{shard}, {}); });
                RecordBatchBuilder builder;
                builder.add("", as_bytes(text_of(shard, next[shard], 20'000)));
                const auto result = reactor.run(writer->append(builder.finish()));
                reactor.run_in_turn([&] { writer.reset(); });
                if (result.outcome == Outcome::Committed) ++next[shard];
            }
            (void)reactor.run(store.trim(ShardUid{1}, next[1]));
            const auto begun = storage->calls(call);
            storage->fail_next(call, EIO, skip);
            for (int i = 0; i < 20 && !is_met; ++i) {
                reactor.advance(1s);
                is_met = storage->calls(call) > begun + skip;
            }
            // From here on nothing makes a name durable by the way.
            for (std::uint32_t shard = 1; shard <= 2; ++shard)
                (void)reactor.run(store.trim(ShardUid{shard}, next[shard]));
            reactor.advance(3s);
            storage->crash();
            reactor.run_until_idle();
            reactor.run(store.stop());
        }
        TestReactor reactor(storage);
        const auto report = reactor.run(verify_log(reactor.disk(), "log"));
        REQUIRE(report.has_value());
        REQUIRE_MESSAGE(report->is_sound(), to_text(*report));
        return is_met;
    };
    for (const SimCall call : {SimCall::Write, SimCall::Directory}) {
        bool is_met = true;
        for (std::uint64_t skip = 0; is_met && skip < kCallsMax; ++skip)
            for (std::uint64_t world = 0; world < kWorlds; ++world) {
                CAPTURE(static_cast<int>(call));
                CAPTURE(skip);
                CAPTURE(world);
                is_met = live_once(call, skip, world);
                failed += is_met;
            }
    }
    MESSAGE(fmt::format("{} calls failed", failed));
    CHECK_GT(failed, 200);
}

TEST_CASE("power lost at any call of a rewriting leaves the old segment or the new one") {
    constexpr std::uint64_t kCallsMax = 2000;
    int rewritten = 0, untouched = 0;
    for (std::uint64_t calls = 0; calls < kCallsMax; ++calls) {
        CAPTURE(calls);
        auto storage = std::make_shared<SimStorage>(calls + 1);
        LogConfig config;
        config.lane_count = 1;
        config.first_segment_bytes = config.segment_bytes = 1_MiB;
        config.rewrite_gain_min = 16_KiB;
        config.seed = calls + 3;
        Ordinal next[3] = {};
        const auto append = [&](TestReactor& reactor, LocalLogStore& store, std::uint32_t shard) {
            std::unique_ptr<ShardWriter> writer;
            reactor.run_in_turn([&] { writer = *store.open_writer(ShardUid{shard}, {}); });
            RecordBatchBuilder builder;
            for (std::uint32_t i = 0; i < 20; ++i)
                builder.add("", as_bytes(text_of(shard, next[shard] + i, 2000)));
            const auto result = reactor.run(writer->append(builder.finish()));
            reactor.run_in_turn([&] { writer.reset(); });
            REQUIRE_EQ(result.outcome, Outcome::Committed);
            next[shard] += 20;
        };
        bool is_lost = false;
        {
            TestReactor reactor(storage);
            LocalLogStore store({&reactor}, config);
            REQUIRE(reactor.run(store.open()).has_value());
            for (std::uint32_t shard = 1; shard <= 2; ++shard)
                (void)reactor.run(store.configure_shard(ShardUid{shard}, {}));
            for (int i = 0; i < 24; ++i) {
                append(reactor, store, 1);
                append(reactor, store, i % 3 == 0 ? 2 : 1);
            }
            (void)reactor.run(store.trim(ShardUid{1}, next[1] - 20));
            storage->crash_after(calls);
            for (int i = 0; i < 20 && !reactor.disk().is_lost(); ++i)
                reactor.advance(1s);
            is_lost = reactor.disk().is_lost();
            storage->crash_after(UINT64_MAX);
            reactor.run(store.stop());
        }
        {
            TestReactor reactor(storage);
            const auto report = reactor.run(verify_log(reactor.disk(), "log"));
            REQUIRE(report.has_value());
            REQUIRE_MESSAGE(report->is_sound(), to_text(*report));
            const bool has_new =
                std::ranges::any_of(report->lanes[0].segments, [](const auto& segment) {
                    return segment.is_live && segment.header.is_rewritten();
                });
            ++(has_new ? rewritten : untouched);
        }
        TestReactor reactor(storage);
        LocalLogStore store({&reactor}, config);
        REQUIRE(reactor.run(store.open()).has_value());
        for (std::uint32_t shard = 1; shard <= 2; ++shard)
            (void)reactor.run(store.configure_shard(ShardUid{shard}, {}));
        for (std::uint32_t shard = 1; shard <= 2; ++shard) {
            Ordinal at = shard == 1 ? next[1] - 20 : 0;
            REQUIRE_EQ(reactor.run(store.tail(ShardUid{shard}))->end, next[shard]);
            while (at < next[shard]) {
                const auto result = reactor.run(store.read(ShardUid{shard}, at, {}));
                REQUIRE_MESSAGE(result.has_value(), (result ? "" : result.error().to_string()));
                REQUIRE_FALSE(result->batches.empty());
                REQUIRE_EQ(
                    RecordBatchView::parse_stamped(result->batches[0].bytes)->first_ordinal(), at);
                at = result->next;
            }
        }
        reactor.run(store.stop());
        if (!is_lost) break;  // it went through to its end: there is no later call
    }
    MESSAGE(
        fmt::format("{} times the old segments, {} times a rewritten one", untouched, rewritten));
    CHECK_GT(untouched, 5);
    CHECK_GT(rewritten, 5);
}
