#include "engine/io/system_clock.h"

namespace tidemill {

WallTime SystemClock::wall_now() {
    return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

MonoTime SystemClock::mono_now() { return std::chrono::steady_clock::now(); }

}  // namespace tidemill
