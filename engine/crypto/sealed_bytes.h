#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/crypto/aes_gcm.h"

namespace tidemill {

/// What sealing adds: salt (16), counter (8), tag (16). Format, and why no nonce comes twice:
/// docs/formats/sealed.md.
using SealSalt = std::array<std::byte, 16>;
constexpr std::size_t kSealHeadBytes = sizeof(SealSalt) + 8;
constexpr std::size_t kSealBytes = kSealHeadBytes + kGcmTagBytes;

/// Seals bytes under a long-lived key. Each sealer draws a random salt and works with the key
/// derived from it, where a counter is the nonce. Core: one.
class Sealer {
 public:
    /// One salt serves this many seals; then the next is drawn.
    static constexpr std::uint64_t kSealsPerSalt = std::uint64_t{1} << 32;

    /// `purpose` keeps what was sealed for one use from passing in another.
    Sealer(const Secret& key, std::string purpose, std::uint64_t seals_per_salt = kSealsPerSalt);
    /// Writes the sizes of `first` and `second` and kSealBytes to `to`; it may not overlap them.
    void seal(Bytes associated, Bytes first, Bytes second, std::byte* to);

 private:
    void draw_salt();

    Secret key_;
    std::string purpose_;
    std::uint64_t seals_per_salt_, counter_ = 0;
    SealSalt salt_{};
    GcmEncryptor encryptor_;
};

/// Opens what sealers of the same key and purpose made. Core: one. Limits: keeps the derived keys
/// of the kSaltsKept salts used last.
class Unsealer {
 public:
    static constexpr std::size_t kSaltsKept = 64;

    Unsealer(const Secret& key, std::string purpose);
    /// `first` and `second` together have sealed.size() - kSealBytes. False, and zeros in both,
    /// when `sealed` or `associated` is not what was sealed.
    bool unseal(Bytes associated, Bytes sealed, MutableBytes first, MutableBytes second);
    std::size_t salts_kept() const { return kept_.size(); }

 private:
    struct Derived {
        SealSalt salt;
        std::uint64_t used;
        GcmDecryptor decryptor;
    };
    GcmDecryptor& decryptor_for(const SealSalt& salt);

    Secret key_;
    std::string purpose_;
    std::vector<Derived> kept_;
    std::uint64_t uses_ = 0;
};

}  // namespace tidemill
