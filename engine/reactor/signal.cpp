#include "engine/reactor/signal.h"

#include "engine/io/suspension.h"
#include "engine/reactor/alarm.h"
#include "engine/reactor/reactor.h"

namespace tidemill {

/// Lives in the frame of the waiting task; a node of the signal's list while it waits.
class Signal::Waiter final : public Alarm {
 public:
    Waiter(Signal& signal, Reactor& reactor) : signal_(signal), reactor_(reactor) {}

    Task<void> wait(MonoTime deadline) {
        return suspension_.wait([this, deadline] {
            previous_ = signal_.last_;
            (signal_.last_ == nullptr ? signal_.first_ : signal_.last_->next_) = this;
            signal_.last_ = this;
            if (deadline != MonoTime::max()) reactor_.alarms().arm(*this, deadline);
        });
    }

    void ring() override {
        leave();
        suspension_.resume_soon(reactor_.context());
    }
    void notify() {
        was_notified_ = true;
        reactor_.alarms().disarm(*this);
        leave();
        suspension_.resume_soon(reactor_.context());
    }
    bool was_notified() const { return was_notified_; }

 private:
    void leave() {
        (previous_ == nullptr ? signal_.first_ : previous_->next_) = next_;
        (next_ == nullptr ? signal_.last_ : next_->previous_) = previous_;
        next_ = previous_ = nullptr;
    }

    Signal& signal_;
    Reactor& reactor_;
    Waiter* next_ = nullptr;
    Waiter* previous_ = nullptr;
    Suspension suspension_;
    bool was_notified_ = false;
};

Signal::~Signal() { TM_CHECK(first_ == nullptr, "a signal is destroyed while a task waits at it"); }

Task<bool> Signal::wait_until(MonoTime deadline) {
    Waiter waiter(*this, Reactor::current());
    co_await waiter.wait(deadline);
    co_return waiter.was_notified();
}

void Signal::notify_all() {
    while (first_ != nullptr)
        first_->notify();
}

void Signal::notify_first() {
    if (first_ != nullptr) first_->notify();
}

}  // namespace tidemill
