#pragma once

#include <cstdint>
#include <list>

#include <boost/asio/steady_timer.hpp>

#include "engine/base/time.h"
#include "engine/io/task.h"

namespace tidemill {

/// Those who wait for a store's next revision. Core: the one thread that owns the store's state.
class RowWatch {
 public:
    /// Resumes when `revision` (the owner's counter, which outlives the task) exceeds `beyond`, or
    /// at `deadline`.
    Task<void> wait(const std::uint64_t& revision, std::uint64_t beyond, MonoTime deadline);
    /// The counter has moved, or the store is closing (then waiters resume too).
    void notify();
    void close();

 private:
    using Timer =
        boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                          boost::asio::wait_traits<std::chrono::steady_clock>,
                                          boost::asio::io_context::executor_type>;
    std::list<Timer> waiting_;
    bool closed_ = false;
};

}  // namespace tidemill
