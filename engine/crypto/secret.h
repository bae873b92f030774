#pragma once

#include <array>
#include <string_view>

#include "engine/base/bytes.h"

namespace tidemill {

/// A 256-bit key. Wiped when it goes; never printed. Ownership: moves; a copy is asked for by name.
class Secret {
 public:
    static constexpr std::size_t kBytes = 32;

    /// From the operating system's generator.
    static Secret random();
    /// TM_CHECKs that there are kBytes; the caller wipes its own.
    explicit Secret(Bytes bytes);
    Secret(Secret&& other) noexcept;
    Secret& operator=(Secret&& other) noexcept;
    ~Secret();

    Secret copy() const { return Secret(bytes()); }
    Bytes bytes() const { return bytes_; }

 private:
    std::array<std::byte, kBytes> bytes_{};
};

/// Fills `to` from the operating system's generator.
void fill_random(MutableBytes to);
/// Overwrites `bytes` in a way that the compiler does not leave out.
void wipe(MutableBytes bytes);

/// A key for one purpose, from `key`: HKDF-SHA256. Another salt or purpose gives an unrelated key.
/// Source: RFC 5869.
Secret derive_key(const Secret& key, Bytes salt, std::string_view purpose);

}  // namespace tidemill
