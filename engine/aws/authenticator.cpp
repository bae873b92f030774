#include "engine/aws/authenticator.h"

#include "engine/base/check.h"
#include "engine/reactor/call_on.h"

namespace tidemill::aws {
namespace {

constexpr std::string_view kErrorTypes[] = {
    "MissingAuthenticationTokenException", "IncompleteSignatureException",
    "UnrecognizedClientException",         "ExpiredTokenException",
    "InvalidSignatureException",           "InvalidSignatureException"};
static_assert(std::size(kErrorTypes) == kAuthFaults && std::size(kAuthFaultNames) == kAuthFaults);

}  // namespace

SignedRequest signed_request(const HttpRequest& request) {
    return {request.method, request.path, request.query, request.headers, request.body};
}

ApiError to_api_error(AuthRefusal refusal) {
    return {kErrorTypes[static_cast<std::size_t>(refusal.fault)], std::move(refusal.message)};
}

Authenticator::Authenticator(std::vector<Reactor*> reactors, AuthMode mode,
                             const CredentialSet& credentials)
    : reactors_(std::move(reactors)), mode_(mode) {
    for (std::size_t i = 0; i < reactors_.size(); ++i) {
        cores_.push_back(std::make_unique<Core>());
        cores_.back()->credentials = credentials.copy();
    }
}

Authenticator::Core& Authenticator::here() {
    const auto core = Reactor::current().id().value;
    TM_CHECK(core < cores_.size(), "no authenticator on core {}", core);
    return *cores_[core];
}

AuthStats Authenticator::stats() const { return cores_[Reactor::current().id().value]->stats; }

AuthResult<Caller> Authenticator::verified(Core& core, const SignedRequest& request,
                                           std::string_view service) const {
    SignatureParts parts;
    if (auto status = parse_signature(request, parts); !status)
        return std::unexpected(std::move(status).error());
    const Credential* credential = core.credentials.find(parts.scope.access_key);
    if (credential == nullptr)
        return refuse_auth(AuthFault::UnknownKey,
                           "The security token included in the request is invalid.");
    const WallTime now = Reactor::current().clock().wall_now();
    if (auto status = core.verifier.verify(request, parts, *credential, service, now); !status)
        return std::unexpected(std::move(status).error());
    Caller caller;
    caller.region = checked_region(parts.scope.region);
    caller.identity = credential->identity;
    caller.account = caller.identity->account;
    return caller;
}

ApiResult<Caller> Authenticator::authenticate(const HttpRequest& request,
                                              std::string_view service) {
    Core& core = here();
    const SignedRequest signed_one = signed_request(request);
    std::string space;
    if (mode_ == AuthMode::Off ||
        (mode_ == AuthMode::Optional &&
         core.credentials.find(claimed_access_key(signed_one, space)) == nullptr)) {
        ++core.stats.unverified;
        return unverified_caller(request);
    }
    auto caller = verified(core, signed_one, service);
    if (!caller) {
        ++core.stats.refused[static_cast<std::size_t>(caller.error().fault)];
        return std::unexpected(to_api_error(std::move(caller).error()));
    }
    ++core.stats.verified;
    caller->request = &request;
    return std::move(*caller);
}

void Authenticator::count_load(bool is_good) {
    AuthStats& stats = here().stats;
    ++(is_good ? stats.credential_loads : stats.credential_load_failures);
}

Task<void> Authenticator::replace(const CredentialSet& credentials) {
    for (std::size_t i = 0; i < reactors_.size(); ++i) {
        auto mine = std::make_shared<CredentialSet>(credentials.copy());
        const auto put = [core = cores_[i].get(), mine]() -> Task<void> {
            core->credentials = std::move(*mine);
            core->verifier.forget_keys();
            co_return;
        };
        co_await call_on(*reactors_[i], put);
    }
}

}  // namespace tidemill::aws
