#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include "engine/base/bytes.h"
#include "engine/crypto/key_ring.h"

namespace tidemill {

/// How a service encrypts at rest.
struct EncryptionOptions {
    /// None: nothing is encrypted, and nothing encrypted can be there.
    std::shared_ptr<const KeyRing> keys;
    bool is_default = false;  ///< for new streams that do not say
    /// A stream's data key is replaced once it is this old, or has sealed so many bytes; 0: never.
    std::chrono::hours data_key_age{90 * 24};
    std::uint64_t data_key_bytes = 1024 * 1_GiB;
};

/// How often the bounds above are looked at.
constexpr std::chrono::seconds kKeyCheckEvery{60};

}  // namespace tidemill
