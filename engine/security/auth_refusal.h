#pragma once

#include <cstdint>
#include <expected>
#include <string>

namespace tidemill {

/// Why a caller is not believed to be who it says. The order is that of kAuthFaultNames.
enum class AuthFault : std::uint8_t {
    MissingToken,    ///< not signed at all
    Incomplete,      ///< parts of a signature are missing or malformed
    UnknownKey,      ///< no such access key, or not with this session token
    ExpiredToken,    ///< its session has ended
    OutOfTime,       ///< signed too long ago, or in the future
    WrongSignature,  ///< the signature is not of this request with the key's secret
};
constexpr const char* kAuthFaultNames[] = {"missing",       "incomplete",  "unknown_key",
                                           "expired_token", "out_of_time", "wrong_signature"};
constexpr std::size_t kAuthFaults = 6;

/// A caller refused, with AWS's own words for it.
struct AuthRefusal {
    AuthFault fault;
    std::string message;
};

template <class T>
using AuthResult = std::expected<T, AuthRefusal>;
using AuthStatus = AuthResult<void>;

[[nodiscard]] inline std::unexpected<AuthRefusal> refuse_auth(AuthFault fault,
                                                              std::string message) {
    return std::unexpected<AuthRefusal>(std::in_place, fault, std::move(message));
}

}  // namespace tidemill
