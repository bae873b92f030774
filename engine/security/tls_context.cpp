#include "engine/security/tls_context.h"

#include <array>
#include <ctime>

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "engine/base/check.h"
#include "engine/security/tls_error.h"

namespace tidemill {
namespace {

constexpr unsigned char kProtocols[] = "\x02h2\x08http/1.1";  // by preference

/// No common protocol is no reason to refuse: what the client speaks shows in its first bytes.
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* size,
                    const unsigned char* offered, unsigned int offered_size, void*) {
    unsigned char* found = nullptr;
    if (SSL_select_next_proto(&found, size, kProtocols, sizeof kProtocols - 1, offered,
                              offered_size) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_NOACK;
    *chosen = found;
    return SSL_TLSEXT_ERR_OK;
}

/// Nobody is there to type it.
int no_password(char*, int, int, void*) { return -1; }

std::string fingerprint_of(const X509* certificate) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    X509_digest(certificate, EVP_sha256(), digest.data(), &size);
    std::string text;
    for (unsigned int i = 0; i < size; ++i)
        text += fmt::format("{:02x}", digest[i]);
    return text;
}

WallTime end_of(const X509* certificate) {
    std::tm when{};
    if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &when) != 1) return {};
    return from_millis(static_cast<std::int64_t>(::timegm(&when)) * 1000);
}

}  // namespace

Result<TlsContext> TlsContext::load(const std::filesystem::path& certificate,
                                    const std::filesystem::path& key) {
    ERR_clear_error();
    TlsContext made;
    made.context_ = std::shared_ptr<SSL_CTX>(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
    SSL_CTX* context = made.context_.get();
    TM_CHECK(context != nullptr, "no TLS: {}", tls_error());
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE |
                                     SSL_OP_IGNORE_UNEXPECTED_EOF);
    // An idle connection holds no buffers. Sessions are resumed by tickets, not from our memory.
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
    SSL_CTX_set_default_passwd_cb(context, no_password);

    const auto unusable = [](const std::filesystem::path& file, std::string_view what) {
        return fail(Errc::InvalidArgument,
                    fmt::format("{} holds no usable {}: {}", file.string(), what, tls_error()));
    };
    if (SSL_CTX_use_certificate_chain_file(context, certificate.c_str()) != 1)
        return unusable(certificate, "certificate in PEM");
    if (SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1)
        return unusable(key, "private key in PEM for the certificate");
    if (SSL_CTX_check_private_key(context) != 1)
        return unusable(key, "private key for the certificate");
    const X509* own = SSL_CTX_get0_certificate(context);
    made.fingerprint_ = fingerprint_of(own);
    made.expires_ = end_of(own);
    return made;
}

}  // namespace tidemill
