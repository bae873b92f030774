#pragma once

#include <string_view>

#include "engine/base/result.h"
#include "engine/server/config.h"

namespace tidemill {

/// What a configuration comes to on the address it listens on.
struct AuthPlan {
    AuthMode mode = AuthMode::Optional;
    /// The native protocol has no signatures: where the AWS APIs insist on them, it serves this
    /// machine alone, unless the operator says otherwise.
    bool native_is_local = false;
};

/// Not set, the mode is Optional on loopback and Required on any other address. Errors:
/// InvalidArgument, when the port would be open to strangers on an address that others reach and
/// auth.insecure does not say so; when signatures are required and no key is known.
Result<AuthPlan> plan_auth(const Config& config);

/// "localhost", "::1", 127.0.0.0/8.
bool is_loopback(std::string_view host);

}  // namespace tidemill
