#include "tests/sim/sim_options.h"

#include <cstdio>
#include <cstdlib>

#include "tests/test_arguments.h"

namespace tidemill::sim {
namespace {

std::uint64_t number(const char* what, const char* text) {
    char* end = nullptr;
    const std::uint64_t value = text == nullptr ? 0 : std::strtoull(text, &end, 10);
    if (text != nullptr && *text != 0 && *end == 0) return value;
    std::fprintf(stderr, "sim: %s wants a number\n", what);
    std::exit(2);
}

}  // namespace

SimOptions SimOptions::from_arguments(std::uint64_t default_count) {
    SimOptions options{.count = default_count};
    if (const char* seeds = std::getenv("TIDEMILL_SEEDS"))
        options.count = number("TIDEMILL_SEEDS", seeds);
    const auto only = [&](std::uint64_t seed) {
        options.first = seed;
        options.count = 1;
    };
    if (const char* seed = std::getenv("TIDEMILL_SEED")) only(number("TIDEMILL_SEED", seed));
    const auto& given = test::arguments();
    for (std::size_t i = 0; i < given.size(); ++i) {
        const char* next = i + 1 < given.size() ? given[i + 1].c_str() : nullptr;
        if (given[i] == "--verbose") options.is_verbose = true;
        if (given[i] == "--seed") only(number("--seed", next));
        if (given[i] == "--seeds") options.count = number("--seeds", next);
        if (given[i] == "--first") options.first = number("--first", next);
    }
    return options;
}

std::string repeat_command(std::uint64_t seed) {
    return "./run sim --seed " + std::to_string(seed) + " --verbose";
}

}  // namespace tidemill::sim
