// Idempotent producers over one lane on a simulated disk: each repeats what it has no answer to,
// through crashes, failed writes, full disks, lost answers and closed shards, all from one seed.
// Afterwards each record is stored exactly once, in its producer's order, where its answer said.
// TIDEMILL_SEED=N runs one seed; TIDEMILL_SEEDS=N runs that many.
#include <cstdlib>
#include <deque>
#include <map>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "engine/log/local_log_store.h"
#include "engine/reactor/test_reactor.h"

using namespace tidemill;

namespace {

constexpr std::uint32_t kShards = 3;
constexpr std::uint64_t kProducers = 4;
constexpr std::size_t kInFlightMax = 6;  // fewer than the log remembers

std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

/// One sending of a batch; the batch may be sent many times.
struct Sending : AppendOp {
    std::size_t batch = 0;
    bool is_ended = false;
};

/// One producer's way into one shard.
struct Path {
    std::uint64_t producer = 0;
    std::uint32_t shard = 0, next_sequence = 0;
    std::uint64_t next_record = 0;
    std::deque<std::vector<std::byte>> batches;  // not answered
    std::size_t answered = 0;                    // how many came before them
    std::size_t sent = 0;                        // of `batches`, from the front
    bool must_repeat = false;                    // from the front, once nothing is in flight
    std::map<std::size_t, Ordinal> places;       // by batch
    std::map<std::size_t, std::vector<std::byte>> recent;  // answered lately
    std::vector<std::unique_ptr<Sending>> in_flight;
};

struct Tally {
    std::uint64_t stored = 0, duplicates = 0, repeated = 0, crashes = 0;
};

class World {
 public:
    World(std::uint64_t seed, Tally& tally)
        : random_(seed), storage_(std::make_shared<SimStorage>(seed)), tally_(tally) {
        for (std::uint64_t producer = 1; producer <= kProducers; ++producer)
            for (std::uint32_t shard = 0; shard < kShards; ++shard) {
                auto& path = paths_.emplace_back();
                path.producer = producer;
                path.shard = shard;
                // Some wrap on the way.
                path.next_sequence =
                    random_.chance(0.3) ? UINT32_MAX - static_cast<std::uint32_t>(random_.below(90))
                                        : 0;
            }
    }

    void run() {
        const auto lives = 3 + random_.below(4);
        for (std::uint64_t life = 0; life < lives; ++life)
            live_once(life + 1 == lives);
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
            config.tail_cache_bytes = 256_KiB;
            config.pending_bytes_max = 128_KiB;
            config.seed = world.random_.next() | 1;
            store = std::make_unique<LocalLogStore>(std::vector<Reactor*>{&reactor}, config);
        }
        Status open() {
            TRY(reactor.run(store->open()));
            std::vector<std::pair<ShardUid, ShardPolicy>> policies;
            for (std::uint32_t shard = 0; shard < kShards; ++shard)
                policies.emplace_back(ShardUid{shard}, ShardPolicy{});
            return reactor.run(store->configure_shards(policies));
        }
        ShardWriter* writer(std::uint32_t shard) {
            auto& writer = writers[shard];
            if (!writer)
                if (auto opened = store->open_writer(ShardUid{shard}, {}); opened)
                    writer = std::move(*opened);
            return writer.get();
        }
        TestReactor reactor;
        std::unique_ptr<LocalLogStore> store;
        std::map<std::uint32_t, std::unique_ptr<ShardWriter>> writers;
    };

    std::unique_ptr<Process> start() {
        for (int attempt = 0;; ++attempt) {
            auto process = std::make_unique<Process>(*this);
            const auto opened = process->open();
            if (opened && !process->reactor.disk().is_lost()) return process;
            if (opened) process->reactor.run(process->store->stop());
            REQUIRE_MESSAGE(attempt < 3, opened.error().to_string());
            storage_->crash_after(UINT64_MAX);
        }
    }

    void live_once(bool is_last) {
        storage_->faults = {};
        storage_->set_capacity(UINT64_MAX);
        storage_->crash_after(random_.chance(0.2) ? random_.below(40) : UINT64_MAX);  // in recovery
        auto process = start();
        storage_->crash_after(UINT64_MAX);
        if (!is_last) {
            if (random_.chance(0.4)) storage_->faults.write_error = 0.01;
            if (random_.chance(0.2)) storage_->faults.sync_error = 0.05;
            if (random_.chance(0.5)) storage_->faults.slow = 0.2;
            if (random_.chance(0.3))
                storage_->set_capacity(storage_->used_bytes() + random_.below(2_MiB));
            if (random_.chance(0.8)) storage_->crash_after(20 + random_.below(300));
        }
        load(*process, is_last);
        if (is_last) {
            finish(*process);
        } else if (!process->reactor.disk().is_lost() && random_.chance(0.7)) {
            storage_->crash();
        }
        tally_.crashes += process->reactor.disk().is_lost();
        drain(*process);
        process->reactor.run_in_turn([&] { process->writers.clear(); });
        process->reactor.run(process->store->stop());
        collect();
        for (auto& path : paths_)
            REQUIRE_MESSAGE(path.in_flight.empty(), "an append has not ended");
    }

    void load(Process& process, bool is_last) {
        const auto steps = 50 + random_.below(250);
        const bool is_manual = random_.chance(0.5);
        storage_->set_manual(is_manual);
        for (std::uint64_t i = 0; i < steps && !process.reactor.disk().is_lost(); ++i) {
            process.reactor.run_in_turn([&] {
                for (auto n = random_.below(4); n > 0; --n)
                    step(process, paths_[random_.below(paths_.size())], true);
            });
            for (auto n = is_manual ? random_.below(6) : 0; n > 0 && storage_->step(); --n)
                process.reactor.run_until_idle();
            collect();
            if (random_.chance(0.05))
                process.reactor.advance(std::chrono::milliseconds(random_.below(1500)));
            if (random_.chance(0.02)) storage_->set_capacity(UINT64_MAX);
        }
        storage_->set_manual(false);
        if (is_last || random_.chance(0.3)) drain(process);
        if (is_last) settle(process);
    }

    void drain(Process& process) {
        while (storage_->step())
            process.reactor.run_until_idle();
        collect();
    }

    /// Until every batch is answered.
    void settle(Process& process) {
        storage_->faults = {};
        storage_->set_capacity(UINT64_MAX);
        for (int round = 0;; ++round) {
            REQUIRE_MESSAGE(round < 500, "a producer gets no answer");
            bool is_done = true;
            process.reactor.run_in_turn([&] {
                for (auto& path : paths_)
                    while (step(process, path, false)) {
                    }
            });
            process.reactor.advance(200ms);
            collect();
            for (const auto& path : paths_)
                is_done = is_done && path.batches.empty();
            if (is_done) return;
        }
    }

    /// Sends the next batch of the path, an old one again, or a new one. False: nothing to send.
    bool step(Process& process, Path& path, bool may_add) {
        ShardWriter* writer = process.writer(path.shard);
        if (writer == nullptr) return false;
        if (may_add && !path.recent.empty() && random_.chance(0.05)) {
            const auto at =
                std::next(path.recent.begin(),
                          static_cast<std::ptrdiff_t>(random_.below(path.recent.size())));
            send(*writer, path, at->first, at->second);
        }
        if (path.must_repeat) {
            if (!path.in_flight.empty()) return false;
            path.must_repeat = false;
            tally_.repeated += path.sent;
            path.sent = 0;
        }
        if (path.sent >= kInFlightMax) return false;
        if (path.sent == path.batches.size()) {
            if (!may_add) return false;
            path.batches.push_back(make(path));
        }
        const std::size_t batch = path.answered + path.sent;
        send(*writer, path, batch, path.batches[path.sent]);
        ++path.sent;
        return true;
    }

    std::vector<std::byte> make(Path& path) {
        const auto count = static_cast<std::uint32_t>(1 + random_.below(6));
        const std::size_t bytes = random_.chance(0.03) ? 30'000 : random_.below(800);
        RecordBatchBuilder builder;
        for (std::uint32_t i = 0; i < count; ++i) {
            auto text = fmt::format("{}/{}/", path.producer, path.next_record + i);
            text.resize(text.size() + bytes, 'x');
            builder.add("", as_bytes(text));
        }
        const auto view = builder.finish(path.producer, path.next_sequence);
        path.next_sequence += count;
        path.next_record += count;
        return {view.bytes().begin(), view.bytes().end()};
    }

    void send(ShardWriter& writer, Path& path, std::size_t batch,
              const std::vector<std::byte>& bytes) {
        auto sending = std::make_unique<Sending>();
        sending->batch = batch;
        sending->shard = ShardUid{path.shard};
        sending->batch = batch;
        static_cast<AppendOp&>(*sending).batch = *RecordBatchView::parse(bytes);
        sending->done = [](AppendOp& op) noexcept {
            auto& self = static_cast<Sending&>(op);
            TM_CHECK(!self.is_ended, "an append ends twice");
            self.is_ended = true;
        };
        writer.submit(*sending);
        path.in_flight.push_back(std::move(sending));
    }

    void collect() {
        for (auto& path : paths_) {
            std::size_t kept = 0;
            for (auto& sending : path.in_flight) {
                if (!sending->is_ended) {
                    path.in_flight[kept++] = std::move(sending);
                    continue;
                }
                take(path, *sending);
            }
            path.in_flight.resize(kept);
        }
    }

    void take(Path& path, const Sending& sending) {
        const auto& result = sending.result;
        if (result.outcome == Outcome::Committed) {
            const auto [at, is_new] = path.places.emplace(sending.batch, result.first_ordinal);
            REQUIRE_MESSAGE(at->second == result.first_ordinal,
                            "one batch was answered with two places");
            REQUIRE_MESSAGE((result.is_duplicate || is_new), "a batch was stored twice");
            tally_.duplicates += result.is_duplicate;
            tally_.stored += !result.is_duplicate;
        } else {
            REQUIRE_MESSAGE((result.error.code != Errc::SequenceConflict &&
                             result.error.code != Errc::SequenceStale),
                            result.error.to_string());
        }
        if (sending.batch < path.answered) return;
        // Answers come in the order of sending; a lost or a bad one means: from here again.
        const bool is_front = sending.batch == path.answered;
        if (path.must_repeat || !is_front || result.outcome != Outcome::Committed ||
            random_.chance(0.05)) {
            path.must_repeat = true;
            return;
        }
        path.recent[path.answered] = std::move(path.batches.front());
        // Those sent after it take places in what the log remembers.
        while (path.recent.size() > 8 - kInFlightMax)
            path.recent.erase(path.recent.begin());
        path.batches.pop_front();
        ++path.answered;
        --path.sent;
    }

    /// Every record once, in order, where its answer said. Then the shards are closed, and still
    /// know what they hold.
    void finish(Process& process) {
        std::map<std::pair<std::uint32_t, std::uint64_t>, std::uint64_t> next;
        std::map<std::uint32_t, std::map<Ordinal, bool>> begins;
        for (std::uint32_t shard = 0; shard < kShards; ++shard) {
            for (Ordinal at = 0;;) {
                const auto result =
                    process.reactor.run(process.store->read(ShardUid{shard}, at, {}));
                REQUIRE(result.has_value());
                if (result->batches.empty()) break;
                for (const auto& slice : result->batches) {
                    const auto batch = RecordBatchView::parse_stamped(slice.bytes);
                    REQUIRE((batch && batch->payload_is_intact()));
                    // A packed batch holds many that were sent.
                    begins[shard][batch->first_ordinal()] = true;
                    RecordCursor cursor(*batch);
                    for (RecordView record; cursor.next(record);) {
                        unsigned long producer = 0, number = 0;
                        REQUIRE_EQ(std::sscanf(std::string(as_text(record.data)).c_str(),
                                               "%lu/%lu/", &producer, &number),
                                   2);
                        REQUIRE_EQ(number, (next[{shard, producer}]++));
                        if (batch->is_packed()) begins[shard][cursor.ordinal()] = true;
                    }
                    at = batch->end_ordinal();
                }
            }
        }
        for (auto& path : paths_) {
            REQUIRE_EQ(path.batches.size(), 0);
            REQUIRE_EQ((next[{path.shard, path.producer}]), path.next_record);
            for (const auto& [batch, place] : path.places)
                REQUIRE(begins[path.shard].contains(place));
        }
        for (std::uint32_t shard = 0; shard < kShards; ++shard)
            REQUIRE(process.reactor.run(process.store->seal(ShardUid{shard}, {})).has_value());
        process.reactor.run_in_turn([&] {
            for (auto& path : paths_)
                if (!path.recent.empty())
                    send(*process.writer(path.shard), path, path.recent.rbegin()->first,
                         path.recent.rbegin()->second);
        });
        process.reactor.advance(200ms);
        for (auto& path : paths_)
            for (const auto& sending : path.in_flight)
                REQUIRE_MESSAGE(sending->result.is_duplicate, sending->result.error.to_string());
        collect();
    }

    Random random_;
    std::shared_ptr<SimStorage> storage_;
    Tally& tally_;
    std::deque<Path> paths_;
};

}  // namespace

TEST_CASE("idempotent producers store each record exactly once, whatever the disk does") {
    const std::uint64_t one = number_from_environment("TIDEMILL_SEED", 0);
    const std::uint64_t seeds = number_from_environment("TIDEMILL_SEEDS", 150);
    Tally tally;
    for (std::uint64_t seed = one != 0 ? one : 1; seed <= (one != 0 ? one : seeds); ++seed) {
        CAPTURE(seed);
        set_check_context(fmt::format("TIDEMILL_SEED={}", seed));
        World(seed, tally).run();
    }
    MESSAGE(fmt::format("{} batches stored, {} duplicates recognised, {} sent again, {} crashes",
                        tally.stored, tally.duplicates, tally.repeated, tally.crashes));
    if (one == 0) {
        CHECK_GT(tally.duplicates, seeds);
        CHECK_GT(tally.crashes, seeds);
    }
}
