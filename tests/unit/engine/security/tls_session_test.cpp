#include "engine/security/tls_session.h"

#include <array>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sys/stat.h>

#include <doctest/doctest.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "engine/security/development_certificate.h"

using namespace tidemill;

namespace {

constexpr WallTime kNow{std::chrono::milliseconds(1'790'000'000'000)};

struct Directory {
    Directory() {
        std::string name = std::filesystem::temp_directory_path() / "tidemill-tls-XXXXXX";
        path = ::mkdtemp(name.data());
    }
    ~Directory() { std::filesystem::remove_all(path); }
    std::filesystem::path path;
};

std::string read(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

std::shared_ptr<X509> certificate_in(const std::filesystem::path& file) {
    const std::string text = read(file);
    BIO* memory = BIO_new_mem_buf(text.data(), static_cast<int>(text.size()));
    X509* parsed = PEM_read_bio_X509(memory, nullptr, nullptr, nullptr);
    BIO_free(memory);
    return {parsed, X509_free};
}

/// A client over memory; what it trusts is nobody's business here.
struct Client {
    explicit Client(std::string_view alpn)
        : context(SSL_CTX_new(TLS_client_method())), ssl(SSL_new(context)) {
        SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
        SSL_set_connect_state(ssl);
        if (!alpn.empty())
            SSL_set_alpn_protos(ssl, reinterpret_cast<const unsigned char*>(alpn.data()),
                                static_cast<unsigned>(alpn.size()));
    }
    ~Client() {
        SSL_free(ssl);
        SSL_CTX_free(context);
    }
    std::string output() {
        std::string out(1_MiB, 0);
        const int size = BIO_read(SSL_get_wbio(ssl), out.data(), static_cast<int>(out.size()));
        out.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
        return out;
    }
    void feed(const std::string& bytes) {
        BIO_write(SSL_get_rbio(ssl), bytes.data(), static_cast<int>(bytes.size()));
    }
    std::string read_all() {
        std::string all, piece(64_KiB, 0);
        for (int size; (size = SSL_read(ssl, piece.data(), static_cast<int>(piece.size()))) > 0;)
            all.append(piece, 0, static_cast<std::size_t>(size));
        return all;
    }
    SSL_CTX* context;
    SSL* ssl;
};

struct Connection {
    explicit Connection(std::string_view alpn = {}) : client(alpn) {
        const auto files = development_certificate(directory.path, kNow);
        REQUIRE(files.has_value());
        auto context = TlsContext::load(files->certificate, files->key);
        REQUIRE(context.has_value());
        server = std::make_unique<TlsSession>(*context);
    }
    /// In portions of `step` bytes towards the server.
    TlsSession::State shake_hands(std::size_t step = 100'000) {
        auto state = TlsSession::State::WantsInput;
        for (int i = 0; i < 20 && state != TlsSession::State::Failed; ++i) {
            SSL_do_handshake(client.ssl);
            const std::string out = client.output();
            for (std::size_t at = 0; at < out.size(); at += step) {
                server->feed(as_bytes(std::string_view(out).substr(at, step)));
                state = server->handshake();
            }
            client.feed(server->take_output());
            if (state == TlsSession::State::Done && SSL_is_init_finished(client.ssl) == 1) break;
        }
        return state;
    }
    Directory directory;
    Client client;
    std::unique_ptr<TlsSession> server;
};

}  // namespace

TEST_CASE("a handshake in any portions leads to a connection that carries bytes both ways") {
    for (const std::size_t step : {1uz, 7uz, 100'000uz}) {
        Connection pair;
        REQUIRE(pair.shake_hands(step) == TlsSession::State::Done);
        CHECK(pair.server->protocol().empty());
        std::string sent;
        for (int i = 0; sent.size() < 200'000; ++i)
            sent += std::to_string(i);
        REQUIRE(SSL_write(pair.client.ssl, sent.data(), static_cast<int>(sent.size())) > 0);
        pair.server->feed(as_bytes(pair.client.output()));
        std::string got;
        std::array<std::byte, 5000> piece;
        for (std::size_t count;
             pair.server->read(piece, count) == TlsSession::State::Done && count > 0;)
            got += as_text(Bytes(piece).first(count));
        CHECK(got == sent);
        CHECK(pair.server->write(as_bytes(sent)) == TlsSession::State::Done);
        pair.client.feed(pair.server->take_output());
        CHECK(pair.client.read_all() == sent);
        std::size_t count = 0;
        CHECK(pair.server->read(piece, count) == TlsSession::State::WantsInput);
        SSL_shutdown(pair.client.ssl);
        pair.server->feed(as_bytes(pair.client.output()));
        CHECK(pair.server->read(piece, count) == TlsSession::State::Ended);
    }
}

TEST_CASE("ALPN prefers HTTP/2, and an offer of neither is no reason to refuse") {
    const auto chosen = [](std::string_view offer) {
        Connection pair(offer);
        REQUIRE(pair.shake_hands() == TlsSession::State::Done);
        return std::string(pair.server->protocol());
    };
    CHECK(chosen("\x08http/1.1\x02h2") == "h2");
    CHECK(chosen("\x08http/1.1") == "http/1.1");
    CHECK(chosen("\x06spdy/3").empty());
}

TEST_CASE("a damaged byte ends the connection with a reason") {
    Connection pair;
    REQUIRE(pair.shake_hands() == TlsSession::State::Done);
    SSL_write(pair.client.ssl, "hello", 5);
    std::string bytes = pair.client.output();
    bytes[bytes.size() - 3] ^= 1;
    pair.server->feed(as_bytes(bytes));
    std::array<std::byte, 100> into;
    std::size_t count = 0;
    CHECK(pair.server->read(into, count) == TlsSession::State::Failed);
    CHECK_FALSE(pair.server->failure().empty());
    TlsSession other(*TlsContext::load(pair.directory.path / "certificate.pem",
                                       pair.directory.path / "key.pem"));
    other.feed(as_bytes("GET / HTTP/1.1\r\n\r\n"));
    CHECK(other.handshake() == TlsSession::State::Failed);
}

TEST_CASE("the development certificate is made once, and again when it cannot be used") {
    const Directory directory;
    const auto made = development_certificate(directory.path / "tls", kNow);
    REQUIRE(made.has_value());
    struct stat facts{};
    REQUIRE(::stat(made->key.c_str(), &facts) == 0);
    CHECK((facts.st_mode & 0777) == 0600);
    const auto certificate = certificate_in(made->certificate);
    REQUIRE(certificate != nullptr);
    CHECK(X509_check_host(certificate.get(), "localhost", 0, 0, nullptr) == 1);
    CHECK(X509_check_ip_asc(certificate.get(), "127.0.0.1", 0) == 1);
    CHECK(X509_check_ip_asc(certificate.get(), "::1", 0) == 1);
    CHECK(X509_check_host(certificate.get(), "example.com", 0, 0, nullptr) == 0);
    CHECK(X509_check_ca(certificate.get()) == 0);
    const auto context = TlsContext::load(made->certificate, made->key);
    REQUIRE(context.has_value());
    CHECK(context->expires() - kNow == std::chrono::hours(24 * 3650));
    CHECK(context->fingerprint().size() == 64);

    const std::string first = read(made->certificate);
    REQUIRE(development_certificate(directory.path / "tls", kNow).has_value());
    CHECK(read(made->certificate) == first);
    REQUIRE(development_certificate(directory.path / "tls", kNow + std::chrono::hours(24 * 3640))
                .has_value());
    const std::string renewed = read(made->certificate);
    CHECK(renewed != first);
    std::ofstream(made->key) << "damaged";
    CHECK_FALSE(TlsContext::load(made->certificate, made->key).has_value());
    REQUIRE(development_certificate(directory.path / "tls", kNow).has_value());
    CHECK(read(made->certificate) != renewed);
    CHECK(TlsContext::load(made->certificate, made->key).has_value());
}
