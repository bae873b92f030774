#pragma once

#include <cstdint>

namespace tidemill {

/// What is asked of callers.
enum class AuthMode : std::uint8_t {
    Required,  ///< a signature of a known key
    Optional,  ///< none; but one by a known key must be right
    Off,       ///< nothing; no signature is looked at
};

}  // namespace tidemill
