#pragma once

#include <fmt/format.h>

#include "engine/base/result.h"
#include "engine/crypto/sealed_bytes.h"

namespace tidemill {

/// Seals named blobs under the store key. Core: one. Format: docs/formats/sealed.md.
class BlobCipher {
 public:
    explicit BlobCipher(const Secret& store_key)
        : sealer_(store_key, kPurpose), unsealer_(store_key, kPurpose) {}

    std::vector<std::byte> seal(std::string_view name, Bytes blob) {
        std::vector<std::byte> sealed(blob.size() + kSealBytes);
        sealer_.seal(as_bytes(name), blob, {}, sealed.data());
        return sealed;
    }
    /// Errors: Corrupt, when `sealed` was altered or is another name's.
    Result<std::vector<std::byte>> open(std::string_view name, Bytes sealed) {
        if (sealed.size() >= kSealBytes) {
            std::vector<std::byte> blob(sealed.size() - kSealBytes);
            if (unsealer_.unseal(as_bytes(name), sealed, blob, {})) return blob;
        }
        return fail(Errc::Corrupt, fmt::format("blob {} does not open: it was altered",
                                               name.substr(name.find('\0') + 1)));
    }

 private:
    static constexpr const char* kPurpose = "tidemill blob 1";

    Sealer sealer_;
    Unsealer unsealer_;
};

}  // namespace tidemill
