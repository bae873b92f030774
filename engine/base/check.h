#pragma once

#include <string_view>

#include <fmt/format.h>

namespace tidemill {

/// Called by TM_CHECK when a condition that only our own bug can break is broken: prints where,
/// what and why, then aborts.
[[noreturn]] void check_failed(const char* file, int line, const char* condition,
                               std::string_view text);

/// Sets the word that a failed TM_CHECK prints beside the message (a simulation's seed, a core's
/// name). Per thread.
void set_check_context(std::string_view context);

}  // namespace tidemill

/// States an invariant. On in every build. TM_CHECK(cond) or TM_CHECK(cond, "text {}", values...).
#define TM_CHECK(condition, ...)                                     \
    do {                                                             \
        if (!(condition)) [[unlikely]]                               \
            ::tidemill::check_failed(__FILE__, __LINE__, #condition, \
                                     ::fmt::format("" __VA_ARGS__)); \
    } while (false)
