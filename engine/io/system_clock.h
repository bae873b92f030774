#pragma once

#include "engine/io/clock.h"

namespace tidemill {

/// The operating system's clocks.
class SystemClock final : public Clock {
 public:
    WallTime wall_now() override;
    MonoTime mono_now() override;
};

}  // namespace tidemill
