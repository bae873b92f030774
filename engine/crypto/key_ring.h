#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/crypto/master_key.h"

namespace tidemill {

/// A key at rest, and under which master key.
struct WrappedKey {
    std::string master;  ///< MasterKey::fingerprint
    std::vector<std::byte> bytes;
};

/// The master keys of a process: the one in force, and while it replaces another one, that. Core:
/// any, once made: nothing changes in it.
class KeyRing {
 public:
    explicit KeyRing(MasterKey current, std::optional<MasterKey> previous = std::nullopt)
        : current_(std::move(current)), previous_(std::move(previous)) {}

    const std::string& fingerprint() const { return current_.fingerprint(); }
    bool knows(std::string_view fingerprint) const { return find(fingerprint) != nullptr; }

    /// A new random key, wrapped under the current master key.
    WrappedKey make_key(std::string_view context) const;
    /// Errors: NotFound (no such master key here), Corrupt.
    Result<Secret> unwrap(const WrappedKey& key, std::string_view context) const;
    bool is_current(const WrappedKey& key) const { return key.master == fingerprint(); }
    /// The same key under the current master key. Errors: those of `unwrap`.
    Result<WrappedKey> rewrap(const WrappedKey& key, std::string_view context) const;

 private:
    const MasterKey* find(std::string_view fingerprint) const;

    MasterKey current_;
    std::optional<MasterKey> previous_;
};

}  // namespace tidemill
