#pragma once

#include <array>
#include <memory>

#include "engine/crypto/secret.h"

struct evp_cipher_ctx_st;

namespace tidemill {

using GcmNonce = std::array<std::byte, 12>;
constexpr std::size_t kGcmTagBytes = 16;

struct FreeCipherContext {
    void operator()(evp_cipher_ctx_st* context) const;  ///< wipes the key in it
};
using CipherContext = std::unique_ptr<evp_cipher_ctx_st, FreeCipherContext>;

/// Encrypts with AES-256-GCM under one key. The caller sees to it that no nonce comes twice under a
/// key: see sealed_bytes.h. Core: one. Source: NIST SP 800-38D.
class GcmEncryptor {
 public:
    explicit GcmEncryptor(const Secret& key);
    /// Writes the ciphertext of `first` and then `second`, and the tag: their sizes together and
    /// kGcmTagBytes. `associated` is protected, not written.
    void encrypt(const GcmNonce& nonce, Bytes associated, Bytes first, Bytes second, std::byte* to);

 private:
    CipherContext context_;
};

/// Decrypts what GcmEncryptor made. Core: one.
class GcmDecryptor {
 public:
    explicit GcmDecryptor(const Secret& key);
    /// `sealed` is ciphertext and tag; `first` and `second` together have the ciphertext's size.
    /// False when it is not what was encrypted with this key, nonce and `associated`: `first` and
    /// `second` are zeros then.
    bool decrypt(const GcmNonce& nonce, Bytes associated, Bytes sealed, MutableBytes first,
                 MutableBytes second);

 private:
    CipherContext context_;
};

}  // namespace tidemill
