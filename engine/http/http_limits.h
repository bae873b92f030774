#pragma once

#include <chrono>
#include <cstdint>

#include "engine/base/bytes.h"
#include "engine/base/time.h"

namespace tidemill {

/// What one port bears. All deadlines are checked every half second.
struct HttpLimits {
    std::size_t header_bytes = 32_KiB;   ///< request line and headers; more: 431
    std::size_t body_bytes = 16_MiB;     ///< one body; more: 413
    std::size_t bodies_bytes = 256_MiB;  ///< all bodies being read or served on one core; more: 503
    std::uint32_t connections = 20'000;  ///< of all cores; more are closed at once
    std::chrono::milliseconds header_time =
        10s;  ///< from a request's first byte to the end of its headers
    std::chrono::milliseconds body_time = 60s;   ///< for its body
    std::chrono::milliseconds idle_time = 120s;  ///< between requests
    std::chrono::milliseconds write_time = 30s;  ///< for each write of a response
    std::chrono::milliseconds stop_time = 5s;    ///< for requests in progress when the server stops
};

/// Readable bytes behind every request's body, for parsers that read ahead.
constexpr std::size_t kBodyPadding = 64;

}  // namespace tidemill
