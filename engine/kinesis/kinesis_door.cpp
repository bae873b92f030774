#include "engine/kinesis/kinesis_door.h"

#include <fmt/format.h>

#include "engine/base/check.h"
#include "engine/kinesis/caller.h"
#include "engine/kinesis/error_map.h"
#include "engine/kinesis/json_document.h"
#include "engine/kinesis/json_writer.h"
#include "engine/kinesis/operations.h"
#include "engine/security/base64.h"

namespace tidemill {
namespace {

constexpr const char* kSecretKind = "secret";
constexpr const char* kSecretName = "kinesis tokens";
constexpr std::size_t kSecretBytes = 32;
constexpr std::string_view kTargetPrefix = "Kinesis_20131202.";
constexpr const char* kJson = "application/x-amz-json-1.1";

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

bool is_json(std::string_view content_type) {
    const auto type = content_type.substr(0, content_type.find(';'));
    return type.starts_with("application/x-amz-json-1.1") || type.starts_with("application/json");
}

std::string error_body(const kinesis::ApiError& error) {
    std::string body;
    kinesis::JsonWriter json(body);
    json.begin_object().member("__type", error.type);
    // The one exception whose message begins with a capital.
    if (!error.message.empty())
        json.member(error.type == "SerializationException" ? "Message" : "message", error.message);
    json.end_object();
    return body;
}

}  // namespace

KinesisDoor::KinesisDoor(std::vector<Reactor*> reactors, StreamService& service, Bytes secret)
    : service_(service), reactors_(std::move(reactors)) {
    const auto seeds = random_secret(8 * reactors_.size());
    for (std::size_t i = 0; i < reactors_.size(); ++i)
        cores_.push_back(
            {TokenSealer(secret), Random(load_le<std::uint64_t>(&seeds[8 * i])), {}, {}});
}

Task<Result<std::unique_ptr<KinesisDoor>>> KinesisDoor::start(std::vector<Reactor*> reactors,
                                                              StreamService& service) {
    CO_ASSIGN(auto secret, co_await service.load_blob(kSecretKind, kSecretName));
    if (!secret || secret->size() != kSecretBytes) {
        secret = random_secret(kSecretBytes);
        CO_TRY(co_await service.save_blob(kSecretKind, kSecretName, *secret));
    }
    co_return std::unique_ptr<KinesisDoor>(new KinesisDoor(std::move(reactors), service, *secret));
}

KinesisDoor::Core& KinesisDoor::here() {
    const auto core = Reactor::current().id().value;
    TM_CHECK(core < cores_.size(), "the Kinesis door does not run on core {}", core);
    return cores_[core];
}

KinesisStats KinesisDoor::stats() const {
    const Core& core = cores_[Reactor::current().id().value];
    KinesisStats stats = core.stats;
    stats.unreadable_batches = core.reading.unreadable_batches;
    return stats;
}

Task<HttpResponse> KinesisDoor::handle(const HttpRequest& request) {
    Core& core = here();
    ++core.stats.calls;
    HttpResponse response;
    response.headers.emplace_back("x-amzn-RequestId", request_id(core.random));
    response.headers.emplace_back("x-amz-id-2", extended_id(core.random));
    const std::string_view content_type = request.header("Content-Type");
    if (!request.body.empty() && !is_json(content_type) &&
        !content_type.starts_with("application/x-amz-cbor")) {
        ++core.stats.client_errors;
        response.status = 404;
        response.body = "<UnknownOperationException/>\n";
        co_return response;
    }
    response.content_type =
        content_type.starts_with("application/json") ? "application/json" : kJson;
    auto answer = co_await dispatch(request, core);
    if (answer) {
        // Operations without an answer have an empty body, not "{}".
        response.body = std::move(*answer);
        co_return response;
    }
    const kinesis::ApiError& error = answer.error();
    ++(error.status >= 500 ? core.stats.server_errors : core.stats.client_errors);
    response.status = error.status;
    response.body = error_body(error);
    co_return response;
}

Task<kinesis::ApiResult<std::string>> KinesisDoor::dispatch(const HttpRequest& request,
                                                            Core& core) {
    using kinesis::refuse;
    const std::string_view target = request.header("X-Amz-Target");
    if (request.header("Content-Type").starts_with("application/x-amz-cbor"))
        co_return refuse(
            "SerializationException",
            "CBOR is not served yet; let the client speak JSON (AWS_CBOR_DISABLE=true).");
    if (!target.starts_with(kTargetPrefix)) co_return refuse("UnknownOperationException", "");
    const std::string_view name = target.substr(kTargetPrefix.size());
    const kinesis::Operation* operation = kinesis::find_operation(name);
    if (operation == nullptr)
        co_return refuse("UnknownOperationException",
                         kinesis::is_known_operation(name)
                             ? fmt::format("{} is not served yet.", name)
                             : std::string{});
    kinesis::Call call{service_,
                       core.tokens,
                       core.reading,
                       Reactor::current().clock(),
                       kinesis::caller_of(request),
                       request.body,
                       {},
                       {}};
    if (operation->shape != nullptr) {
        auto document = kinesis::parse_json(request.body);
        if (!document || document->map() == nullptr) co_return refuse("SerializationException", "");
        call.input = std::move(*document);
        if (auto status = kinesis::check(call.input, *operation->shape); !status)
            co_return std::unexpected(status.error());
    }
    if (auto status = co_await operation->run(call); !status)
        co_return std::unexpected(status.error());
    co_return std::move(call.output);
}

}  // namespace tidemill
