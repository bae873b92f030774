#include "engine/crypto/aes_gcm.h"

#include <algorithm>

#include <openssl/evp.h>

#include "engine/base/check.h"

namespace tidemill {
namespace {

const unsigned char* raw(Bytes bytes) {
    return reinterpret_cast<const unsigned char*>(bytes.data());
}
unsigned char* raw(std::byte* bytes) { return reinterpret_cast<unsigned char*>(bytes); }

/// A context that has taken the key; each message brings its nonce.
CipherContext keyed(const Secret& key, bool is_encrypting) {
    static EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
    CipherContext context(EVP_CIPHER_CTX_new());
    TM_CHECK(context != nullptr && cipher != nullptr &&
                 EVP_CipherInit_ex2(context.get(), cipher, raw(key.bytes()), nullptr,
                                    is_encrypting ? 1 : 0, nullptr) == 1,
             "OpenSSL has no AES-256-GCM");
    return context;
}

/// False when OpenSSL refuses, which it does for our own mistakes only.
bool update(EVP_CIPHER_CTX* context, std::byte* to, Bytes from) {
    int written = 0;
    return from.empty() || EVP_CipherUpdate(context, to == nullptr ? nullptr : raw(to), &written,
                                            raw(from), static_cast<int>(from.size())) == 1;
}

bool begin(EVP_CIPHER_CTX* context, const GcmNonce& nonce, Bytes associated) {
    return EVP_CipherInit_ex2(context, nullptr, nullptr, raw(nonce), -1, nullptr) == 1 &&
           update(context, nullptr, associated);
}

}  // namespace

void FreeCipherContext::operator()(evp_cipher_ctx_st* context) const {
    EVP_CIPHER_CTX_free(context);
}

GcmEncryptor::GcmEncryptor(const Secret& key) : context_(keyed(key, true)) {}

void GcmEncryptor::encrypt(const GcmNonce& nonce, Bytes associated, Bytes first, Bytes second,
                           std::byte* to) {
    std::byte* const tag = to + first.size() + second.size();
    int written = 0;
    const bool is_done = begin(context_.get(), nonce, associated) &&
                         update(context_.get(), to, first) &&
                         update(context_.get(), to + first.size(), second) &&
                         EVP_CipherFinal_ex(context_.get(), raw(tag), &written) == 1 &&
                         EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_GET_TAG,
                                             static_cast<int>(kGcmTagBytes), raw(tag)) == 1;
    TM_CHECK(is_done, "AES-256-GCM failed over {} bytes", first.size() + second.size());
}

GcmDecryptor::GcmDecryptor(const Secret& key) : context_(keyed(key, false)) {}

bool GcmDecryptor::decrypt(const GcmNonce& nonce, Bytes associated, Bytes sealed,
                           MutableBytes first, MutableBytes second) {
    TM_CHECK(sealed.size() == first.size() + second.size() + kGcmTagBytes);
    std::array<std::byte, kGcmTagBytes> tag;
    std::ranges::copy(sealed.last(kGcmTagBytes), tag.begin());
    int written = 0;
    unsigned char rest[kGcmTagBytes];
    const bool is_genuine =
        begin(context_.get(), nonce, associated) &&
        update(context_.get(), first.data(), sealed.first(first.size())) &&
        update(context_.get(), second.data(), sealed.subspan(first.size(), second.size())) &&
        EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_SET_TAG, static_cast<int>(kGcmTagBytes),
                            tag.data()) == 1 &&
        EVP_CipherFinal_ex(context_.get(), rest, &written) == 1;
    if (!is_genuine) {
        std::ranges::fill(first, std::byte{0});
        std::ranges::fill(second, std::byte{0});
    }
    return is_genuine;
}

}  // namespace tidemill
