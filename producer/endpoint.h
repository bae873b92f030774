#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/result.h"
#include "producer/outcome.h"

namespace tidemill::client {

/// Where a broker listens.
struct Endpoint {
    std::string host;
    std::uint16_t port = 4567;

    std::string to_string() const;
    /// "host", "host:port", "[v6]:port", each with or without "tidemill://". Errors:
    /// InvalidArgument.
    static Result<Endpoint> parse(std::string_view text);
};

Failure failure_of(const Error& error);
/// What a broker's ErrorReply says; a name this library does not know becomes Internal, its name
/// kept in the text.
Error error_named(std::string_view code, std::string message);

template <class T>
Outcome<T> outcome_of(Result<T> result) {
    if (!result) return failure_of(result.error());
    return std::move(*result);
}
inline Completion outcome_of(const Status& status) {
    if (!status) return failure_of(status.error());
    return Nothing{};
}

}  // namespace tidemill::client
