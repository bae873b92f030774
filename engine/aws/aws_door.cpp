#include "engine/aws/aws_door.h"

#include <array>

#include <fmt/format.h>

#include "engine/aws/error_document.h"
#include "engine/base/check.h"
#include "engine/security/base64.h"
#include "engine/security/sealed_token.h"

namespace tidemill::aws {
namespace {

std::string request_id(Random& random) {
    const std::uint64_t a = random.next(), b = random.next();
    return fmt::format("{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}", a >> 32, a >> 16 & 0xffff, a & 0xfff,
                       (b >> 48 & 0x3fff) | 0x8000, b & 0xffffffffffff);
}

std::string extended_id(Random& random) {
    std::array<std::byte, 72> bytes;
    for (std::size_t i = 0; i < bytes.size(); i += 8)
        store_le(&bytes[i], random.next());
    return base64_encode(bytes);
}

}  // namespace

AwsDoor::AwsDoor(const std::vector<Reactor*>& reactors, std::vector<Api*> apis,
                 Authenticator& authenticator)
    : apis_(std::move(apis)), authenticator_(authenticator) {
    TM_CHECK(!apis_.empty(), "a door without an API");
    const auto seeds = random_secret(8 * reactors.size());
    for (std::size_t i = 0; i < reactors.size(); ++i)
        cores_.push_back({Random(load_le<std::uint64_t>(&seeds[8 * i]))});
}

Task<HttpResponse> AwsDoor::handle(const HttpRequest& request) {
    Core& core = cores_[Reactor::current().id().value];
    const std::string id = request_id(core.random);
    HttpResponse response = request.method == "POST"
                                ? co_await serve(request, id)
                                : xml_refusal("AccessDeniedException", kNoOperation, 403);
    response.headers.emplace_back("x-amzn-RequestId", id);
    response.headers.emplace_back("x-amz-id-2", extended_id(core.random));
    co_return response;
}

Task<HttpResponse> AwsDoor::serve(const HttpRequest& request, const std::string& id) {
    Api* api = apis_.front();
    std::string_view operation;
    for (Api* candidate : apis_) {
        const auto found = candidate->operation_of(request);
        if (!found) continue;
        api = candidate;
        operation = *found;
        break;
    }
    auto caller = authenticator_.authenticate(request, api->signing_name());
    if (!caller) co_return api->refusal(request, caller.error());
    co_return co_await api->call(ApiRequest{request, operation, std::move(*caller), id});
}

}  // namespace tidemill::aws
