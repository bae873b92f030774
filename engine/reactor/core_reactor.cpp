#include "engine/reactor/core_reactor.h"

#include <algorithm>
#include <thread>

#include <fmt/format.h>
#include <pthread.h>
#include <sched.h>
#include <time.h>

#include "engine/base/check.h"

namespace tidemill {
namespace {

/// A turn is bounded, so that turn hooks and the disk get their chance under any load.
constexpr std::size_t kHandlersPerTurn = 512;
constexpr std::size_t kHandlersBetweenClocks = 2;
constexpr auto kTurnBudget = 150us;
/// A sleep is bounded: should a wake-up ever be lost, it costs this and not for ever.
constexpr auto kLongestSleep = 100ms;
constexpr auto kPublishEvery = 100ms;

/// What this thread has computed so far: the part of a sleep that was no sleep.
std::chrono::nanoseconds thread_time() {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
}

void pin_this_thread(std::uint32_t core) {
    cpu_set_t allowed;
    if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
    auto skip = core % static_cast<unsigned>(std::max(1, CPU_COUNT(&allowed)));
    for (unsigned cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
        if (!CPU_ISSET(cpu, &allowed) || skip-- != 0) continue;
        cpu_set_t chosen;
        CPU_ZERO(&chosen);
        CPU_SET(cpu, &chosen);
        ::pthread_setaffinity_np(::pthread_self(), sizeof chosen, &chosen);
        return;
    }
}

}  // namespace

CoreReactor::CoreReactor(CoreId id, const ReactorConfig& config)
    : id_(id),
      config_(config),
      spin_(config.spin),
      guard_(context_.get_executor()),
      wake_up_(context_),
      stall_watch_(id, config.stall_limit) {}

Status CoreReactor::open() {
    ::pthread_setname_np(::pthread_self(), fmt::format("tidemill/{}", id_.value).c_str());
    set_check_context(fmt::format("core {}", id_.value));
    if (config_.pin_to_core) pin_this_thread(id_.value);
    ASSIGN(disk_, make_disk(config_.data_directory, config_.disk, context_, config_.direct_io));
    disk_->after_sleep();  // awake: no completion needs to wake anybody
    return {};
}

void CoreReactor::run() {
    const CurrentScope scope(*this);
    MonoTime began = clock_.mono_now();
    MonoTime last_work = began;
    while (true) {
        const std::size_t work = turn();
        const MonoTime now = clock_.mono_now();
        if (work > 0) {
            ++counted_.turns;
            counted_.busy += now - began;
            stall_watch_.turn_ended(now, now - began);
            last_work = now;
        } else if (stopping_ && is_idle()) {
            break;
        } else if (now - last_work >= spin_) {
            sleep(now);
            const bool was_short = clock_.mono_now() - last_work < config_.spin_when_busy;
            spin_ = was_short ? config_.spin_when_busy : config_.spin;
        }
        began = clock_.mono_now();
        if (began - published_at_ >= kPublishEvery) publish_stats();
    }
    publish_stats();
    disk_.reset();
}

std::size_t CoreReactor::turn() {
    const MonoTime start = clock_.mono_now();
    std::size_t work = mailbox_.run_all();
    for (std::size_t handlers = 0; handlers < kHandlersPerTurn && context_.poll_one() > 0;) {
        ++work;
        if (++handlers % kHandlersBetweenClocks == 0 && clock_.mono_now() - start > kTurnBudget)
            break;
    }
    work += disk_->reap();
    if (alarms_.next()) work += alarms_.ring_due(stopping_ ? MonoTime::max() : clock_.mono_now());
    work += hooks_.run();
    disk_->submit();
    return work;
}

bool CoreReactor::is_idle() {
    return mailbox_.is_empty() && hooks_.is_empty() && disk_->in_flight() == 0;
}

void CoreReactor::sleep(MonoTime now) {
    if (const auto next = alarms_.next()) {
        if (*next <= now) return;
        if (wake_up_at_ != next) {
            wake_up_at_ = next;
            wake_up_.expires_at(*next);
            wake_up_.async_wait([](const boost::system::error_code&) {});
        }
    }
    if (disk_->before_sleep() && mailbox_.is_empty()) {
        // The handler that ends the sleep runs inside run_one_for, so its time is told from the
        // sleep's by the thread's own clock (a handler that blocks without computing goes unseen
        // here, not in the turns).
        const auto before = thread_time();
        context_.run_one_for(kLongestSleep);
        const auto took = thread_time() - before;
        ++counted_.sleeps;
        counted_.busy += took;
        stall_watch_.turn_ended(clock_.mono_now(), took);
    }
    disk_->after_sleep();
}

void CoreReactor::stop() {
    post([this] { stopping_ = true; });
}

void CoreReactor::post(std::move_only_function<void()> work) {
    // The handler only ends the sleep; the turn that follows runs the work, so that it is timed.
    if (mailbox_.put(std::move(work))) boost::asio::post(context_, [] {});
}

void CoreReactor::publish_stats() {
    counted_.stalls = stall_watch_.stalls();
    counted_.longest_turn = stall_watch_.longest();
    published_at_ = clock_.mono_now();
    const std::lock_guard lock(stats_mutex_);
    published_ = counted_;
}

ReactorStats CoreReactor::stats() const {
    const std::lock_guard lock(stats_mutex_);
    return published_;
}

}  // namespace tidemill
