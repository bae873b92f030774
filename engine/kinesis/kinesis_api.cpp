#include "engine/kinesis/kinesis_api.h"

#include <fmt/format.h>

#include "engine/aws/document.h"
#include "engine/aws/error_document.h"
#include "engine/aws/event_stream.h"
#include "engine/base/check.h"
#include "engine/kinesis/access.h"
#include "engine/kinesis/error_map.h"
#include "engine/kinesis/operations.h"

namespace tidemill {
namespace {

constexpr const char* kSecretKind = "secret";
constexpr const char* kSecretName = "kinesis tokens";
constexpr std::size_t kSecretBytes = 32;
constexpr std::string_view kTargetPrefix = "Kinesis_20131202.";
constexpr const char* kJson = "application/x-amz-json-1.1";
constexpr const char* kPlainJson = "application/json";
constexpr const char* kCbor = "application/x-amz-cbor-1.1";

/// How a request is written down, and so its answer.
struct Form {
    const char* content_type = nullptr;  ///< null: none that the API speaks
    aws::Encoding encoding = aws::Encoding::Json;
};

Form form_of(const HttpRequest& request) {
    std::string_view type = request.header("Content-Type");
    type = type.substr(0, type.find(';'));
    while (type.ends_with(' '))
        type.remove_suffix(1);
    if (type == kCbor) return {kCbor, aws::Encoding::Cbor};
    if (type == kJson) return {kJson};
    if (type == kPlainJson) return {kPlainJson};
    return {};
}

HttpResponse refused(const aws::ApiError& error, const Form& form) {
    HttpResponse response;
    response.status = error.status;
    response.content_type = form.content_type;
    response.body = aws::error_document(error, form.encoding);
    return response;
}

bool names_operation(std::string_view target) {
    const auto dot = target.find('.');
    return dot != std::string_view::npos && dot > 0 && dot + 1 < target.size();
}

}  // namespace

KinesisApi::KinesisApi(std::vector<Reactor*> reactors, StreamService& service, Bytes secret)
    : service_(service), reactors_(std::move(reactors)), subscriptions_(reactors_) {
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
    ++here().stats.calls;
    return failed(request, error);
}

HttpResponse KinesisApi::failed(const HttpRequest& request, const aws::ApiError& error) {
    KinesisStats& stats = here().stats;
    ++(error.status >= 500 ? stats.server_errors : stats.client_errors);
    if (error.type == "AccessDeniedException") ++stats.access_denied;
    const Form form = form_of(request);
    return refused(error, form.content_type != nullptr ? form : Form{kJson});
}

// The checks and their order are those of AWS.
Task<HttpResponse> KinesisApi::call(const aws::ApiRequest& request) {
    Core& core = here();
    ++core.stats.calls;
    const HttpRequest& http = request.http;
    const Form form = form_of(http);
    if (http.body.empty()) {
        ++core.stats.client_errors;
        const bool is_known = kinesis::find_operation(request.operation) != nullptr;
        const aws::ApiError error{is_known ? "SerializationException" : "UnknownOperationException",
                                  ""};
        co_return refused(error,
                          form.content_type != nullptr ? form : Form{kCbor, aws::Encoding::Cbor});
    }
    if (form.content_type == nullptr) {
        ++core.stats.client_errors;
        if (!names_operation(http.header("X-Amz-Target")))
            co_return aws::xml_refusal("AccessDeniedException", aws::kNoOperation, 403);
        HttpResponse response;
        response.status = 404;
        response.body = "<UnknownOperationException/>\n";
        co_return response;
    }
    auto answer = co_await dispatch(request, form.encoding, core);
    if (!answer) co_return failed(http, answer.error());
    HttpResponse response;
    response.content_type = form.content_type;
    // Operations without an answer have an empty body, not "{}".
    response.body = std::move(answer->body);
    if (answer->events != nullptr) {
        response.content_type = aws::kEventStreamType;
        response.stream = std::move(answer->events);
    }
    co_return response;
}

Task<aws::ApiResult<KinesisApi::Answer>> KinesisApi::dispatch(const aws::ApiRequest& request,
                                                              aws::Encoding encoding, Core& core) {
    using aws::refuse;
    const kinesis::Operation* operation = kinesis::find_operation(request.operation);
    const bool decodes_itself = operation != nullptr && operation->shape == nullptr;
    kinesis::Call call{service_,
                       core.tokens,
                       core.reading,
                       subscriptions_,
                       Reactor::current().clock(),
                       request.caller,
                       request.operation,
                       request.http.body,
                       {},
                       encoding,
                       {}};
    if (!decodes_itself) {
        auto document = aws::parse_document(request.http.body, encoding);
        if (!document) co_return std::unexpected(document.error());
        call.input = std::move(*document);
    }
    if (operation == nullptr) co_return refuse("UnknownOperationException", "");
    if (!decodes_itself)
        if (auto status = aws::check(call.input, *operation->shape, encoding); !status)
            co_return std::unexpected(status.error());
    if (auto status = kinesis::authorize_without_stream(call); !status)
        co_return std::unexpected(status.error());
    if (auto status = co_await kinesis::admit_operation(call, operation->name); !status)
        co_return std::unexpected(status.error());
    if (auto status = co_await operation->run(call); !status)
        co_return std::unexpected(status.error());
    co_return Answer{std::move(call.output), std::move(call.events)};
}

}  // namespace tidemill
