#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/http/http_core.h"
#include "engine/http/http_message.h"
#include "engine/reactor/signal.h"

namespace tidemill {

/// One request of an HTTP/2 connection and its answer. Ownership: its session's; it lives until it
/// is both closed and released.
struct Http2Stream {
    Http2Stream(std::int32_t number, std::size_t& bodies_in_use, std::size_t bodies_limit)
        : id(number), reserved(bodies_in_use, bodies_limit) {}

    std::int32_t id;

    // The request.
    HttpRequest request;                              // views `fields` and `body`
    std::string fields;                               // names and values, one behind the other
    std::vector<std::array<std::size_t, 2>> lengths;  // of each name and value
    std::size_t header_bytes = 0;                     // as SETTINGS_MAX_HEADER_LIST_SIZE counts
    std::optional<std::uint64_t> announced;           // Content-Length
    std::unique_ptr<char[]> body;
    std::size_t body_size = 0, body_capacity = 0;
    BodyReservation reserved;
    bool has_headers = false;  // all of them
    bool is_complete = false;  // the client has ended it
    unsigned refusal = 0;      // answered with this status, and never handled

    // The answer.
    std::string whole;         // what `unsent` views, of a body known as a whole
    Bytes unsent;              // of the body, or of the piece that is on its way
    bool is_streamed = false;  // more pieces may come
    bool is_answered = false;

    MonoTime deadline = MonoTime::max();  // for the next thing the peer has to do
    bool is_closed = false;               // nothing that is sent would reach anyone
    bool is_running = false;              // somebody outside holds it
    Signal moved;                         // `unsent` is empty, or it is closed
};

}  // namespace tidemill
