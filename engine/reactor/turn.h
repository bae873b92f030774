#pragma once

#include "engine/io/suspension.h"
#include "engine/io/task.h"
#include "engine/reactor/reactor.h"

namespace tidemill {

/// Ends a slice: resumes in the next turn of this reactor, after everybody else's work of this one.
inline Task<void> next_turn(Reactor& reactor) {
    Suspension turn;
    co_await turn.wait([&] { reactor.post([&turn] { turn.resume(); }); });
}

}  // namespace tidemill
