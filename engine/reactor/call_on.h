#pragma once

#include <exception>
#include <future>
#include <type_traits>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include "engine/base/check.h"
#include "engine/io/task.h"
#include "engine/reactor/reactor.h"

namespace tidemill {

template <class T>
struct TaskValue;
template <class T>
struct TaskValue<Task<T>> {
    using type = T;
};

/// Runs `make()` (which returns a Task<T>) on `target` and resumes here with its value: the only
/// way across cores. On the same core it is an ordinary call. Ownership: `make` is moved to the
/// other core and destroyed there; it captures values, never references to this core.
template <class Make>
auto call_on(Reactor& target, Make make) -> std::invoke_result_t<Make&> {
    using T = typename TaskValue<std::invoke_result_t<Make&>>::type;
    if (&target == Reactor::current_or_null()) co_return co_await make();
    auto token = boost::asio::use_awaitable_t<boost::asio::io_context::executor_type>{};
    if constexpr (std::is_void_v<T>) {
        co_await boost::asio::co_spawn(target.context().get_executor(), std::move(make), token);
    } else {
        co_return co_await boost::asio::co_spawn(target.context().get_executor(), std::move(make),
                                                 token);
    }
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
