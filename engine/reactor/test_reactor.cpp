#include "engine/reactor/test_reactor.h"

#include <algorithm>

namespace tidemill {

TestReactor::TestReactor(std::shared_ptr<SimStorage> storage, CoreId id)
    : id_(id),
      storage_(std::move(storage)),
      guard_(context_.get_executor()),
      disk_(storage_, context_) {}

TestReactor::~TestReactor() = default;

void TestReactor::post(std::move_only_function<void()> work) {
    // Other threads may post; they run in the next turn of whoever drives this reactor.
    if (mailbox_.put(std::move(work))) boost::asio::post(context_, [] {});
}

bool TestReactor::turn() {
    std::size_t work = mailbox_.run_all();
    work += context_.poll();
    work += alarms_.ring_due(clock_.mono_now());
    work += hooks_.run();
    if (work > 0) ++stats_.turns;
    return work > 0;
}

void TestReactor::run_until_idle() {
    const CurrentScope scope(*this);
    while (turn()) {
    }
}

bool TestReactor::jump_to_next_alarm(MonoTime limit) {
    const auto next = alarms_.next();
    if (!next || *next > limit) return false;
    if (*next > clock_.mono_now()) clock_.advance(*next - clock_.mono_now());
    return true;
}

void TestReactor::advance(std::chrono::nanoseconds by) {
    const MonoTime end = clock_.mono_now() + std::chrono::duration_cast<MonoTime::duration>(by);
    run_until_idle();
    while (jump_to_next_alarm(end))
        run_until_idle();
    clock_.advance(end - clock_.mono_now());
    run_until_idle();
}

}  // namespace tidemill
