#pragma once

#include <array>
#include <memory>
#include <vector>

#include "engine/aws/api_error.h"
#include "engine/aws/caller.h"
#include "engine/http/http_message.h"
#include "engine/io/task.h"
#include "engine/reactor/reactor.h"
#include "engine/security/auth_mode.h"
#include "engine/security/credential.h"
#include "engine/security/sigv4.h"

namespace tidemill::aws {

/// Of one core.
struct AuthStats {
    std::uint64_t verified = 0;    ///< signatures that were right
    std::uint64_t unverified = 0;  ///< requests let in without one of a known key
    std::array<std::uint64_t, kAuthFaults> refused{};                  ///< by AuthFault
    std::uint64_t credential_loads = 0, credential_load_failures = 0;  ///< after the first
};

/// Finds out who calls. What --auth says is settled here. Core: any of those given; `replace` from
/// any of them.
class Authenticator {
 public:
    /// Ownership: the reactors outlive it.
    Authenticator(std::vector<Reactor*> reactors, AuthMode mode, const CredentialSet& credentials);

    /// The caller of a request that is meant for `service` ("kinesis"). Errors: in AWS's words.
    ApiResult<Caller> authenticate(const HttpRequest& request, std::string_view service);

    /// From now on these credentials are the ones in force, on every core when it returns.
    Task<void> replace(const CredentialSet& credentials);
    void count_load(bool is_good);  ///< on this core

    AuthMode mode() const { return mode_; }
    AuthStats stats() const;  ///< of this core

 private:
    struct alignas(64) Core {
        CredentialSet credentials;
        SigV4Verifier verifier;
        AuthStats stats;
    };
    Core& here();
    AuthResult<Caller> verified(Core& core, const SignedRequest& request,
                                std::string_view service) const;

    std::vector<Reactor*> reactors_;
    AuthMode mode_;
    std::vector<std::unique_ptr<Core>> cores_;
};

SignedRequest signed_request(const HttpRequest& request);

/// How the services name a refusal: "InvalidSignatureException".
ApiError to_api_error(AuthRefusal refusal);

}  // namespace tidemill::aws
