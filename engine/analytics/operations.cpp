#include "engine/analytics/operations.h"

#include <algorithm>

#include <fmt/format.h>

#include "engine/analytics/shapes.h"
#include "engine/base/result.h"
#include "engine/telemetry/log.h"

namespace tidemill::analytics {
namespace {

namespace v1 = shapes::v1;
namespace v2 = shapes::v2;

constexpr Operation kOperations[] = {
    {"CreateApplication", &v1::kCreateApplication, &v2::kCreateApplication, create_application},
    {"DescribeApplication", &v1::kDescribeApplication, &v2::kDescribeApplication, describe},
    {"ListApplications", &v1::kListApplications, &v2::kListApplications, list_applications},
    {"UpdateApplication", &v1::kUpdateApplication, &v2::kUpdateApplication, update_application},
    {"DeleteApplication", &v1::kDeleteApplication, &v2::kDeleteApplication, delete_application},
    {"StartApplication", &v1::kStartApplication, &v2::kStartApplication, start_application},
    {"StopApplication", &v1::kStopApplication, &v2::kStopApplication, stop_application},
    {"AddApplicationInput", &v1::kAddInput, &v2::kAddInput, add_input},
    {"AddApplicationOutput", &v1::kAddOutput, &v2::kAddOutput, add_output},
    {"AddApplicationReferenceDataSource", &v1::kAddReference, &v2::kAddReference, add_reference},
    {"AddApplicationCloudWatchLoggingOption", &v1::kAddLogging, &v2::kAddLogging, add_logging},
    {"AddApplicationInputProcessingConfiguration", &v1::kAddProcessing, &v2::kAddProcessing,
     add_processing},
    {"DeleteApplicationOutput", &v1::kDeleteOutput, &v2::kDeleteOutput, delete_output},
    {"DeleteApplicationReferenceDataSource", &v1::kDeleteReference, &v2::kDeleteReference,
     delete_reference},
    {"DeleteApplicationCloudWatchLoggingOption", &v1::kDeleteLogging, &v2::kDeleteLogging,
     delete_logging},
    {"DeleteApplicationInputProcessingConfiguration", &v1::kDeleteProcessing,
     &v2::kDeleteProcessing, delete_processing},
    {"DiscoverInputSchema", &v1::kDiscoverInputSchema, &v2::kDiscoverInputSchema,
     discover_input_schema},
    {"TagResource", &v1::kTagResource, &v1::kTagResource, tag_resource},
    {"UntagResource", &v1::kUntagResource, &v1::kUntagResource, untag_resource},
    {"ListTagsForResource", &v1::kListTags, &v1::kListTags, list_tags},
    {"AddApplicationVpcConfiguration", nullptr, &v2::kNamesApplication, not_for_sql},
    {"DeleteApplicationVpcConfiguration", nullptr, &v2::kNamesApplication, not_for_sql},
    {"CreateApplicationPresignedUrl", nullptr, &v2::kNamesApplication, not_for_sql},
    {"CreateApplicationSnapshot", nullptr, &v2::kNamesApplication, not_for_sql},
    {"DeleteApplicationSnapshot", nullptr, &v2::kNamesApplication, not_for_sql},
    {"DescribeApplicationSnapshot", nullptr, &v2::kNamesApplication, not_for_sql},
    {"ListApplicationSnapshots", nullptr, &v2::kNamesApplication, not_for_sql},
    {"DescribeApplicationVersion", nullptr, &v2::kNamesApplication, not_for_sql},
    {"ListApplicationVersions", nullptr, &v2::kNamesApplication, not_for_sql},
    {"RollbackApplication", nullptr, &v2::kNamesApplication, not_for_sql},
    {"UpdateApplicationMaintenanceConfiguration", nullptr, &v2::kNamesApplication, not_for_sql}};

}  // namespace

const Operation* find_operation(std::string_view name, ApiVersion api) {
    const auto* found = std::ranges::find(kOperations, name, &Operation::name);
    if (found == std::end(kOperations)) return nullptr;
    return (api == ApiVersion::V1 ? found->shape_v1 : found->shape_v2) == nullptr ? nullptr : found;
}

std::string Call::arn_of(std::string_view application) const {
    return fmt::format("arn:aws:kinesisanalytics:{}:{}:application/{}", region, account,
                       application);
}

std::unexpected<aws::ApiError> internal(const Error& error) {
    log::error("analytics_failed", {{"reason", error}});
    return aws::refuse("ServiceUnavailableException", error.to_string(), 500);
}

aws::ApiResult<AnalyticsApplication> named_application(const Call& call) {
    const auto name = call.input.text_or("ApplicationName", "");
    const AnalyticsApplication* found = call.store.find(call.account, name);
    if (found == nullptr)
        return aws::refuse("ResourceNotFoundException",
                           fmt::format("Application {} not found.", call.arn_of(name)));
    return *found;
}

aws::ApiResult<Change> Change::begin(const Call& call) {
    ASSIGN(AnalyticsApplication application, named_application(call));
    const std::int64_t version =
        call.input.integer_or("CurrentApplicationVersionId", application.version);
    const auto token = call.input.text_or("ConditionalToken", "");
    if (version != application.version ||
        (!token.empty() && token != conditional_token(application)))
        return aws::refuse(
            "ConcurrentModificationException",
            fmt::format("The application is at version {}, the request speaks of {}.",
                        application.version, token.empty() ? std::to_string(version) : token));
    const std::string key = AnalyticsStore::key_of(call.account, application.name);
    if (!call.store.try_begin_change(key))
        return aws::refuse("ResourceInUseException", fmt::format("Application {} is being changed.",
                                                                 call.arn_of(application.name)));
    return Change(call.store, key, std::move(application));
}

Task<aws::ApiStatus> Change::finish(Call& call) {
    ++application.version;
    application.updated = from_millis(to_millis(call.now) / 1000 * 1000);
    const std::string status = co_await call.store.status_of(application);
    if (const Status kept = co_await call.store.keep(application); !kept)
        co_return internal(kept.error());
    if (status == "READY") co_return aws::ApiStatus{};
    if (auto stopped = co_await call.store.stop(application); !stopped) co_return stopped;
    co_return co_await call.store.run(application, true);
}

}  // namespace tidemill::analytics
