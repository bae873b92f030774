#pragma once

#include "engine/base/time.h"
#include "engine/io/task.h"

namespace tidemill {

/// Where tasks of one core wait for something to change, each with a deadline. Nothing is
/// remembered: whoever waits checks its condition before and after. Core: one. The destructor
/// TM_CHECKs that nobody waits.
class Signal {
 public:
    Signal() = default;
    Signal(const Signal&) = delete;
    Signal& operator=(const Signal&) = delete;
    ~Signal();

    /// Resumes with true after notify_all, with false at `deadline` of the reactor's clock
    /// (MonoTime::max() for none) or when the reactor stops.
    Task<bool> wait_until(MonoTime deadline);
    /// Wakes all who wait now, in the order they came; they run after the caller has returned to
    /// the run loop.
    void notify_all();
    /// Wakes the one that waits longest: for what only one can have. Whoever leaves some of it
    /// wakes the next.
    void notify_first();
    bool has_waiters() const { return first_ != nullptr; }

 private:
    class Waiter;
    Waiter* first_ = nullptr;
    Waiter* last_ = nullptr;
};

}  // namespace tidemill
