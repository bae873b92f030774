#pragma once

#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>

#include "engine/io/manual_clock.h"
#include "engine/io/sim_disk.h"
#include "engine/reactor/mailbox.h"
#include "engine/reactor/reactor.h"

namespace tidemill {

/// A reactor on the calling thread over a simulated disk and a clock moved by hand: nothing happens
/// but inside the functions below, and the same seed gives the same run. For tests and simulation.
/// Ownership: the storage is shared with whoever outlives this "process"; all gates are closed
/// before destruction.
class TestReactor final : public Reactor {
 public:
    explicit TestReactor(std::shared_ptr<SimStorage> storage = std::make_shared<SimStorage>(1),
                         CoreId id = CoreId{0});
    ~TestReactor() override;

    CoreId id() const override { return id_; }
    boost::asio::io_context& context() override { return context_; }
    SimDisk& disk() override { return disk_; }
    ManualClock& clock() override { return clock_; }
    ReactorStats stats() const override { return stats_; }
    void post(std::move_only_function<void()> work) override;

    SimStorage& storage() { return *storage_; }

    /// Runs turns until nothing is ready. Time stands still: sleepers stay asleep.
    void run_until_idle();
    /// Moves both clocks on by `by`, stopping at each alarm on the way to run what it wakes.
    void advance(std::chrono::nanoseconds by);
    /// Runs `task` to its end and returns its value. Whenever all is idle, time jumps to the next
    /// alarm; TM_CHECKs that the task does not wait for something that will never come. An
    /// exception out of the task is rethrown.
    template <class T>
    T run(Task<T> task) {
        const CurrentScope scope(*this);
        return drive(std::move(task), [this](const bool& ended) {
            while (!ended) {
                if (turn()) continue;
                TM_CHECK(ended || jump_to_next_alarm(MonoTime::max()),
                         "the task waits for something that nobody will do");
            }
        });
    }
    /// Calls `work` as if from a turn (Reactor::current is set), then runs until idle.
    template <class Work>
    void run_in_turn(Work work) {
        const CurrentScope scope(*this);
        work();
        run_until_idle();
    }

 private:
    friend class TestReactorGroup;
    bool turn();
    bool jump_to_next_alarm(MonoTime limit);
    /// Starts `task`, lets `until` run turns until it has ended, and takes its value.
    template <class T, class Until>
    T drive(Task<T> task, Until until);

    CoreId id_;
    std::shared_ptr<SimStorage> storage_;
    ManualClock clock_;
    boost::asio::io_context context_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_;
    SimDisk disk_;
    Mailbox mailbox_;
    ReactorStats stats_;
};

template <class T, class Until>
T TestReactor::drive(Task<T> task, Until until) {
    std::exception_ptr failure;
    bool ended = false;
    const auto end = [&](const std::exception_ptr& exception) {
        failure = exception;
        ended = true;
    };
    if constexpr (std::is_void_v<T>) {
        boost::asio::co_spawn(context_.get_executor(), std::move(task), end);
        until(ended);
        if (failure) std::rethrow_exception(failure);
    } else {
        std::optional<T> value;
        boost::asio::co_spawn(
            context_.get_executor(),
            [](Task<T> inner, std::optional<T>& into) -> Task<void> {
                into.emplace(co_await std::move(inner));
            }(std::move(task), value),
            end);
        until(ended);
        if (failure) std::rethrow_exception(failure);
        return std::move(*value);
    }
}

}  // namespace tidemill
