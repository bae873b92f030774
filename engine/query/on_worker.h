#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "engine/io/blocking_worker.h"
#include "engine/reactor/reactor.h"
#include "engine/reactor/signal.h"

namespace tidemill::query {

/// Runs `call` on the worker's thread and resumes on `reactor`, the current one, with what it
/// returned. Ownership: whatever `call` speaks of outlives it; worker and reactor outlive the task.
template <class Call>
auto on_worker(BlockingWorker& worker, Reactor& reactor, Call call)
    -> Task<decltype(std::declval<Call&>()())> {
    struct Shared {
        std::optional<decltype(std::declval<Call&>()())> result;
        Signal done;
    };
    const auto shared = std::make_shared<Shared>();
    worker.post([&reactor, shared, call = std::move(call)]() mutable {
        auto result = call();
        reactor.post([shared, result = std::move(result)]() mutable {
            shared->result = std::move(result);
            shared->done.notify_all();
        });
    });
    while (!shared->result)
        co_await shared->done.wait_until(MonoTime::max());
    co_return std::move(*shared->result);
}

}  // namespace tidemill::query
