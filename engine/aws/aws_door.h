#pragma once

#include <string>
#include <vector>

#include "engine/aws/api.h"
#include "engine/aws/authenticator.h"
#include "engine/base/random.h"
#include "engine/http/http_message.h"
#include "engine/reactor/reactor.h"

namespace tidemill::aws {

/// The AWS services on one port, mounted on every path: refuses what is not POST, finds the API a
/// request is meant for, has the authenticator find out who calls, and gives each answer its
/// request ids.
class AwsDoor final : public HttpHandler {
 public:
    /// A request that no API knows as its own goes to the first. Ownership: reactors, APIs and
    /// authenticator outlive the door.
    AwsDoor(const std::vector<Reactor*>& reactors, std::vector<Api*> apis,
            Authenticator& authenticator);

    Task<HttpResponse> handle(const HttpRequest& request) override;

 private:
    struct alignas(64) Core {
        Random random;
    };

    Task<HttpResponse> serve(const HttpRequest& request, const std::string& id);

    std::vector<Api*> apis_;
    Authenticator& authenticator_;
    std::vector<Core> cores_;
};

}  // namespace tidemill::aws
