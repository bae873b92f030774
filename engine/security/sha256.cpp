#include "engine/security/sha256.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "engine/base/check.h"

namespace tidemill {
namespace {

constexpr std::size_t kBlockBytes = 64;

/// Looked up once: a look-up takes longer than a small digest.
const EVP_MD* digest_method() {
    static const EVP_MD* const method = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    TM_CHECK(method != nullptr, "OpenSSL has no SHA-256");
    return method;
}

}  // namespace

void Sha256::Free::operator()(evp_md_ctx_st* context) const { EVP_MD_CTX_free(context); }

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
    TM_CHECK(context_ != nullptr, "no memory for a digest");
}
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;
Sha256::~Sha256() = default;

void Sha256::begin() {
    TM_CHECK(EVP_DigestInit_ex2(context_.get(), digest_method(), nullptr) == 1, "SHA-256 failed");
}

void Sha256::add(Bytes bytes) {
    TM_CHECK(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1, "SHA-256 failed");
}

Sha256Digest Sha256::end() {
    Sha256Digest digest;
    unsigned length = 0;
    TM_CHECK(EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(digest.data()),
                                &length) == 1 &&
                 length == digest.size(),
             "SHA-256 failed");
    return digest;
}

Sha256Digest Sha256::of(Bytes bytes) {
    begin();
    add(bytes);
    return end();
}

Sha256Digest Sha256::hmac(Bytes key, Bytes message) {
    Sha256Digest hashed;
    if (key.size() > kBlockBytes) {
        hashed = of(key);
        key = hashed;
    }
    std::array<std::byte, kBlockBytes> pad{};
    for (std::size_t i = 0; i < pad.size(); ++i)
        pad[i] = (i < key.size() ? key[i] : std::byte{}) ^ std::byte{0x36};
    begin();
    add(pad);
    add(message);
    const Sha256Digest inner = end();
    for (auto& byte : pad)
        byte ^= std::byte{0x36 ^ 0x5c};
    begin();
    add(pad);
    add(inner);
    OPENSSL_cleanse(pad.data(), pad.size());
    return end();
}

HexDigest to_hex(const Sha256Digest& digest) {
    constexpr char kDigits[] = "0123456789abcdef";
    HexDigest hex;
    for (std::size_t i = 0; i < digest.size(); ++i) {
        const auto byte = std::to_integer<unsigned>(digest[i]);
        hex[2 * i] = kDigits[byte >> 4];
        hex[2 * i + 1] = kDigits[byte & 0xf];
    }
    return hex;
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace tidemill
