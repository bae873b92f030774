#pragma once

#include <list>
#include <string>
#include <string_view>

#include "engine/http/http_connection.h"
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
    HttpStats stats;
    HttpDate date;
};

}  // namespace tidemill
