#include "producer/endpoint.h"

#include <charconv>

#include <fmt/format.h>

namespace tidemill::client {

std::string Endpoint::to_string() const {
    return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port)
                                               : fmt::format("[{}]:{}", host, port);
}

Result<Endpoint> Endpoint::parse(std::string_view text) {
    const std::string_view whole = text;
    const auto refuse = [&] {
        return fail(Errc::InvalidArgument,
                    fmt::format("'{}' is no endpoint: say host:port", whole));
    };
    constexpr std::string_view kScheme = "tidemill://";
    if (text.starts_with(kScheme)) text.remove_prefix(kScheme.size());
    if (text.ends_with('/')) text.remove_suffix(1);
    Endpoint endpoint;
    std::string_view port;
    bool has_port = false;
    if (text.starts_with('[')) {
        const auto end = text.find(']');
        if (end == std::string_view::npos) return refuse();
        endpoint.host = text.substr(1, end - 1);
        port = text.substr(end + 1);
        has_port = !port.empty();
        if (has_port && port.front() != ':') return refuse();
        if (has_port) port.remove_prefix(1);
    } else {
        const auto colon = text.rfind(':');
        has_port = colon != std::string_view::npos;
        endpoint.host = text.substr(0, colon);
        if (has_port) port = text.substr(colon + 1);
        if (endpoint.host.find(':') != std::string::npos) return refuse();
    }
    if (endpoint.host.empty() || endpoint.host.find('/') != std::string::npos) return refuse();
    if (has_port) {
        const auto [end, error] =
            std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
        if (error != std::errc{} || end != port.data() + port.size() || endpoint.port == 0)
            return refuse();
    }
    return endpoint;
}

Failure failure_of(const Error& error) {
    std::string text = error.message;
    if (error.sys_errno != 0) text += fmt::format(" ({})", std::strerror(error.sys_errno));
    return {std::string(info(error.code).name), std::move(text), info(error.code).is_retryable};
}

Error error_named(std::string_view code, std::string message) {
    std::size_t count = 0;
    const ErrcInfo* all = all_errors(count);
    for (std::size_t i = 0; i < count; ++i)
        if (all[i].name == code) return Error(all[i].code, std::move(message));
    return Error(Errc::Internal, fmt::format("{}: {}", code, message));
}

}  // namespace tidemill::client
