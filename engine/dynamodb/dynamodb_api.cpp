#include "engine/dynamodb/dynamodb_api.h"

#include <fmt/format.h>

#include "engine/aws/json_document.h"
#include "engine/base/check.h"
#include "engine/base/crc32.h"
#include "engine/base/json_text.h"
#include "engine/dynamodb/access.h"
#include "engine/dynamodb/operations.h"
#include "engine/telemetry/log.h"

namespace tidemill {
namespace {

using namespace dynamodb;

constexpr std::string_view kTargetPrefix = "DynamoDB_20120810.";
constexpr const char* kContentType = "application/x-amz-json-1.0";
// 32 levels of attributes take two levels of JSON each, and a request some of its own.
constexpr int kJsonDepth = 96;

HttpResponse answered(unsigned status, std::string body) {
    HttpResponse response;
    response.status = status;
    response.content_type = kContentType;
    response.headers.emplace_back("x-amz-crc32", std::to_string(crc32(as_bytes(body))));
    response.body = std::move(body);
    return response;
}

/// An error's name with the namespace that DynamoDB puts before it.
std::string full_type(std::string_view type) {
    if (type == "ValidationException") return "com.amazon.coral.validate#ValidationException";
    for (const std::string_view shared :
         {"SerializationException", "UnknownOperationException", "AccessDeniedException",
          "UnrecognizedClientException", "InvalidSignatureException",
          "IncompleteSignatureException", "MissingAuthenticationTokenException",
          "MissingAuthenticationToken", "ExpiredTokenException"})
        if (type == shared) return fmt::format("com.amazon.coral.service#{}", type);
    return fmt::format("com.amazonaws.dynamodb.v20120810#{}", type);
}

struct Outcome {
    ApiStatus status;
    std::string output, error_extra;
};

}  // namespace

DynamoDbApi::Core& DynamoDbApi::here() {
    const auto core = Reactor::current().id().value;
    TM_CHECK(core < cores_.size(), "the DynamoDB API does not run on core {}", core);
    return cores_[core];
}

DynamoDbStats DynamoDbApi::stats() const { return cores_[Reactor::current().id().value].stats; }

std::optional<std::string_view> DynamoDbApi::operation_of(const HttpRequest& request) const {
    return aws::target_operation(request, kTargetPrefix);
}

HttpResponse DynamoDbApi::refused(const aws::ApiError& error, std::string_view extra) {
    DynamoDbStats& stats = here().stats;
    ++(error.status >= 500 ? stats.server_errors : stats.client_errors);
    std::string body = fmt::format("{{\"__type\":\"{}\"", full_type(error.type));
    if (!error.message.empty()) {
        const bool is_capital =
            error.type == "SerializationException" || error.type == "TransactionCanceledException";
        body += is_capital ? ",\"Message\":" : ",\"message\":";
        append_json_string(body, error.message);
    }
    if (!extra.empty()) body += fmt::format(",{}", extra);
    body += '}';
    return answered(error.status, std::move(body));
}

HttpResponse DynamoDbApi::refusal(const HttpRequest&, const aws::ApiError& error) {
    ++here().stats.calls;
    return refused(error, "");
}

Task<HttpResponse> DynamoDbApi::call(const aws::ApiRequest& request) {
    ++here().stats.calls;
    const Operation* operation = find_operation(request.operation);
    if (operation == nullptr)
        co_return refused(
            {"UnknownOperationException", is_known_operation(request.operation)
                                              ? fmt::format("{} is not served.", request.operation)
                                              : std::string{}},
            "");
    auto document = aws::parse_json(request.http.body, kJsonDepth);
    if (!document || document->map() == nullptr)
        co_return refused({"SerializationException", ""}, "");
    if (auto status = aws::check(*document, *operation->shape); !status)
        co_return refused(status.error(), "");
    if (auto status = dynamodb::authorize(request.caller, operation->name, *document,
                                          Reactor::current().clock());
        !status)
        co_return refused(status.error(), "");
    auto work = [run = operation->run, input = std::move(*document), region = request.caller.region,
                 account = std::string(request.caller.account),
                 now = Reactor::current().clock().wall_now()](Tables& tables) {
        Call call{tables, input, region, account, now};
        ApiStatus status = run(call);
        return Outcome{std::move(status), std::move(call.output), std::move(call.error_extra)};
    };
    auto outcome = co_await tables_.run(std::move(work));
    if (!outcome) {
        log::error("tables_failed", {{"operation", std::string(operation->name)},
                                     {"why", outcome.error().to_string()}});
        co_return refused({"InternalServerError", "Internal server error", 500}, "");
    }
    if (!outcome->status) co_return refused(outcome->status.error(), outcome->error_extra);
    co_return answered(200, std::move(outcome->output));
}

}  // namespace tidemill
