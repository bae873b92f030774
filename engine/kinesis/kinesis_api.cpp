#include "engine/kinesis/kinesis_api.h"

#include <fmt/format.h>

#include "engine/aws/error_document.h"
#include "engine/aws/json_document.h"
#include "engine/base/check.h"
#include "engine/kinesis/error_map.h"
#include "engine/kinesis/operations.h"

namespace tidemill {
namespace {

constexpr const char* kSecretKind = "secret";
constexpr const char* kSecretName = "kinesis tokens";
constexpr std::size_t kSecretBytes = 32;
constexpr std::string_view kTargetPrefix = "Kinesis_20131202.";
constexpr const char* kJson = "application/x-amz-json-1.1";

bool is_json(std::string_view content_type) {
    const auto type = content_type.substr(0, content_type.find(';'));
    return type.starts_with("application/x-amz-json-1.1") || type.starts_with("application/json");
}

std::string answer_type(const HttpRequest& request) {
    const std::string_view type = request.header("Content-Type");
    return type.starts_with("application/json") ? "application/json" : kJson;
}

}  // namespace

KinesisApi::KinesisApi(std::vector<Reactor*> reactors, StreamService& service, Bytes secret)
    : service_(service), reactors_(std::move(reactors)) {
    for (std::size_t i = 0; i < reactors_.size(); ++i)
        cores_.push_back({TokenSealer(secret), {}, {}});
}

Task<Result<std::unique_ptr<KinesisApi>>> KinesisApi::start(std::vector<Reactor*> reactors,
                                                            StreamService& service) {
    CO_ASSIGN(auto secret, co_await service.load_blob(kSecretKind, kSecretName));
    if (!secret || secret->size() != kSecretBytes) {
        secret = random_secret(kSecretBytes);
        CO_TRY(co_await service.save_blob(kSecretKind, kSecretName, *secret));
    }
    co_return std::unique_ptr<KinesisApi>(new KinesisApi(std::move(reactors), service, *secret));
}

KinesisApi::Core& KinesisApi::here() {
    const auto core = Reactor::current().id().value;
    TM_CHECK(core < cores_.size(), "the Kinesis API does not run on core {}", core);
    return cores_[core];
}

KinesisStats KinesisApi::stats() const {
    const Core& core = cores_[Reactor::current().id().value];
    KinesisStats stats = core.stats;
    stats.unreadable_batches = core.reading.unreadable_batches;
    return stats;
}

std::optional<std::string_view> KinesisApi::operation_of(const HttpRequest& request) const {
    return aws::target_operation(request, kTargetPrefix);
}

HttpResponse KinesisApi::refusal(const HttpRequest& request, const aws::ApiError& error) {
    KinesisStats& stats = here().stats;
    ++(error.status >= 500 ? stats.server_errors : stats.client_errors);
    HttpResponse response;
    response.status = error.status;
    response.content_type = answer_type(request);
    response.body = aws::error_document(error, aws::Encoding::Json);
    return response;
}

Task<HttpResponse> KinesisApi::call(const aws::ApiRequest& request) {
    Core& core = here();
    ++core.stats.calls;
    const std::string_view content_type = request.http.header("Content-Type");
    HttpResponse response;
    if (!request.http.body.empty() && !is_json(content_type) && !aws::is_cbor(content_type)) {
        ++core.stats.client_errors;
        response.status = 404;
        response.body = "<UnknownOperationException/>\n";
        co_return response;
    }
    auto answer = co_await dispatch(request, core);
    if (!answer) co_return refusal(request.http, answer.error());
    response.content_type = answer_type(request.http);
    // Operations without an answer have an empty body, not "{}".
    response.body = std::move(*answer);
    co_return response;
}

Task<aws::ApiResult<std::string>> KinesisApi::dispatch(const aws::ApiRequest& request, Core& core) {
    using aws::refuse;
    if (aws::is_cbor(request.http.header("Content-Type")))
        co_return refuse(
            "SerializationException",
            "CBOR is not served yet; let the client speak JSON (AWS_CBOR_DISABLE=true).");
    const kinesis::Operation* operation = kinesis::find_operation(request.operation);
    if (operation == nullptr)
        co_return refuse("UnknownOperationException",
                         kinesis::is_known_operation(request.operation)
                             ? fmt::format("{} is not served yet.", request.operation)
                             : std::string{});
    kinesis::Call call{service_,
                       core.tokens,
                       core.reading,
                       Reactor::current().clock(),
                       request.caller,
                       request.http.body,
                       {},
                       aws::Encoding::Json,
                       {}};
    if (operation->shape != nullptr) {
        auto document = aws::parse_json(request.http.body);
        if (!document || document->map() == nullptr) co_return refuse("SerializationException", "");
        call.input = std::move(*document);
        if (auto status = aws::check(call.input, *operation->shape); !status)
            co_return std::unexpected(status.error());
    }
    if (auto status = co_await operation->run(call); !status)
        co_return std::unexpected(status.error());
    co_return std::move(call.output);
}

}  // namespace tidemill
