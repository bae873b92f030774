// StartApplication, StopApplication.
#include <fmt/format.h>

#include "engine/analytics/documents.h"
#include "engine/analytics/operations.h"
#include "engine/base/result.h"

namespace tidemill::analytics {
namespace {

using aws::ApiStatus;

constexpr std::string_view kLastStop = "LAST_STOPPED_POINT";

ApiStatus set_starts(Call& call, AnalyticsApplication& application) {
    const bool is_v1 = call.api == ApiVersion::V1;
    const Value* list = is_v1 ? call.input.find("InputConfigurations")
                              : at_path(call.input, {"RunConfiguration", "SqlRunConfigurations"});
    for (auto& input : application.inputs)
        if (input.start.empty()) input.start = "NOW";
    if (list == nullptr) return {};
    for (const auto& one : *list->list()) {
        const auto id = one.text_or(is_v1 ? "Id" : "InputId", "");
        Part* input = AnalyticsApplication::find(application.inputs, id);
        if (input == nullptr)
            return aws::invalid_argument(fmt::format("The application has no input {}.", id));
        const auto start =
            text_at(one, {"InputStartingPositionConfiguration", "InputStartingPosition"});
        if (!start.empty()) input->start = start;
    }
    return {};
}

}  // namespace

Task<ApiStatus> start_application(Call& call) {
    CO_ASSIGN(Change change, Change::begin(call));
    AnalyticsApplication& application = change.application;
    const auto not_ready = [&](std::string_view why) {
        return aws::refuse("InvalidApplicationConfigurationException", std::string(why));
    };
    if (const auto status = co_await call.store.status_of(application); status != "READY")
        co_return aws::refuse("ResourceInUseException",
                              fmt::format("Application {} is {}; only READY ones can be started.",
                                          call.arn_of(application.name), status));
    if (application.code.empty()) co_return not_ready("The application has no code.");
    if (application.inputs.empty() && application.code.find("source") == std::string::npos &&
        application.code.find("SOURCE") == std::string::npos)
        co_return not_ready("The application has no input.");
    CO_TRY(set_starts(call, application));
    bool from_last_stop = true;
    for (const auto& input : application.inputs)
        from_last_stop &= input.start == kLastStop;
    CO_TRY(co_await call.store.run(application, from_last_stop));
    if (const Status kept = co_await call.store.keep(application); !kept)
        co_return internal(kept.error());
    co_return ApiStatus{};
}

Task<ApiStatus> stop_application(Call& call) {
    CO_ASSIGN(Change change, Change::begin(call));
    const auto status = co_await call.store.status_of(change.application);
    if (status == "READY")
        co_return aws::refuse("ResourceInUseException",
                              fmt::format("Application {} is READY; only RUNNING ones can be "
                                          "stopped.",
                                          call.arn_of(change.application.name)));
    co_return co_await call.store.stop(change.application);
}

}  // namespace tidemill::analytics
