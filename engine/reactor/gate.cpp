#include "engine/reactor/gate.h"

#include "engine/base/check.h"
#include "engine/reactor/reactor.h"

namespace tidemill {

Gate::~Gate() { TM_CHECK(inside_ == 0, "a gate is destroyed with {} tasks inside", inside_); }

Task<void> Gate::close() {
    TM_CHECK(!closed_, "a gate is closed twice");
    closed_ = true;
    closing_.notify_all();
    if (inside_ == 0) co_return;
    co_await closer_.wait([] {});
}

void Gate::enter() {
    TM_CHECK(!closed_, "a task enters a closed gate");
    ++inside_;
}

void Gate::leave() {
    TM_CHECK(inside_ > 0, "a task leaves a gate it never entered");
    // Soon, not now: the closer may destroy this gate.
    if (--inside_ == 0 && closer_.is_waiting()) closer_.resume_soon(Reactor::current().context());
}

Task<bool> Gate::sleep_until(MonoTime when) {
    if (closed_) co_return false;
    co_return !co_await closing_.wait_until(when);
}

}  // namespace tidemill
