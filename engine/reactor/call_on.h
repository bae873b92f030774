#pragma once

#include <exception>
#include <future>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_future.hpp>

#include "engine/base/check.h"
#include "engine/io/suspension.h"
#include "engine/io/task.h"
#include "engine/reactor/reactor.h"

namespace tidemill {

template <class T>
struct TaskValue;
template <class T>
struct TaskValue<Task<T>> {
    using type = T;
};

/// One call to another core: lives in the caller's frame; the other core fills in the outcome and
/// posts back.
template <class Make>
class CrossCoreCall {
 public:
    using T = typename TaskValue<std::invoke_result_t<Make&>>::type;
    using Value = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

    CrossCoreCall(Reactor& home, Reactor& target) : home_(home), target_(target) {}

    Task<void> run(Make make) {
        return suspension_.wait([this, make = std::move(make)]() mutable {
            target_.post([this, make = std::move(make)]() mutable {
                boost::asio::co_spawn(target_.context().get_executor(),
                                      carry_out(*this, std::move(make)), boost::asio::detached);
            });
        });
    }
    T take() {
        if (failure_) std::rethrow_exception(failure_);
        if constexpr (!std::is_void_v<T>) return std::move(*value_);
    }

 private:
    static Task<void> carry_out(CrossCoreCall& call, Make made) {
        Reactor& home = call.home_;
        {
            std::optional<Make> make(std::move(made));
            try {
                if constexpr (std::is_void_v<T>) {
                    co_await (*make)();
                } else {
                    call.value_.emplace(co_await (*make)());
                }
            } catch (...) {
                call.failure_ = std::current_exception();
            }
        }
        // After this the caller may be gone: nothing of `call` is touched here any more.
        home.post([&call] { call.suspension_.resume(); });
    }

    Reactor& home_;
    Reactor& target_;
    Suspension suspension_;
    std::optional<Value> value_;
    std::exception_ptr failure_;
};

/// Runs `make()` (which returns a Task<T>) on `target` and resumes here with its value or
/// exception: the only way across cores. On the same core it is an ordinary call. Ownership: `make`
/// is moved to the other core and destroyed there; it captures values, never references to this
/// core. Core: any reactor; from elsewhere see run_on.
template <class Make>
auto call_on(Reactor& target, Make make) -> std::invoke_result_t<Make&> {
    if (&target == Reactor::current_or_null()) co_return co_await make();
    CrossCoreCall<Make> call(Reactor::current(), target);
    co_await call.run(std::move(make));
    co_return call.take();
}

/// The same for a thread that is no reactor (main, tests): blocks until the task has ended.
template <class Make>
auto run_on(Reactor& target, Make make) -> typename TaskValue<std::invoke_result_t<Make&>>::type {
    TM_CHECK(Reactor::current_or_null() == nullptr, "a reactor must not block on another");
    return boost::asio::co_spawn(target.context().get_executor(), std::move(make),
                                 boost::asio::use_future)
        .get();
}

}  // namespace tidemill
