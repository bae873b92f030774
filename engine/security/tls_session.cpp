#include "engine/security/tls_session.h"

#include <algorithm>
#include <cstring>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "engine/base/check.h"
#include "engine/security/tls_error.h"

namespace tidemill {

struct TlsSession::Pipe {
    static TlsSession& self(BIO* bio) { return *static_cast<TlsSession*>(BIO_get_data(bio)); }

    static int read(BIO* bio, char* into, std::size_t room, std::size_t* count) {
        TlsSession& session = self(bio);
        BIO_clear_retry_flags(bio);
        *count = std::min(room, session.input_.size() - session.used_);
        if (*count == 0) {
            BIO_set_retry_read(bio);
            return 0;
        }
        std::memcpy(into, session.input_.data() + session.used_, *count);
        session.used_ += *count;
        return 1;
    }
    static int write(BIO* bio, const char* bytes, std::size_t size, std::size_t* count) {
        self(bio).output_.append(bytes, size);
        BIO_clear_retry_flags(bio);
        *count = size;
        return 1;
    }
    static long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH; }

    static const BIO_METHOD* method() {
        static BIO_METHOD* made = [] {
            BIO_METHOD* to = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "session");
            TM_CHECK(to != nullptr);
            BIO_meth_set_read_ex(to, read);
            BIO_meth_set_write_ex(to, write);
            BIO_meth_set_ctrl(to, control);
            return to;
        }();
        return made;
    }
};

TlsSession::TlsSession(const TlsContext& context) : ssl_(SSL_new(context.get())) {
    BIO* bio = BIO_new(Pipe::method());
    TM_CHECK(ssl_ != nullptr && bio != nullptr, "no TLS session: {}", tls_error());
    BIO_set_data(bio, this);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl_, bio, bio);  // which takes it over
    SSL_set_accept_state(ssl_);
}

TlsSession::~TlsSession() { SSL_free(ssl_); }

void TlsSession::feed(Bytes ciphertext) {
    if (used_ == input_.size()) {
        input_.clear();
        used_ = 0;
    }
    input_.append(as_text(ciphertext));
}

TlsSession::State TlsSession::state_after(int result) {
    if (result > 0) return State::Done;
    switch (SSL_get_error(ssl_, result)) {
        case SSL_ERROR_WANT_READ:
            input_ = {};  // all used: a connection that waits holds none
            used_ = 0;
            return State::WantsInput;
        case SSL_ERROR_ZERO_RETURN:
            return State::Ended;
        default:
            failure_ = tls_error();
            return State::Failed;
    }
}

TlsSession::State TlsSession::handshake() {
    ERR_clear_error();
    return state_after(SSL_do_handshake(ssl_));
}

TlsSession::State TlsSession::read(MutableBytes into, std::size_t& count) {
    count = 0;
    while (count < into.size()) {
        ERR_clear_error();
        std::size_t got = 0;
        const State state =
            state_after(SSL_read_ex(ssl_, into.data() + count, into.size() - count, &got));
        if (state != State::Done) return count > 0 ? State::Done : state;
        count += got;
    }
    return State::Done;
}

TlsSession::State TlsSession::write(Bytes plaintext) {
    if (plaintext.empty()) return State::Done;
    ERR_clear_error();
    std::size_t written = 0;
    const State state =
        state_after(SSL_write_ex(ssl_, plaintext.data(), plaintext.size(), &written));
    return state == State::Done ? state : State::Failed;
}

void TlsSession::end() {
    ERR_clear_error();
    if (SSL_is_init_finished(ssl_) == 1) SSL_shutdown(ssl_);
    ERR_clear_error();
}

std::string_view TlsSession::protocol() const {
    const unsigned char* name = nullptr;
    unsigned int size = 0;
    SSL_get0_alpn_selected(ssl_, &name, &size);
    return {reinterpret_cast<const char*>(name), size};
}

}  // namespace tidemill
