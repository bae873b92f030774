#include "tests/sim/log_world.h"

namespace tidemill::sim {

void LogWorld::load(LogProcess& process) {
    for (std::size_t i = 0; i < shards_.size(); ++i) {
        if (shards_[i].is_deleted || !random_.chance(0.6)) continue;
        auto& follower = *followers_.emplace_back(std::make_unique<Follower>());
        follower.shard = i;
        follower.at = random_.below(shards_[i].end_least + 1);
        const std::size_t core = random_.below(process.cores.size());
        process.cores.run_in_turn(core, [&] {
            process.cores.at(core).spawn(*process.gates[core], follow(this, &process, &follower));
        });
    }
    const bool is_manual = random_.chance(0.5);
    storage_->set_manual(is_manual);
    const auto steps = 10 + random_.below(random_.chance(0.2) ? 300 : 100);
    for (std::uint64_t i = 0; i < steps && !process.is_lost(); ++i) {
        step(process);
        for (auto n = is_manual ? random_.below(6) : 0; n > 0 && storage_->step(); --n)
            process.cores.run_until_idle();
    }
    // Often the end comes with writes in flight.
    if (random_.chance(0.5)) step(process);
    if (random_.chance(0.3))
        while (storage_->step())
            process.cores.run_until_idle();
}

void LogWorld::step(LogProcess& process) {
    const std::size_t core = random_.below(process.cores.size());
    process.cores.run_in_turn(core, [&] {
        for (auto n = random_.below(6); n > 0; --n)
            append(process, core);
    });
    if (random_.chance(0.06)) meddle(process);
    if (random_.chance(0.03)) leap(process);
    if (random_.chance(0.1)) process.cores.advance(std::chrono::milliseconds(random_.below(1500)));
    if (random_.chance(0.01))  // also a disk that does nothing for so long, when it is by hand
        process.cores.advance(std::chrono::seconds(random_.below(1200)));
    if (random_.chance(0.01)) storage_->set_capacity(UINT64_MAX);
    if (is_memory() && random_.chance(0.02)) let_tick(process);
    time(process);
}

void LogWorld::append(LogProcess& process, std::size_t core) {
    auto& shard = shards_[random_.below(shards_.size())];
    if (shard.is_deleted && random_.chance(0.8)) return;
    const std::uint32_t epoch = random_.chance(0.1)
                                    ? static_cast<std::uint32_t>(1 + random_.below(shard.epoch))
                                    : shard.epoch;
    auto* writer = process.writer(core, shard, epoch);
    if (writer != nullptr) submit(process, core, shard, *writer, epoch);
}

void LogWorld::submit(LogProcess& process, std::size_t, ShardModel& shard, ShardWriter& writer,
                      std::uint32_t epoch) {
    const bool is_large = random_.chance(0.01);
    const auto records = static_cast<std::uint32_t>(1 + random_.below(is_large ? 3 : 6));
    const std::size_t bytes = is_large ? 20'000 + random_.below(60'000)
                                       : 10 + random_.below(random_.chance(0.2) ? 3000 : 300);
    auto& sent = ledger_.add(journal_, shard, records, bytes);
    sent.epoch = epoch;
    sent.life = life_;
    sent.sent_ms = now_ms_;
    // On one core a new owner's word holds at once.
    const bool is_fenced = process.cores.size() == 1 && epoch < shard.epoch_here;
    sent.may_commit = !shard.is_sealed && !shard.is_gone && !is_fenced;
    writer.submit(sent);
}

void LogWorld::meddle(LogProcess& process) {
    const std::size_t core = random_.below(process.cores.size());
    auto& shard = shards_[random_.below(shards_.size())];
    if (shard.is_deleted) return;
    const auto spawn = [&](Task<void> task) {
        process.cores.run_in_turn(
            core, [&] { process.cores.at(core).spawn(*process.gates[core], std::move(task)); });
    };
    const auto kind = random_.below(20);
    if (kind < 8) {
        const Ordinal before = random_.below(shard.end_least + 1);
        journal_.note("    trim shard {} before {}", shard.uid, before);
        spawn(trim(this, &process, &shard, before));
    } else if (kind < 10) {
        // As a reshard does: all parents at once.
        std::vector<ShardModel*> parents{&shard};
        for (auto& other : shards_)
            if (&other != &shard && !other.is_deleted && other.epoch == shard.epoch &&
                random_.chance(0.1))
                parents.push_back(&other);
        for (const auto* parent : parents)
            journal_.note("    seal shard {}", parent->uid);
        spawn(seal(this, &process, std::move(parents)));
    } else if (kind < 12) {
        journal_.note("    delete shard {}", shard.uid);
        shard.is_deleted = true;
        ++counts.deletions;
        spawn(configure(&process, &shard, ShardPolicy{shard.retention, true}));
    } else if (kind < 17) {
        shard.retention = std::chrono::minutes(2 + random_.below(1200));
        shard.least_retention = std::min(shard.least_retention, shard.retention);
        journal_.note("    shard {} keeps {} ms", shard.uid, shard.retention.count());
        spawn(configure(&process, &shard, ShardPolicy{shard.retention, false}));
    } else if (!shard.is_seal_asked) {
        process.cores.run_in_turn(core, [&] {
            if (process.writer(core, shard, shard.epoch + 1) != nullptr) ++shard.epoch;
        });
    }
}

void LogWorld::leap(LogProcess& process) {
    const auto hours = static_cast<std::int64_t>(random_.below(36'000'000)) - 18'000'000;
    const std::int64_t by_ms = random_.chance(0.3)   ? hours / 5000
                               : random_.chance(0.9) ? hours
                                                     : hours * 5000;
    journal_.note("    the clock leaps by {} ms", by_ms);
    for (std::size_t core = 0; core < process.cores.size(); ++core)
        process.cores.at(core).clock().jump_wall(std::chrono::milliseconds(by_ms));
    slack_ms_ += 5000;  // as much as the log follows at once
    ++counts.leaps;
}

// Durability `memory`: a tick of the log syncs what has been written before.
void LogWorld::let_tick(LogProcess& process) {
    write_out(process);
    for (int tick = 0; tick < 2; ++tick) {
        process.cores.advance(config_.tick);
        while (storage_->step())
            process.cores.run_until_idle();
    }
    if (process.is_lost() || is_tight_) return;
    journal_.note("    synced");
    secure();
}

// In good weather everything ends, and every reader comes to the end without being asked again.
void LogWorld::come_to_rest(LogProcess& process) {
    storage_->set_manual(false);
    for (int round = 0; round < 2; ++round) {
        while (storage_->step())
            process.cores.run_until_idle();
        process.cores.advance(config_.tick + std::chrono::seconds(2));
    }
    time(process);
    for (std::size_t i = settled_; i < ledger_.size(); ++i)
        journal_.expect(ledger_.at(i).is_ended, "append {} never ends", i);
    for (const auto& follower : followers_) {
        const auto& shard = shards_[follower->shard];
        if (shard.is_deleted) continue;
        const auto tail = process.run(process.store->tail(shard.uid));
        journal_.expect(tail.has_value(), "shard {} has no tail", shard.uid);
        journal_.expect(follower->at >= tail->end,
                        "a reader of shard {} waits at {}, and the shard ends at {}", shard.uid,
                        follower->at, tail->end);
    }
}

Task<void> LogWorld::follow(LogWorld* world, LogProcess* process, Follower* follower) {
    auto& shard = world->shards_[follower->shard];
    auto& reactor = Reactor::current();
    auto& random = world->random_;
    while (!process->is_closing) {
        const auto deadline =
            reactor.clock().mono_now() + std::chrono::milliseconds(1 + random.below(600'000));
        const auto tail = co_await process->store->wait_tail(shard.uid, follower->at, deadline);
        if (!tail) {
            world->journal_.expect(tail.error().code != Errc::NotFound || shard.is_deleted,
                                   "shard {} is not found", shard.uid);
            co_return;
        }
        if (tail->end <= follower->at && tail->is_sealed) co_return;
        if (tail->end <= follower->at) continue;
        auto result = co_await process->store->read(
            shard.uid, follower->at, {.bytes = 1 + static_cast<std::size_t>(random.below(30'000))});
        if (result) {
            world->take(*process, shard, follower->at, *result);
            continue;
        }
        const auto code = result.error().code;
        if (code == Errc::NotFound || code == Errc::Unavailable) co_return;
        if (code == Errc::Corrupt) {
            follower->at = world->after_damage(*process, shard, follower->at, result.error());
            continue;
        }
        world->journal_.note("    a follower of shard {} is told {}", shard.uid,
                             result.error().to_string());
        co_await process->gates[reactor.id().value]->sleep_until(
            reactor.clock().mono_now() + std::chrono::milliseconds(1 + random.below(500)));
    }
}

Task<void> LogWorld::trim(LogWorld* world, LogProcess* process, ShardModel* shard, Ordinal before) {
    shard->trim_asked = std::max(shard->trim_asked, before);
    if (co_await process->store->trim(shard->uid, before)) {
        shard->trimmed = std::max(shard->trimmed, before);
        ++world->counts.trims;
    }
}

Task<void> LogWorld::seal(LogWorld* world, LogProcess* process, std::vector<ShardModel*> shards) {
    std::vector<ShardUid> uids;
    for (auto* shard : shards) {
        shard->is_seal_asked = true;
        uids.push_back(shard->uid);
    }
    const Ownership owner{shards.front()->epoch};
    const auto tails = co_await process->store->seal_shards(std::move(uids), owner);
    for (std::size_t i = 0; i < shards.size(); ++i) {
        auto& shard = *shards[i];
        const auto& tail = tails[i];
        if (!tail) continue;
        world->journal_.expect(tail->is_sealed, "shard {} is sealed and says it is not", shard.uid);
        world->journal_.expect(!shard.sealed_end || shard.sealed_end == tail->end,
                               "shard {} was sealed at {} and ends at {}", shard.uid,
                               shard.sealed_end.value_or(0), tail->end);
        shard.is_sealed = true;
        shard.sealed_end = tail->end;
        ++world->counts.seals;
    }
}

Task<void> LogWorld::configure(LogProcess* process, ShardModel* shard, ShardPolicy policy) {
    if (co_await process->store->configure_shard(shard->uid, policy))
        shard->is_gone = shard->is_gone || policy.is_deleted;
}

}  // namespace tidemill::sim
