#pragma once

#include <cstdint>
#include <string>

namespace tidemill::sim {

/// Which seeds to run: --seed N (only that one), --seeds N (so many), --first N (from which on),
/// --verbose (print what happens; with --seed). TIDEMILL_SEED and TIDEMILL_SEEDS say the same.
struct SimOptions {
    std::uint64_t first = 1;
    std::uint64_t count = 0;
    bool is_verbose = false;

    static SimOptions from_arguments(std::uint64_t default_count);
};

/// The command that repeats a seed.
std::string repeat_command(std::uint64_t seed);

}  // namespace tidemill::sim
