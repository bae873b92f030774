#include "engine/analytics/analytics_api.h"

#include <fmt/format.h>

#include "engine/analytics/documents.h"
#include "engine/analytics/operations.h"
#include "engine/aws/access.h"
#include "engine/aws/document.h"
#include "engine/aws/error_document.h"
#include "engine/aws/shape.h"
#include "engine/base/check.h"
#include "engine/reactor/call_on.h"

namespace tidemill {
namespace {

using namespace analytics;

constexpr std::string_view kPrefixV1 = "KinesisAnalytics_20150814.";
constexpr std::string_view kPrefixV2 = "KinesisAnalytics_20180523.";
constexpr const char* kContentType = "application/x-amz-json-1.1";

HttpResponse answered(unsigned status, std::string body) {
    HttpResponse response;
    response.status = status;
    response.content_type = kContentType;
    response.body = std::move(body);
    return response;
}

struct Answer {
    aws::ApiStatus status;
    Value output, error_extra;
};

/// Runs on the store's home core; all that it speaks of is its own.
Task<Answer> run_there(AnalyticsStore& store, const Operation& operation, Value input,
                       ApiVersion api, std::string region, std::string account, WallTime now) {
    Call call{store, input, api, region, account, now};
    aws::ApiStatus status = co_await operation.run(call);
    co_return Answer{std::move(status), std::move(call.output), std::move(call.error_extra)};
}

std::string resource_of(const aws::Caller& caller, const Value& input) {
    if (const auto arn = input.text_or("ResourceARN", ""); arn.find(":application/") != arn.npos)
        return std::string(arn);
    const auto name = input.text_or("ApplicationName", "");
    if (name.empty()) return "*";
    return fmt::format("arn:aws:kinesisanalytics:{}:{}:application/{}", caller.region,
                       caller.account, name);
}

}  // namespace

AnalyticsApi::Core& AnalyticsApi::here() {
    const auto core = Reactor::current().id().value;
    TM_CHECK(core < cores_.size(), "the Kinesis Analytics API does not run on core {}", core);
    return cores_[core];
}

AnalyticsStats AnalyticsApi::stats() const { return cores_[Reactor::current().id().value].stats; }

std::optional<std::string_view> AnalyticsApi::operation_of(const HttpRequest& request) const {
    if (const auto found = aws::target_operation(request, kPrefixV1)) return found;
    return aws::target_operation(request, kPrefixV2);
}

HttpResponse AnalyticsApi::refused(const aws::ApiError& error, const Value& extra) {
    AnalyticsStats& stats = here().stats;
    ++(error.status >= 500 ? stats.server_errors : stats.client_errors);
    std::string body = aws::error_document(error, aws::Encoding::Json);
    if (extra.map() != nullptr && !extra.map()->empty()) {
        body.pop_back();
        body += ',' + json_of(extra).substr(1);
    }
    return answered(error.status, std::move(body));
}

HttpResponse AnalyticsApi::refusal(const HttpRequest&, const aws::ApiError& error) {
    ++here().stats.calls;
    return refused(error);
}

Task<HttpResponse> AnalyticsApi::call(const aws::ApiRequest& request) {
    ++here().stats.calls;
    const ApiVersion api =
        aws::target_operation(request.http, kPrefixV1) ? ApiVersion::V1 : ApiVersion::V2;
    const Operation* operation = find_operation(request.operation, api);
    if (operation == nullptr) co_return refused({"UnknownOperationException", ""});
    auto input = aws::parse_document(request.http.body, aws::Encoding::Json);
    if (!input) co_return refused(input.error());
    const aws::Shape& shape = api == ApiVersion::V1 ? *operation->shape_v1 : *operation->shape_v2;
    if (auto status = aws::check(*input, shape); !status) co_return refused(status.error());
    if (auto status =
            aws::authorize(request.caller, "kinesisanalytics", operation->name,
                           {.account = request.caller.account}, Reactor::current().clock(),
                           [&] { return resource_of(request.caller, *input); });
        !status)
        co_return refused(status.error());
    auto work = [this, operation, input = std::move(*input), api, region = request.caller.region,
                 account = std::string(request.caller.account),
                 now = Reactor::current().clock().wall_now()]() mutable {
        return run_there(store_, *operation, std::move(input), api, std::move(region),
                         std::move(account), now);
    };
    Answer outcome = co_await call_on(store_.home(), std::move(work));
    if (!outcome.status) co_return refused(outcome.status.error(), outcome.error_extra);
    co_return answered(200, outcome.output.map() == nullptr ? "{}" : json_of(outcome.output));
}

}  // namespace tidemill
