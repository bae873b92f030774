#pragma once

#include <cstddef>
#include <string>

#include "engine/io/task.h"

namespace tidemill {

/// Counts the tasks of one owner, so that stopping can wait for them. Every spawned task lives in one.
/// Core: one. The destructor TM_CHECKs that it is empty.
class Gate {
 public:
    Gate() = default;
    Gate(const Gate&) = delete;
    Gate& operator=(const Gate&) = delete;
    ~Gate();

    bool is_closed() const { return closed_; }
    std::size_t inside() const { return inside_; }

    /// Refuses new tasks from now on and resumes when the last one has left.
    Task<void> close();

    void enter();  ///< TM_CHECKs that it is not closed
    void leave();

 private:
    std::size_t inside_ = 0;
    bool closed_ = false;
    void* waiting_ = nullptr;  // a heap-held timer that close() sleeps on; see gate.cpp
};

}  // namespace tidemill
