#pragma once

#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/crypto/secret.h"

namespace tidemill {

/// The key that wraps all others. It never reaches the disk, and never encrypts data itself. Core:
/// any, once made: nothing changes in it. Format of a wrapped key: docs/formats/sealed.md.
class MasterKey {
 public:
    explicit MasterKey(const Secret& secret);

    /// 16 hexadecimal digits that tell one master key from another and say nothing else of it.
    const std::string& fingerprint() const { return fingerprint_; }
    /// `context` names what the key is for; unwrapping must name the same.
    std::vector<std::byte> wrap(const Secret& key, std::string_view context) const;
    /// Errors: Corrupt, when this key and `context` did not wrap it, or it was altered.
    Result<Secret> unwrap(Bytes wrapped, std::string_view context) const;

 private:
    Secret wrapping_;
    std::string fingerprint_;
};

}  // namespace tidemill
