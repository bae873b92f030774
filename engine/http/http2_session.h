#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/http/http2_limits.h"
#include "engine/http/http2_stream.h"
#include "engine/http/http_core.h"

struct nghttp2_session;

namespace tidemill {

/// The framing of one HTTP/2 connection (RFC 9113), without any I/O: bytes go in, requests come
/// out; answers go in, bytes come out. What a peer can make it hold is bounded by HttpLimits and
/// http2_limits.h; one that wastes its time is sent away. Core: one. Ownership: limits, count,
/// statistics and peer outlive it.
class Http2Session {
 public:
    /// `bodies_in_use` counts what all bodies of the core take.
    Http2Session(const HttpLimits& limits, std::size_t& bodies_in_use, HttpStats& stats,
                 std::string_view peer, MonoTime now);
    ~Http2Session();
    Http2Session(const Http2Session&) = delete;
    Http2Session& operator=(const Http2Session&) = delete;

    /// Takes what the peer has sent, its preface included.
    void receive(Bytes bytes, MonoTime now);
    /// Appends what is to be sent, about `at_most` bytes of it.
    void take_output(std::string& out, std::size_t at_most, MonoTime now);
    /// Nothing more will come of it once the output has been taken.
    bool is_over() const;
    /// The peer broke what cannot be mended; there is no use in sending anything.
    bool is_broken() const { return is_broken_; }

    /// The next request that is whole, or cannot become it (`refusal`). Null: none. It is the
    /// caller's until release().
    Http2Stream* next_request();
    /// Ends the caller's use of a stream; it may be gone then.
    void release(Http2Stream& stream);
    /// The body is no longer needed, though the stream is.
    void forget_body(Http2Stream& stream);

    /// Answers with head and body, or with the head alone when `response.stream` is set: then
    /// pieces follow until finish(). Fine on a closed stream, as all of these are.
    void answer(Http2Stream& stream, HttpResponse& response, std::string_view date, MonoTime now);
    /// The next piece; `stream.moved` tells when it has been taken. Ownership: it lives until then.
    void offer(Http2Stream& stream, Bytes piece, MonoTime now);
    void finish(Http2Stream& stream);
    void abandon(Http2Stream& stream);

    /// No more requests from now on; those that are known are answered.
    void go_away();
    /// The connection is no more: closes all streams.
    void close();
    /// Ends what is past its deadline; true when that leaves something to send.
    bool sweep(MonoTime now);

    std::size_t streams() const { return streams_.size(); }
    std::size_t unsent_bytes() const { return unsent_bytes_; }  ///< of whole bodies

 private:
    struct Callbacks;  // what the library calls
    friend struct Callbacks;

    Http2Stream* find(std::int32_t id) const;
    void begin_headers(std::int32_t id);
    void add_header(Http2Stream& stream, std::string_view name, std::string_view value);
    void end_headers(Http2Stream& stream);
    void add_body(Http2Stream& stream, std::string_view bytes);
    bool make_room(Http2Stream& stream, std::size_t bytes);
    void complete(Http2Stream& stream);
    void refuse(Http2Stream& stream, unsigned status);
    void close_stream(Http2Stream& stream);
    void count_frame(std::uint8_t type, std::uint8_t flags, std::size_t length);
    void end_for_abuse();

    const HttpLimits& limits_;
    std::size_t& bodies_in_use_;
    HttpStats& stats_;
    std::string_view peer_;
    nghttp2_session* session_ = nullptr;
    std::unordered_map<std::int32_t, std::unique_ptr<Http2Stream>> streams_;
    std::vector<std::int32_t> ready_;  // from `started_` on; may name streams that are gone
    std::size_t started_ = 0;
    std::string* out_ = nullptr;  // while output is taken
    std::size_t unsent_bytes_ = 0;
    MonoTime now_, busy_at_;
    MonoTime headers_deadline_ = MonoTime::max();
    std::uint32_t continuations_ = 0;
    Http2Allowance resets_{1000, 33}, trifles_{10'000, 330};
    bool is_broken_ = false, is_ending_ = false, is_going_ = false;
};

}  // namespace tidemill
