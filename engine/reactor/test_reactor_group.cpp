#include "engine/reactor/test_reactor_group.h"

#include <algorithm>

namespace tidemill {

TestReactorGroup::TestReactorGroup(const std::shared_ptr<SimStorage>& storage, std::uint32_t cores,
                                   std::uint64_t seed)
    : random_(seed) {
    for (std::uint32_t core = 0; core < cores; ++core)
        reactors_.push_back(std::make_unique<TestReactor>(storage, CoreId{core}));
}

std::vector<Reactor*> TestReactorGroup::all() {
    std::vector<Reactor*> reactors;
    for (const auto& reactor : reactors_)
        reactors.push_back(reactor.get());
    return reactors;
}

void TestReactorGroup::set_wall(WallTime to) {
    for (const auto& reactor : reactors_)
        reactor->clock().set_wall(to);
}

bool TestReactorGroup::turn() {
    bool has_worked = false;
    const std::size_t first = reactors_.size() > 1 ? random_.below(reactors_.size()) : 0;
    for (std::size_t i = 0; i < reactors_.size(); ++i) {
        auto& reactor = *reactors_[(first + i) % reactors_.size()];
        const TestReactor::CurrentScope scope(reactor);
        has_worked = reactor.turn() || has_worked;
    }
    return has_worked;
}

void TestReactorGroup::run_until_idle() {
    while (turn()) {
    }
}

bool TestReactorGroup::jump_to_next_alarm(MonoTime limit) {
    auto next = MonoTime::max();
    for (const auto& reactor : reactors_)
        next = std::min(next, reactor->alarms().next().value_or(MonoTime::max()));
    if (next == MonoTime::max() || next > limit) return false;
    const auto by = next - mono_now();
    for (const auto& reactor : reactors_)
        if (by.count() > 0) reactor->clock().advance(by);
    return true;
}

void TestReactorGroup::advance(std::chrono::nanoseconds by) {
    const MonoTime end = mono_now() + std::chrono::duration_cast<MonoTime::duration>(by);
    run_until_idle();
    while (jump_to_next_alarm(end))
        run_until_idle();
    const auto rest = end - mono_now();
    for (const auto& reactor : reactors_)
        reactor->clock().advance(rest);
    run_until_idle();
}

}  // namespace tidemill
