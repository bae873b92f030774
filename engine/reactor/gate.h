#pragma once

#include <cstddef>

#include "engine/base/time.h"
#include "engine/io/suspension.h"
#include "engine/io/task.h"
#include "engine/reactor/signal.h"

namespace tidemill {

/// Counts the tasks of one owner, so that stopping can wait for them. Every spawned task lives in
/// one. Core: one. The destructor TM_CHECKs that it is empty.
class Gate {
 public:
    Gate() = default;
    Gate(const Gate&) = delete;
    Gate& operator=(const Gate&) = delete;
    ~Gate();

    bool is_closed() const { return closed_; }
    std::size_t inside() const { return inside_; }

    /// Refuses new tasks from now on, wakes those in sleep_until, and resumes when the last one has
    /// left. Once.
    Task<void> close();

    void enter();  ///< TM_CHECKs that it is not closed
    void leave();

    /// For a task inside: sleeps until `when` of the reactor's clock. False when the gate closes
    /// before, or has.
    Task<bool> sleep_until(MonoTime when);

 private:
    std::size_t inside_ = 0;
    bool closed_ = false;
    Signal closing_;
    Suspension closer_;
};

}  // namespace tidemill
