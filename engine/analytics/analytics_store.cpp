#include "engine/analytics/analytics_store.h"

#include <fmt/format.h>

#include "engine/analytics/definition_of.h"
#include "engine/base/result.h"
#include "engine/telemetry/log.h"

namespace tidemill::analytics {
namespace {

constexpr const char* kBlob = "analytics_application";

/// Why engine/query would not run it, in AWS's words.
aws::ApiStatus refusal_of(const Error& error) {
    switch (error.code) {
        case Errc::NotFound:
        case Errc::InvalidArgument:
        case Errc::AccessDenied:
        case Errc::TooLarge:
            return aws::refuse("InvalidApplicationConfigurationException", error.message);
        case Errc::ResourceInUse:
        case Errc::AlreadyExists:
            return aws::refuse("ResourceInUseException", error.message);
        case Errc::LimitExceeded:
            return aws::refuse("LimitExceededException", error.message);
        default:
            return aws::refuse("ServiceUnavailableException", error.message, 500);
    }
}

/// Without what may differ from run to run.
query::ApplicationDefinition comparable(query::ApplicationDefinition definition) {
    auto whole = query::with_declared_streams(definition);
    if (whole) definition = std::move(*whole);
    definition.is_started = true;
    for (auto& input : definition.inputs)
        input.start = query::StartingPosition::Now;
    return definition;
}

}  // namespace

std::string AnalyticsStore::key_of(std::string_view account, std::string_view name) {
    return fmt::format("{}/{}", account, name);
}

Task<Status> AnalyticsStore::load() {
    CO_ASSIGN(const auto names, co_await service_.list_blobs(kBlob));
    for (const auto& name : names) {
        const auto bytes = co_await service_.load_blob(kBlob, name);
        auto application =
            bytes && *bytes ? decode_application(**bytes)
                            : Result<AnalyticsApplication>(fail(Errc::NotFound, "it is not there"));
        if (!application) {
            log::error("analytics_application_unreadable",
                       {{"application", name}, {"reason", application.error()}});
            continue;
        }
        applications_[key_of(application->account, application->name)] = std::move(*application);
    }
    co_return Status{};
}

AnalyticsApplication* AnalyticsStore::find(std::string_view account, std::string_view name) {
    const auto found = applications_.find(key_of(account, name));
    return found == applications_.end() ? nullptr : &found->second;
}

std::vector<const AnalyticsApplication*> AnalyticsStore::list(std::string_view account,
                                                              std::string_view after,
                                                              std::size_t most) const {
    std::vector<const AnalyticsApplication*> found;
    const std::string prefix = key_of(account, "");
    for (auto at = applications_.upper_bound(key_of(account, after)); at != applications_.end();
         ++at) {
        if (!at->first.starts_with(prefix) || found.size() == most) break;
        found.push_back(&at->second);
    }
    return found;
}

bool AnalyticsStore::try_begin_change(const std::string& key) {
    return changing_.try_emplace(key, true).second;
}

Task<Status> AnalyticsStore::keep(AnalyticsApplication application) {
    const std::string key = key_of(application.account, application.name);
    CO_TRY(co_await service_.save_blob(kBlob, query_name(application.account, application.name),
                                       encode_application(application)));
    applications_[key] = std::move(application);
    co_return Status{};
}

Task<Status> AnalyticsStore::remove(std::string account, std::string name) {
    const Status gone = co_await queries_.delete_application(query_name(account, name));
    if (!gone && gone.error().code != Errc::NotFound) co_return gone;
    CO_TRY(co_await service_.delete_blob(kBlob, query_name(account, name)));
    applications_.erase(key_of(account, name));
    co_return Status{};
}

Task<std::string> AnalyticsStore::status_of(const AnalyticsApplication& application) {
    const auto state =
        co_await queries_.describe_application(query_name(application.account, application.name));
    if (!state) co_return "READY";
    switch (state->status) {
        case query::ApplicationStatus::Starting:
            co_return "STARTING";
        case query::ApplicationStatus::Running:
            co_return "RUNNING";
        case query::ApplicationStatus::Stopped:
        case query::ApplicationStatus::Failed:
            break;
    }
    co_return "READY";
}

Task<aws::ApiStatus> AnalyticsStore::run(AnalyticsApplication application, bool from_last_stop) {
    auto definition = definition_of(application);
    if (!definition) co_return std::unexpected(std::move(definition.error()));
    const std::string name = definition->name;
    const auto known = co_await queries_.describe_application(name);
    if (known) {
        const bool is_same = comparable(known->definition) == comparable(*definition);
        Status status;
        if (!from_last_stop)
            status = co_await queries_.delete_application(name);
        else if (is_same)
            status = co_await queries_.start_application(name);
        else {
            const auto replaced = co_await queries_.replace_application(*definition);
            if (!replaced) status = std::unexpected(replaced.error());
        }
        if (!status) co_return refusal_of(status.error());
        if (from_last_stop) co_return aws::ApiStatus{};
    }
    const Status created = co_await queries_.create_application(std::move(*definition));
    if (!created) co_return refusal_of(created.error());
    co_return aws::ApiStatus{};
}

Task<aws::ApiStatus> AnalyticsStore::stop(AnalyticsApplication application) {
    const Status stopped =
        co_await queries_.stop_application(query_name(application.account, application.name));
    if (!stopped && stopped.error().code != Errc::NotFound) co_return refusal_of(stopped.error());
    co_return aws::ApiStatus{};
}

}  // namespace tidemill::analytics
