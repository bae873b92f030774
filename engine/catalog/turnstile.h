#pragma once

#include <deque>

#include <boost/asio/basic_waitable_timer.hpp>

#include "engine/io/task.h"

namespace tidemill {

/// Lets one task in at a time, in the order of arrival: work on shared state that suspends. Core:
/// one.
class Turnstile {
 public:
    /// Leaves in its destructor.
    class Pass {
     public:
        explicit Pass(Turnstile& owner) : owner_(&owner) {}
        Pass(Pass&& other) noexcept : owner_(std::exchange(other.owner_, nullptr)) {}
        Pass& operator=(Pass&&) = delete;
        ~Pass() {
            if (owner_ != nullptr) owner_->leave();
        }

     private:
        Turnstile* owner_;
    };

    Task<Pass> enter();

 private:
    using Timer =
        boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                          boost::asio::wait_traits<std::chrono::steady_clock>,
                                          boost::asio::io_context::executor_type>;
    void leave();

    std::deque<Timer*> waiting_;
    bool busy_ = false;
};

}  // namespace tidemill
