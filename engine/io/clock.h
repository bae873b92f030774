#pragma once

#include "engine/base/time.h"

namespace tidemill {

/// SEAM: where time comes from. The system's in production, a hand-moved one in tests and
/// simulation.
class Clock {
 public:
    virtual ~Clock() = default;
    /// May jump either way; whoever needs order keeps the maximum seen.
    virtual WallTime wall_now() = 0;
    virtual MonoTime mono_now() = 0;
};

}  // namespace tidemill
