#pragma once

#include <functional>
#include <memory>
#include <string>

#include "engine/log/log_store.h"
#include "engine/reactor/reactor.h"

namespace tidemill::contract {

/// One LogStore under test, somewhere to run, and how to lose and find it again.
struct LogStoreUnderTest {
    virtual ~LogStoreUnderTest() = default;
    virtual LogStore& store() = 0;
    /// Runs a task on one of the reactors and returns when it has ended.
    virtual void run(std::function<Task<void>(LogStore&)> task) = 0;
    /// Stops the store and opens what it has left behind; shards are to be configured again.
    virtual void restart() = 0;
};

/// What every implementation of LogStore must hold. `make` gives a fresh, empty store.
void check_log_store(const std::function<std::unique_ptr<LogStoreUnderTest>()>& make);

}  // namespace tidemill::contract
