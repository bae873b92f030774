#include "engine/reactor/turn_hook.h"

namespace tidemill {

void TurnHooks::request(TurnHook& hook) {
    if (hook.is_queued_) return;
    hook.is_queued_ = true;
    queued_.push_back(&hook);
}

std::size_t TurnHooks::run() {
    if (queued_.empty()) return 0;
    running_.swap(queued_);
    const std::size_t count = running_.size();
    for (TurnHook* hook : running_) {
        hook->is_queued_ = false;
        hook->at_turn_end();
    }
    running_.clear();
    return count;
}

}  // namespace tidemill
