#include "engine/reactor/reactor.h"

#include <cstdlib>
#include <exception>

#include <boost/asio/co_spawn.hpp>
#include <spdlog/spdlog.h>

namespace tidemill {
namespace {

thread_local Reactor* this_thread = nullptr;

/// A task's errors are values; what arrives here is a bug or a failed allocation, and the state
/// behind it is unknown.
[[noreturn]] void die_of(const std::exception_ptr& exception) {
    try {
        std::rethrow_exception(exception);
    } catch (const std::exception& error) {
        spdlog::critical("a task ended with an exception: {}", error.what());
    } catch (...) {
        spdlog::critical("a task ended with an exception of unknown type");
    }
    spdlog::default_logger()->flush();
    std::abort();
}

}  // namespace

Reactor& Reactor::current() {
    TM_CHECK(this_thread != nullptr, "this thread is no reactor");
    return *this_thread;
}

Reactor* Reactor::current_or_null() { return this_thread; }

Reactor::CurrentScope::CurrentScope(Reactor& reactor) : previous_(this_thread) {
    this_thread = &reactor;
}

Reactor::CurrentScope::~CurrentScope() { this_thread = previous_; }

void Reactor::spawn(Gate& gate, Task<void> task) {
    TM_CHECK(this_thread == this, "spawn on another core");
    gate.enter();
    boost::asio::co_spawn(context().get_executor(), std::move(task),
                          [&gate](const std::exception_ptr& exception) {
                              if (exception) die_of(exception);
                              gate.leave();
                          });
}

Task<void> Reactor::sleep_until(MonoTime when) {
    Signal nobody;
    co_await nobody.wait_until(when);
}

}  // namespace tidemill
