#include "tests/sim/journal.h"

#include <cstdlib>

#include "engine/base/check.h"
#include "tests/sim/sim_options.h"

namespace tidemill::sim {

Journal::Journal(std::uint64_t seed, bool is_verbose) : seed_(seed), is_verbose_(is_verbose) {
    set_check_context("repeat it with: " + repeat_command(seed));
}

// The world cannot be taken down in the middle of what it does, so the program ends here.
void Journal::fail(const std::string& text) const {
    std::fflush(stdout);
    std::fprintf(stderr, "\nSIMULATION FAILED, seed %lu: %s\nrepeat it with: %s\n",
                 static_cast<unsigned long>(seed_), text.c_str(), repeat_command(seed_).c_str());
    std::fflush(stderr);
    std::_Exit(1);
}

}  // namespace tidemill::sim
