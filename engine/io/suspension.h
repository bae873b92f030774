#pragma once

#include <functional>
#include <utility>

#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "engine/base/check.h"
#include "engine/io/task.h"

namespace tidemill {

/// A place where one coroutine waits for one event that somebody else brings. Lives in the waiting
/// coroutine's frame or in an object that outlives the wait. If it is destroyed while somebody
/// waits, the waiting coroutine is destroyed. Core: one.
class Suspension {
 public:
    /// Suspends; `start` runs once the coroutine is suspended and arranges for the event. It must
    /// not resume itself.
    template <class Start>
    Task<void> wait(Start start) {
        TM_CHECK(!resume_, "two coroutines wait at one suspension");
        using Token = boost::asio::use_awaitable_t<boost::asio::io_context::executor_type>;
        Token token;
        return boost::asio::async_initiate<Token, void()>(
            [this, start = std::move(start)](auto handler) mutable {
                resume_ = std::move(handler);
                start();
            },
            token);
    }

    bool is_waiting() const { return static_cast<bool>(resume_); }

    /// Continues the waiting coroutine here and now; returns when it suspends again or ends, and
    /// *this may be gone.
    void resume() { std::exchange(resume_, nullptr)(); }

    /// Continues it from the run loop: for callers that must not be re-entered.
    void resume_soon(boost::asio::io_context& context) {
        boost::asio::post(context, std::exchange(resume_, nullptr));
    }

 private:
    std::move_only_function<void()> resume_;
};

}  // namespace tidemill
