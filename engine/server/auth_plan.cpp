#include "engine/server/auth_plan.h"

#include <fmt/format.h>

namespace tidemill {

bool is_loopback(std::string_view host) {
    return host == "localhost" || host == "::1" || host.starts_with("127.");
}

Result<AuthPlan> plan_auth(const Config& config) {
    const bool is_local = is_loopback(config.listen_host);
    const bool has_keys = !config.auth.credentials_file.empty();
    const AuthMode usual =
        is_local || (config.auth.insecure && !has_keys) ? AuthMode::Optional : AuthMode::Required;
    AuthPlan plan;
    plan.mode = config.auth.mode.value_or(usual);
    if (plan.mode == AuthMode::Required && !has_keys)
        return fail(Errc::InvalidArgument,
                    fmt::format("listening on {}, callers must sign their requests, and no key is "
                                "known: make one with 'tidemill credentials new FILE NAME' and "
                                "name the file with --credentials (auth.credentials_file); or let "
                                "everybody in with --insecure",
                                config.listen_host));
    if (plan.mode != AuthMode::Required && !is_local && !config.auth.insecure)
        return fail(
            Errc::InvalidArgument,
            fmt::format("with --auth {} anyone who reaches {} may use this broker; say "
                        "--insecure (auth.insecure) if that is meant, or --auth required",
                        plan.mode == AuthMode::Off ? "off" : "optional", config.listen_host));
    plan.native_is_local = plan.mode == AuthMode::Required && !config.auth.insecure;
    return plan;
}

}  // namespace tidemill
