#pragma once

#include <string>
#include <string_view>

#include "engine/base/bytes.h"
#include "engine/security/tls_context.h"

struct ssl_st;
struct bio_st;

namespace tidemill {

/// The server's side of one TLS connection, without any I/O: ciphertext goes in by feed() and comes
/// out by take_output(). Core: one.
class TlsSession {
 public:
    enum class State {
        Done,        ///< what was asked for has happened
        WantsInput,  ///< feed more, then ask again
        Ended,       ///< the peer has said that nothing more comes
        Failed,      ///< it is of no more use, but for the output; see failure()
    };

    explicit TlsSession(const TlsContext& context);
    ~TlsSession();
    TlsSession(const TlsSession&) = delete;
    TlsSession& operator=(const TlsSession&) = delete;

    /// Copies what the peer has sent.
    void feed(Bytes ciphertext);
    State handshake();
    /// Reads what there is, up to all of `into`; Done with a `count` of at least 1.
    State read(MutableBytes into, std::size_t& count);
    State write(Bytes plaintext);
    /// Says goodbye.
    void end();

    bool has_output() const { return !output_.empty(); }
    std::size_t output_bytes() const { return output_.size(); }
    /// What is to be sent; forgets it.
    std::string take_output() { return std::exchange(output_, {}); }

    /// What ALPN has chosen; empty when the client did not ask.
    std::string_view protocol() const;
    const std::string& failure() const { return failure_; }

 private:
    struct Pipe;  // how OpenSSL reaches input and output
    friend struct Pipe;
    State state_after(int result);

    ssl_st* ssl_ = nullptr;
    std::string input_, output_, failure_;
    std::size_t used_ = 0;  // of the input
};

}  // namespace tidemill
