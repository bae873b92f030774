#include "engine/security/development_certificate.h"

#include <algorithm>
#include <cerrno>
#include <memory>

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include "engine/base/check.h"
#include "engine/security/tls_context.h"
#include "engine/security/tls_error.h"

namespace tidemill {
namespace {

constexpr auto kLife = std::chrono::hours(24 * 3650);
constexpr auto kRenewBefore = std::chrono::hours(24 * 30);

template <auto Free>
struct Freer {
    template <class T>
    void operator()(T* object) const {
        Free(object);
    }
};
using Key = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freer<X509_free>>;
using Memory = std::unique_ptr<BIO, Freer<BIO_free_all>>;

void add_extension(X509* to, int kind, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, to, to, nullptr, nullptr, 0);
    const std::unique_ptr<X509_EXTENSION, Freer<X509_EXTENSION_free>> made(
        X509V3_EXT_nconf_nid(nullptr, &context, kind, value.c_str()));
    TM_CHECK(made && X509_add_ext(to, made.get(), -1) == 1, "{}: {}", value, tls_error());
}

/// All names that this machine answers to, as the extension writes them.
std::string names() {
    std::string all = "DNS:localhost,IP:127.0.0.1,IP:::1";
    char host[256] = {};
    if (::gethostname(host, sizeof host - 1) != 0) return all;
    const std::string name = host;
    const bool is_plain = !name.empty() && std::ranges::all_of(name, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '.';
    });
    if (is_plain && name != "localhost") all += ",DNS:" + name;
    return all;
}

Certificate make_certificate(EVP_PKEY* key, WallTime now) {
    Certificate made(X509_new());
    X509* to = made.get();
    X509_set_version(to, X509_VERSION_3);
    unsigned char serial[16];
    TM_CHECK(RAND_bytes(serial, sizeof serial) == 1, "no random numbers");
    serial[0] &= 0x7f;
    const std::unique_ptr<BIGNUM, Freer<BN_free>> number(BN_bin2bn(serial, sizeof serial, nullptr));
    BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(to));
    const auto seconds = static_cast<std::time_t>(to_millis(now) / 1000);
    // A day before, for clients whose clocks are behind.
    ASN1_TIME_set(X509_getm_notBefore(to), seconds - 24 * 3600);
    ASN1_TIME_set(X509_getm_notAfter(to),
                  seconds + std::chrono::duration_cast<std::chrono::seconds>(kLife).count());
    X509_NAME* name = X509_get_subject_name(to);
    const auto add = [name](const char* field, const char* text) {
        X509_NAME_add_entry_by_txt(name, field, MBSTRING_ASC,
                                   reinterpret_cast<const unsigned char*>(text), -1, -1, 0);
    };
    add("O", "Tidemill development");
    add("CN", "localhost");
    X509_set_issuer_name(to, name);
    X509_set_pubkey(to, key);
    add_extension(to, NID_basic_constraints, "critical,CA:FALSE");
    add_extension(to, NID_key_usage, "critical,digitalSignature");
    add_extension(to, NID_ext_key_usage, "serverAuth");
    add_extension(to, NID_subject_alt_name, names());
    add_extension(to, NID_subject_key_identifier, "hash");
    TM_CHECK(X509_sign(to, key, EVP_sha256()) > 0, "{}", tls_error());
    return made;
}

std::string text_of(BIO* memory) {
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(memory, &bytes);
    return {bytes, static_cast<std::size_t>(size)};
}

Status write_file(const std::filesystem::path& file, std::string_view text, mode_t mode) {
    const std::string draft = file.string() + ".new";
    const auto failed = [&] {
        const int why = errno;
        ::unlink(draft.c_str());
        return fail(Errc::IoFailed, fmt::format("cannot write {}", file.string()), why);
    };
    ::unlink(draft.c_str());
    const int fd = ::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0) return failed();
    const bool is_written =
        ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
        ::fsync(fd) == 0;
    if (::close(fd) != 0 || !is_written) return failed();
    if (::rename(draft.c_str(), file.c_str()) != 0) return failed();
    return {};
}

}  // namespace

Result<TlsFiles> development_certificate(const std::filesystem::path& directory, WallTime now) {
    const TlsFiles files{directory / "certificate.pem", directory / "key.pem"};
    if (const auto there = TlsContext::load(files.certificate, files.key);
        there && there->expires() - kRenewBefore > now)
        return files;
    std::error_code error;
    std::filesystem::create_directories(directory, error);
    if (error)
        return fail(Errc::IoFailed, fmt::format("cannot make {}", directory.string()),
                    error.value());
    const Key key(EVP_EC_gen("P-256"));
    TM_CHECK(key != nullptr, "no key: {}", tls_error());
    const Certificate certificate = make_certificate(key.get(), now);
    const Memory certificate_text(BIO_new(BIO_s_mem())), key_text(BIO_new(BIO_s_mem()));
    TM_CHECK(PEM_write_bio_X509(certificate_text.get(), certificate.get()) == 1 &&
                 PEM_write_bio_PrivateKey(key_text.get(), key.get(), nullptr, nullptr, 0, nullptr,
                                          nullptr) == 1,
             "{}", tls_error());
    TRY(write_file(files.key, text_of(key_text.get()), 0600));
    TRY(write_file(files.certificate, text_of(certificate_text.get()), 0644));
    return files;
}

}  // namespace tidemill
