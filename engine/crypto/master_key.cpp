#include "engine/crypto/master_key.h"

#include <algorithm>

#include <fmt/format.h>

#include "engine/crypto/aes_gcm.h"

namespace tidemill {
namespace {

constexpr std::size_t kFingerprintBytes = 8;
constexpr std::size_t kWrappedBytes = sizeof(GcmNonce) + Secret::kBytes + kGcmTagBytes;

}  // namespace

MasterKey::MasterKey(const Secret& secret)
    : wrapping_(derive_key(secret, {}, "tidemill key wrap 1")) {
    const Secret mark = derive_key(secret, {}, "tidemill fingerprint 1");
    for (const std::byte byte : mark.bytes().first(kFingerprintBytes))
        fingerprint_ += fmt::format("{:02x}", static_cast<unsigned>(byte));
}

std::vector<std::byte> MasterKey::wrap(const Secret& key, std::string_view context) const {
    GcmNonce nonce;
    fill_random(nonce);
    std::vector<std::byte> wrapped(kWrappedBytes);
    std::ranges::copy(nonce, wrapped.begin());
    GcmEncryptor(wrapping_).encrypt(nonce, as_bytes(context), key.bytes(), {},
                                    wrapped.data() + sizeof nonce);
    return wrapped;
}

Result<Secret> MasterKey::unwrap(Bytes wrapped, std::string_view context) const {
    if (wrapped.size() != kWrappedBytes)
        return fail(Errc::Corrupt, fmt::format("a wrapped key of {} bytes", wrapped.size()));
    GcmNonce nonce;
    std::ranges::copy(wrapped.first(sizeof nonce), nonce.begin());
    std::array<std::byte, Secret::kBytes> key;
    if (!GcmDecryptor(wrapping_).decrypt(nonce, as_bytes(context), wrapped.subspan(sizeof nonce),
                                         key, {}))
        return fail(Errc::Corrupt,
                    fmt::format("a wrapped key does not open under master key {}", fingerprint_));
    Secret secret{Bytes(key)};
    wipe(key);
    return secret;
}

}  // namespace tidemill
