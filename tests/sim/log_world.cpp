#include "tests/sim/log_world.h"

namespace tidemill::sim {

LogWorld::LogWorld(std::uint64_t seed, bool is_verbose)
    : journal_(seed, is_verbose),
      random_(seed),
      storage_(std::make_shared<SimStorage>(seed)),
      cores_(random_.chance(0.25) ? 2 : 1),
      config_(draw_config(random_, cores_)) {
    shards_.reserve(64);  // tasks hold references
    for (auto n = 1 + random_.below(5); n > 0; --n)
        new_shard();
    storage_->set_direct(random_.chance(0.8));
    if (random_.chance(0.2)) {
        config_.durability = LogDurability::Memory;
        config_.disk_budget_bytes = 0;
    }
}

LogWorld::~LogWorld() = default;

ShardModel& LogWorld::new_shard() {
    auto& shard = shards_.emplace_back(ShardUid{static_cast<std::uint32_t>(shards_.size())});
    if (random_.chance(0.3))
        shard.retention = shard.least_retention =
            std::chrono::minutes(2 + random_.below(random_.chance(0.5) ? 30 : 600));
    return shard;
}

void LogWorld::run() {
    const auto lives = 2 + random_.below(4);
    for (std::uint64_t n = 0; n < lives; ++n)
        live(n + 1 == lives);
    if (random_.chance(0.35)) decay();
}

void LogWorld::heal() {
    storage_->faults = {};
    storage_->set_capacity(UINT64_MAX);
    storage_->stay_powered();
}

void LogWorld::plan_faults() {
    auto& faults = storage_->faults;
    faults = {};
    if (random_.chance(0.5)) faults.slow = 0.2;
    if (random_.chance(0.4)) faults.early = 0.5;
    if (random_.chance(0.2)) faults.read_error = 0.02;
    if (random_.chance(0.15)) faults.punch_error = 0.3;
    const bool is_full = random_.chance(0.2);
    if (is_full) storage_->set_capacity(storage_->used_bytes() + random_.below(1_MiB));
    is_tight_ = is_full;
    // What has been acknowledged before its write is lost with a disk that fails.
    if (is_memory()) return;
    if (random_.chance(0.25)) faults.write_error = 0.01;
    if (random_.chance(0.2)) faults.sync_error = 0.1;
    if (random_.chance(0.15)) faults.directory_error = 0.1;
    if (random_.chance(0.7)) faults.short_write = 0.7;
}

std::unique_ptr<LogProcess> LogWorld::start() {
    for (int attempt = 0;; ++attempt) {
        config_.seed = random_.next() | 1;
        auto process = std::make_unique<LogProcess>(storage_, cores_, config_, journal_);
        // A machine's clock may have gone wrong while it was off; backwards it must do no harm.
        const std::int64_t wrong_ms =
            random_.chance(0.1) ? -static_cast<std::int64_t>(random_.below(7'200'000)) : 0;
        process->cores.set_wall(from_millis(now_ms_ + wrong_ms));
        wall_at_start_ms_ = now_ms_ + wrong_ms;
        real_at_start_ms_ = now_ms_;
        mono_seen_ = process->cores.mono_now();
        slack_ms_ = 2000;
        for (auto& shard : shards_)
            shard.epoch_here = 0;
        const auto opened = process->open(shards_);
        time(*process);
        if (opened && !process->is_lost()) return process;
        journal_.note("  not open: {}", opened ? "the power went" : opened.error().to_string());
        process->stop();
        const auto at_end = time(*process);
        for (auto& shard : shards_)
            shard.end_life(at_end);
        if (storage_->crashes() > counts.crashes) ++counts.recoveries_crashed;
        counts.crashes = storage_->crashes();
        journal_.expect(attempt < 4, "the log does not open on a healthy disk: {}",
                        opened ? "" : opened.error().to_string());
        if (attempt == 2) {
            heal();
        } else if (random_.chance(0.5)) {
            storage_->crash_after(random_.below(60));
        }
    }
}

void LogWorld::live(bool is_last) {
    ++life_;
    ++counts.lives;
    counts.in_memory += is_memory();
    if (random_.chance(0.3) && shards_.size() < 60) new_shard();
    heal();
    storage_->set_crash_style(random_.chance(0.5)   ? PowerLoss::Chance
                              : random_.chance(0.5) ? PowerLoss::ProcessOnly
                              : random_.chance(0.5) ? PowerLoss::LoseAll
                                                    : PowerLoss::KeepAll);
    if (random_.chance(0.3)) plan_faults();  // a recovery in bad weather
    storage_->set_capacity(UINT64_MAX);
    if (random_.chance(0.2)) storage_->crash_after(random_.below(60));
    if (life_ > 1 && random_.chance(0.2)) plant_stale();
    journal_.note("life {}: {} cores, {} lanes", life_, cores_, config_.lane_count);
    auto process = start();
    heal();
    check_all(*process);

    plan_faults();
    const bool is_stopped = is_last || random_.chance(0.25);
    if (!is_stopped) {
        switch (random_.below(4)) {
            case 0:  // while a segment rolls over: its file is made, its header written, its
                     // predecessor sealed
                storage_->crash_at(SimCall::Directory, random_.below(4));
                break;
            case 1:
                storage_->crash_at(SimCall::Sync, random_.below(4));
                break;
            default:
                storage_->crash_after(20 + random_.below(300));
        }
    }
    load(*process);
    const bool is_in_good_weather = is_stopped && random_.chance(0.7);
    if (is_in_good_weather) {
        heal();
        come_to_rest(*process);
    } else if (!is_stopped && !process->is_lost()) {
        const bool is_kill = random_.chance(0.3);
        const bool is_written = is_kill && random_.chance(0.7);
        if (is_written) {
            storage_->set_manual(false);
            write_out(*process);
        }
        journal_.note("  {}", is_kill ? "kill" : "crash");
        if (is_written && !is_tight_ && !process->is_lost()) killed_ = storage_->crashes() + 1;
        storage_->crash(is_kill ? PowerLoss::ProcessOnly : PowerLoss::Chance);
    }
    end(*process, is_in_good_weather);
    if (random_.chance(0.1)) check_offline();
}

// All that has been submitted, small commits of durability `memory` too, has left the process.
void LogWorld::write_out(LogProcess& process) {
    const auto drain = [&] {
        while (storage_->step())
            process.cores.run_until_idle();
    };
    drain();
    process.cores.advance(config_.write_behind);
    drain();
}

void LogWorld::end(LogProcess& process, bool is_in_good_weather) {
    const bool was_lost = process.is_lost();
    storage_->set_manual(false);
    while (storage_->step())
        process.cores.run_until_idle();
    if (process.is_open() && !was_lost)
        for (const auto& stats : process.run(process.store->stats())) {
            counts.segments += stats.segments;
            counts.reopened += stats.reopened;
            counts.rewritten += stats.segments_rewritten;
            counts.let_go += stats.segments_recycled + stats.segments_removed;
            journal_.expect(!is_in_good_weather || stats.pending_bytes == 0,
                            "at rest, {} bytes wait for the disk", stats.pending_bytes);
        }
    journal_.expect(!process.has_scrub_found || counts.flips > 0, "the scrub finds damage:\n{}",
                    process.reports);
    process.stop();
    if (is_in_good_weather && !was_lost) secure();
    is_doubtful_ = is_memory();
    if (is_tight_ && !is_in_good_weather) killed_ = UINT64_MAX;  // what found no room is lost
    const auto at_end = time(process);
    for (auto& shard : shards_)
        shard.end_life(at_end);
    counts.crashes = storage_->crashes();
    journal_.note("  ended{}", was_lost ? " with the power" : "");
    followers_.clear();
    settle();
}

void LogWorld::secure() {
    for (auto& shard : shards_)
        shard.secure();
}

void LogWorld::settle() {
    for (; settled_ < ledger_.size(); ++settled_) {
        const auto& sent = ledger_.at(settled_);
        auto& shard = shards_[sent.shard.value];
        journal_.expect(sent.is_ended, "append {} has not ended", sent.id);
        ++counts.appends;
        switch (sent.result.outcome) {
            case Outcome::Committed:
                ++counts.acknowledged;
                break;
            case Outcome::Unknown:
                ++counts.unknown;
                if (!sent.is_seen) shard.may_have(sent);
                break;
            case Outcome::Rejected:
            case Outcome::Fenced:
                ++counts.refused;
                journal_.expect(!sent.is_seen, "append {} was read and then refused", sent.id);
        }
    }
}

// Also takes in what has passed since the last call.
WorldTime LogWorld::time(LogProcess& process) {
    const auto mono = process.cores.mono_now();
    now_ms_ += std::chrono::floor<std::chrono::milliseconds>(mono.time_since_epoch()).count() -
               std::chrono::floor<std::chrono::milliseconds>(mono_seen_.time_since_epoch()).count();
    mono_seen_ = mono;
    return {.now_ms = now_ms_,
            .undisturbed_ms = wall_at_start_ms_ + now_ms_ - real_at_start_ms_,
            .life = life_,
            .slack_ms = slack_ms_};
}

void LogWorld::Counts::add(const Counts& other) {
    const auto take = [&](auto... member) { ((this->*member += other.*member), ...); };
    take(&Counts::lives, &Counts::appends, &Counts::acknowledged, &Counts::unknown,
         &Counts::refused, &Counts::followed, &Counts::crashes, &Counts::recoveries_crashed,
         &Counts::segments, &Counts::reopened, &Counts::trims, &Counts::seals, &Counts::deletions,
         &Counts::leaps, &Counts::let_go, &Counts::flips, &Counts::flips_in_data,
         &Counts::reads_refused, &Counts::in_memory, &Counts::rolled_back, &Counts::packed_batches,
         &Counts::rewritten, &Counts::stale);
}

std::string LogWorld::Counts::to_text() const {
    return fmt::format(
        "{} lives, {} crashes ({} in a recovery), {} reopened; {} appends: {} acknowledged, {} "
        "unknown, {} refused; {} batches followed; {} segments, {} let go; {} trims, {} seals, {} "
        "deletions, {} leaps of the clock; {} bits flipped ({} in data), {} reads refused; {} "
        "lives synced later, {} shards rolled back; {} segments rewritten, {} packed batches read, "
        "{} stale commits planted",
        lives, crashes, recoveries_crashed, reopened, appends, acknowledged, unknown, refused,
        followed, segments, let_go, trims, seals, deletions, leaps, flips, flips_in_data,
        reads_refused, in_memory, rolled_back, rewritten, packed_batches, stale);
}

}  // namespace tidemill::sim
