#pragma once

#include <algorithm>
#include <list>
#include <optional>
#include <string>
#include <string_view>

#include "engine/http/http_connection.h"
#include "engine/http/http_cors.h"
#include "engine/http/http_limits.h"
#include "engine/http/http_server.h"

namespace tidemill {

/// "Sun, 06 Nov 1994 08:49:37 GMT", made once a second.
class HttpDate {
 public:
    std::string_view at(WallTime now);

 private:
    std::int64_t second_ = -1;
    std::string text_;
};

/// What the body of one request takes of its core's memory for bodies; given back when it dies.
/// Ownership: the count outlives it.
class BodyReservation {
 public:
    BodyReservation(std::size_t& in_use, std::size_t limit) : in_use_(in_use), limit_(limit) {}
    ~BodyReservation() { in_use_ -= held_; }
    BodyReservation(const BodyReservation&) = delete;
    BodyReservation& operator=(const BodyReservation&) = delete;

    /// Holds so much from now on. False when there is not so much left: then it holds what it held.
    bool hold(std::size_t bytes) {
        if (bytes > held_ && bytes - held_ > limit_ - std::min(limit_, in_use_)) return false;
        in_use_ = in_use_ - held_ + bytes;
        held_ = bytes;
        return true;
    }

 private:
    std::size_t& in_use_;
    std::size_t limit_;
    std::size_t held_ = 0;
};

/// What the connections of one core share. Core: its reactor's.
struct HttpCore {
    HttpCore(Reactor& r, const HttpLimits& l, const HttpRouter& routes,
             const std::vector<std::pair<std::string, RawHandler>>& raw)
        : reactor(r), limits(l), router(routes), raw_handlers(raw) {}

    Reactor& reactor;
    const HttpLimits& limits;
    const HttpRouter& router;
    const std::vector<std::pair<std::string, RawHandler>>& raw_handlers;

    Gate gate;
    std::list<HttpConnection*> connections;
    std::size_t bodies_bytes = 0;
    bool stopping = false;
    HttpCors cors;
    std::optional<TlsContext> tls;  ///< not set: no TLS
    bool requires_tls = false;
    std::size_t handshakes = 0;  ///< under way
    HttpStats stats;
    HttpDate date;
    HttpScratch scratch;
};

}  // namespace tidemill
