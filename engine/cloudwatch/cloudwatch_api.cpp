#include "engine/cloudwatch/cloudwatch_api.h"

#include <fmt/format.h>

#include "engine/aws/access.h"
#include "engine/base/check.h"
#include "engine/cloudwatch/wire_form.h"
#include "engine/reactor/call_on.h"

namespace tidemill {
namespace {

using namespace cloudwatch;

constexpr std::string_view kOperation = "PutMetricData";

/// What the request holds: the operation too, which the Query protocol has in the body.
aws::ApiResult<MetricData> decoded(const HttpRequest& request, WireForm form,
                                   std::string_view operation, WallTime now) {
    auto document = document_of(request, form);
    if (!document) return std::unexpected(document.error());
    if (form == WireForm::Query) operation = document->text_or("Action", "");
    if (operation != kOperation)
        return aws::refuse(
            "UnknownOperationException",
            fmt::format("Could not find operation {} for version 2010-08-01", operation));
    return metric_data_of(*document, now);
}

}  // namespace

CloudWatchApi::Core& CloudWatchApi::here() {
    const auto core = Reactor::current().id().value;
    TM_CHECK(core < cores_.size(), "the CloudWatch API does not run on core {}", core);
    return cores_[core];
}

CloudWatchStats CloudWatchApi::stats() const { return cores_[Reactor::current().id().value].stats; }

std::optional<std::string_view> CloudWatchApi::operation_of(const HttpRequest& request) const {
    const auto form = wire_form_of(request);
    if (!form) return std::nullopt;
    return operation_named(request, *form);
}

HttpResponse CloudWatchApi::refused(const HttpRequest& request, const aws::ApiError& error,
                                    std::string_view id) {
    ++here().stats.client_errors;
    return error_answer(wire_form_of(request).value_or(WireForm::Query), error, id);
}

HttpResponse CloudWatchApi::refusal(const HttpRequest& request, const aws::ApiError& error) {
    ++here().stats.calls;
    return refused(request, error, "");
}

Task<HttpResponse> CloudWatchApi::call(const aws::ApiRequest& request) {
    ++here().stats.calls;
    const WireForm form = wire_form_of(request.http).value_or(WireForm::Query);
    if (auto status = aws::authorize(request.caller, "cloudwatch", kOperation,
                                     {.account = request.caller.account},
                                     Reactor::current().clock(), [] { return std::string("*"); });
        !status)
        co_return refused(request.http, status.error(), request.id);
    auto data =
        decoded(request.http, form, request.operation, Reactor::current().clock().wall_now());
    if (!data) co_return refused(request.http, data.error(), request.id);
    auto add = [this, put = std::move(*data)]() -> Task<void> {
        series_.add(put);
        co_return;
    };
    co_await call_on(home_, std::move(add));
    co_return empty_answer(form, kOperation, request.id);
}

Task<std::string> CloudWatchApi::metrics_text() {
    auto read = [this]() -> Task<std::string> {
        std::string text = fmt::format(
            "# HELP tidemill_cloudwatch_series series of PutMetricData that are shown\n"
            "# TYPE tidemill_cloudwatch_series gauge\ntidemill_cloudwatch_series {}\n"
            "# HELP tidemill_cloudwatch_evicted_series_total series that made room for others\n"
            "# TYPE tidemill_cloudwatch_evicted_series_total counter\n"
            "tidemill_cloudwatch_evicted_series_total {}\n",
            series_.size(), series_.evicted());
        co_return text + series_.text();
    };
    co_return co_await call_on(home_, std::move(read));
}

}  // namespace tidemill
