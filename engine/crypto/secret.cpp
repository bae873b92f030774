#include "engine/crypto/secret.h"

#include <algorithm>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include "engine/base/check.h"

namespace tidemill {

void fill_random(MutableBytes to) {
    TM_CHECK(RAND_priv_bytes(reinterpret_cast<unsigned char*>(to.data()),
                             static_cast<int>(to.size())) == 1,
             "the system has no random numbers");
}

void wipe(MutableBytes bytes) { OPENSSL_cleanse(bytes.data(), bytes.size()); }

Secret Secret::random() {
    std::array<std::byte, kBytes> bytes;
    fill_random(bytes);
    Secret secret{Bytes(bytes)};
    wipe(bytes);
    return secret;
}

Secret::Secret(Bytes bytes) {
    TM_CHECK(bytes.size() == kBytes, "a key of {} bytes", bytes.size());
    std::ranges::copy(bytes, bytes_.begin());
}

Secret::Secret(Secret&& other) noexcept : bytes_(other.bytes_) { wipe(other.bytes_); }

Secret& Secret::operator=(Secret&& other) noexcept {
    if (this == &other) return *this;
    bytes_ = other.bytes_;
    wipe(other.bytes_);
    return *this;
}

Secret::~Secret() { wipe(bytes_); }

Secret derive_key(const Secret& key, Bytes salt, std::string_view purpose) {
    static EVP_KDF* const kdf = EVP_KDF_fetch(nullptr, "HKDF", nullptr);
    char digest[] = "SHA256";
    // OpenSSL takes them as not const and does not write them.
    auto* const key_at = const_cast<std::byte*>(key.bytes().data());
    auto* const salt_at = const_cast<std::byte*>(salt.data());
    auto* const purpose_at = const_cast<char*>(purpose.data());
    OSSL_PARAM parameters[5];
    OSSL_PARAM* next = parameters;
    *next++ = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0);
    *next++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, key_at, Secret::kBytes);
    *next++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, purpose_at, purpose.size());
    if (!salt.empty())
        *next++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, salt_at, salt.size());
    *next = OSSL_PARAM_construct_end();
    EVP_KDF_CTX* context = EVP_KDF_CTX_new(kdf);
    std::array<std::byte, Secret::kBytes> derived;
    const bool is_done = context != nullptr &&
                         EVP_KDF_derive(context, reinterpret_cast<unsigned char*>(derived.data()),
                                        derived.size(), parameters) == 1;
    EVP_KDF_CTX_free(context);
    TM_CHECK(is_done, "OpenSSL has no HKDF-SHA256");
    Secret secret{Bytes(derived)};
    wipe(derived);
    return secret;
}

}  // namespace tidemill
