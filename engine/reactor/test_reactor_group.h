#pragma once

#include <memory>
#include <vector>

#include "engine/base/random.h"
#include "engine/reactor/test_reactor.h"

namespace tidemill {

/// The cores of a simulated process on the calling thread. They take turns in an order that the
/// seed chooses, over one simulated storage, and their clocks go on together: the same seed gives
/// the same run. Contracts as for TestReactor.
class TestReactorGroup {
 public:
    TestReactorGroup(const std::shared_ptr<SimStorage>& storage, std::uint32_t cores,
                     std::uint64_t seed);

    std::size_t size() const { return reactors_.size(); }
    TestReactor& at(std::size_t core) { return *reactors_[core]; }
    std::vector<Reactor*> all();

    WallTime wall_now() { return reactors_[0]->clock().wall_now(); }
    MonoTime mono_now() { return reactors_[0]->clock().mono_now(); }
    void set_wall(WallTime to);

    void run_until_idle();
    void advance(std::chrono::nanoseconds by);
    /// Runs `task` on a core to its end while all cores take turns.
    template <class T>
    T run(std::size_t core, Task<T> task) {
        return reactors_[core]->drive(std::move(task), [this](const bool& ended) {
            while (!ended) {
                if (turn()) continue;
                TM_CHECK(ended || jump_to_next_alarm(MonoTime::max()),
                         "the task waits for something that nobody will do");
            }
        });
    }
    /// Calls `work` as if from a turn of the core, then runs until all are idle.
    template <class Work>
    void run_in_turn(std::size_t core, Work work) {
        {
            const TestReactor::CurrentScope scope(*reactors_[core]);
            work();
        }
        run_until_idle();
    }

 private:
    bool turn();
    bool jump_to_next_alarm(MonoTime limit);

    Random random_;
    std::vector<std::unique_ptr<TestReactor>> reactors_;
};

}  // namespace tidemill
