#include "engine/security/sealed_token.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include "engine/base/check.h"
#include "engine/security/base64.h"

namespace tidemill {

std::vector<std::byte> random_secret(std::size_t bytes) {
    std::vector<std::byte> secret(bytes);
    TM_CHECK(
        RAND_bytes(reinterpret_cast<unsigned char*>(secret.data()), static_cast<int>(bytes)) == 1,
        "the system has no random numbers");
    return secret;
}

// A context that has taken the key already; each tag starts from a copy of it.
struct TokenSealer::Keyed {
    EVP_MAC* mac = nullptr;
    EVP_MAC_CTX* context = nullptr;
    ~Keyed() {
        EVP_MAC_CTX_free(context);
        EVP_MAC_free(mac);
    }
};

TokenSealer::TokenSealer(Bytes secret) : keyed_(std::make_unique<Keyed>()) {
    char digest[] = "SHA256";
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end()};
    keyed_->mac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
    keyed_->context = EVP_MAC_CTX_new(keyed_->mac);
    TM_CHECK(
        keyed_->context != nullptr &&
            EVP_MAC_init(keyed_->context, reinterpret_cast<const unsigned char*>(secret.data()),
                         secret.size(), parameters) == 1,
        "OpenSSL has no HMAC-SHA256");
}
TokenSealer::TokenSealer(TokenSealer&&) noexcept = default;
TokenSealer& TokenSealer::operator=(TokenSealer&&) noexcept = default;
TokenSealer::~TokenSealer() = default;

std::array<std::byte, TokenSealer::kTagBytes> TokenSealer::tag(std::string_view purpose,
                                                               Bytes facts) const {
    EVP_MAC_CTX* context = EVP_MAC_CTX_dup(keyed_->context);
    unsigned char full[EVP_MAX_MD_SIZE];
    std::size_t length = 0;
    const unsigned char end_of_purpose = 0;
    const bool done =
        context != nullptr &&
        EVP_MAC_update(context, reinterpret_cast<const unsigned char*>(purpose.data()),
                       purpose.size()) == 1 &&
        EVP_MAC_update(context, &end_of_purpose, 1) == 1 &&
        EVP_MAC_update(context, reinterpret_cast<const unsigned char*>(facts.data()),
                       facts.size()) == 1 &&
        EVP_MAC_final(context, full, &length, sizeof full) == 1;
    EVP_MAC_CTX_free(context);
    TM_CHECK(done && length >= kTagBytes, "HMAC-SHA256 failed");
    std::array<std::byte, kTagBytes> tag;
    std::memcpy(tag.data(), full, kTagBytes);
    return tag;
}

std::string TokenSealer::seal(std::string_view purpose, Bytes facts) const {
    std::vector<std::byte> bytes(facts.begin(), facts.end());
    const auto mark = tag(purpose, facts);
    bytes.insert(bytes.end(), mark.begin(), mark.end());
    return base64_encode(bytes);
}

std::optional<std::vector<std::byte>> TokenSealer::open(std::string_view purpose,
                                                        std::string_view text) const {
    auto bytes = base64_decode(text);
    if (!bytes || bytes->size() < kTagBytes) return std::nullopt;
    const std::size_t facts = bytes->size() - kTagBytes;
    const auto expected = tag(purpose, Bytes(*bytes).first(facts));
    if (CRYPTO_memcmp(expected.data(), bytes->data() + facts, kTagBytes) != 0) return std::nullopt;
    bytes->resize(facts);
    return bytes;
}

}  // namespace tidemill
