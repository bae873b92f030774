#pragma once

#include <cstddef>
#include <vector>

namespace tidemill {

/// Work that a component wants done once at the end of each turn in which it asked for it: sealing
/// a group commit, sending what a connection has collected.
class TurnHook {
 public:
    virtual void at_turn_end() = 0;

 protected:
    ~TurnHook() = default;

 private:
    friend class TurnHooks;
    bool is_queued_ = false;
};

/// The hooks asked for in this turn, in the order of asking.
class TurnHooks {
 public:
    /// Asking twice in a turn counts once.
    void request(TurnHook& hook);
    /// Runs and clears them; a hook that asks again is run in the next turn. Returns how many ran.
    std::size_t run();
    bool is_empty() const { return queued_.empty(); }

 private:
    std::vector<TurnHook*> queued_, running_;
};

}  // namespace tidemill
