#pragma once

#include <string>
#include <vector>

#include "engine/aws/api.h"
#include "engine/base/random.h"
#include "engine/http/http_message.h"
#include "engine/reactor/reactor.h"

namespace tidemill::aws {

/// The AWS services on one port, mounted on every path: refuses what is not POST, finds the API a
/// request is meant for, says who calls, and gives each answer its request ids. Signatures are
/// accepted unverified: reachable by others, this port is open to them.
class AwsDoor final : public HttpHandler {
 public:
    /// A request that no API knows as its own goes to the first. Ownership: reactors and APIs
    /// outlive the door.
    AwsDoor(const std::vector<Reactor*>& reactors, std::vector<Api*> apis);

    Task<HttpResponse> handle(const HttpRequest& request) override;

 private:
    struct alignas(64) Core {
        Random random;
    };

    std::vector<Api*> apis_;
    std::vector<Core> cores_;
};

}  // namespace tidemill::aws
