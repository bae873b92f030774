// CreateApplication, UpdateApplication, DeleteApplication, DescribeApplication, ListApplications.
#include <fmt/format.h>

#include "engine/analytics/definition_of.h"
#include "engine/analytics/documents.h"
#include "engine/analytics/operations.h"
#include "engine/base/result.h"
#include "engine/query/query_limits.h"

namespace tidemill::analytics {
namespace {

using aws::ApiStatus;
using aws::invalid_argument;

WallTime whole_seconds(WallTime time) { return from_millis(to_millis(time) / 1000 * 1000); }

ApiStatus add_parts(AnalyticsApplication& application, std::vector<Part>& parts, const Value* list,
                    ApiStatus (*check)(const Value&)) {
    if (list == nullptr) return {};
    for (const auto& document : *list->list()) {
        if (check != nullptr) TRY(check(document));
        parts.push_back({application.new_id(), document});
    }
    return {};
}

/// The SQL text of a request of version 2.
aws::ApiResult<std::string> code_of(const Value& configuration, std::string_view content,
                                    std::string_view text, std::string_view type) {
    if (configuration.text_or(type, "PLAINTEXT") != "PLAINTEXT")
        return invalid_argument("The code of a SQL application has the content type PLAINTEXT.");
    const Value* inner = configuration.find(content);
    if (inner == nullptr) return std::string();
    for (const auto& [name, value] : *inner->map())
        if (name != text)
            return invalid_argument(fmt::format(
                "The code of a SQL application is given as {}, not as {}.", text, name));
    return std::string(inner->text_or(text, ""));
}

/// Everything that a request to create or update says of the three kinds of parts.
struct PartUpdates {
    std::string_view list, id;
    std::vector<Part> AnalyticsApplication::* parts;
    ApiStatus (*check)(const Value&);
};

constexpr PartUpdates kPartUpdates[] = {
    {"InputUpdates", "InputId", &AnalyticsApplication::inputs, check_input},
    {"OutputUpdates", "OutputId", &AnalyticsApplication::outputs, check_output},
    {"ReferenceDataSourceUpdates", "ReferenceId", &AnalyticsApplication::references,
     check_reference},
    {"CloudWatchLoggingOptionUpdates", "CloudWatchLoggingOptionId", &AnalyticsApplication::logging,
     nullptr}};

/// An output that is told to go elsewhere does not go to both.
void drop_other_destinations(Value& document, const Value& update) {
    constexpr std::string_view kKinds[] = {"KinesisStreamsOutput", "KinesisFirehoseOutput",
                                           "LambdaOutput", "KinesisStreamsInput",
                                           "KinesisFirehoseInput"};
    for (const auto kind : kKinds)
        if (update.find(fmt::format("{}Update", kind)) != nullptr)
            for (const auto other : kKinds)
                if (other != kind && other.ends_with("Output") == kind.ends_with("Output"))
                    drop(document, other);
}

ApiStatus update_parts(AnalyticsApplication& application, const Value& request) {
    for (const auto& kind : kPartUpdates) {
        const Value* list = request.find(kind.list);
        if (list == nullptr) continue;
        for (const auto& update : *list->list()) {
            Part* part =
                AnalyticsApplication::find(application.*kind.parts, update.text_or(kind.id, ""));
            if (part == nullptr)
                return invalid_argument(fmt::format("The application has no {} {}.", kind.id,
                                                    update.text_or(kind.id, "")));
            apply_update(part->document, update);
            drop_other_destinations(part->document, update);
            if (kind.check != nullptr) TRY(kind.check(part->document));
        }
    }
    return {};
}

ApiStatus check_counts(const AnalyticsApplication& application) {
    std::size_t inputs = 0;
    for (const auto& input : application.inputs)
        inputs += stream_names(input.document).size();
    if (inputs > query::limits::kInputsMax)
        return invalid_argument(fmt::format("An application has at most {} in-application inputs.",
                                            query::limits::kInputsMax));
    if (application.outputs.size() > query::limits::kOutputsMax)
        return invalid_argument(
            fmt::format("An application has at most {} outputs.", query::limits::kOutputsMax));
    for (std::size_t i = 0; i < application.inputs.size(); ++i)
        for (std::size_t j = 0; j < i; ++j)
            if (text_at(application.inputs[i].document, {"NamePrefix"}) ==
                text_at(application.inputs[j].document, {"NamePrefix"}))
                return invalid_argument("Two inputs have the same NamePrefix.");
    return {};
}

aws::ApiResult<AnalyticsApplication> application_of(Call& call) {
    AnalyticsApplication application;
    application.account = call.account;
    application.name = call.input.text_or("ApplicationName", "");
    application.description = call.input.text_or("ApplicationDescription", "");
    application.created = application.updated = whole_seconds(call.now);
    ASSIGN(application.tags, tags_of(call.input));
    TRY(add_parts(application, application.logging, call.input.find("CloudWatchLoggingOptions"),
                  nullptr));
    if (call.api == ApiVersion::V1) {
        application.code = call.input.text_or("ApplicationCode", "");
        TRY(add_parts(application, application.inputs, call.input.find("Inputs"), check_input));
        TRY(add_parts(application, application.outputs, call.input.find("Outputs"), check_output));
        return application;
    }
    if (const auto runtime = call.input.text_or("RuntimeEnvironment", ""); runtime != "SQL-1_0")
        return aws::refuse(
            "UnsupportedOperationException",
            fmt::format("The runtime environment {} is not served here: SQL-1_0 is.", runtime));
    application.role = call.input.text_or("ServiceExecutionRole", "");
    const Value* configuration = call.input.find("ApplicationConfiguration");
    if (configuration == nullptr) return application;
    for (const auto other : {"FlinkApplicationConfiguration", "ZeppelinApplicationConfiguration"})
        if (configuration->find(other) != nullptr)
            return invalid_argument(fmt::format("{} does not go with SQL-1_0.", other));
    if (const Value* code = configuration->find("ApplicationCodeConfiguration")) {
        ASSIGN(application.code, code_of(*code, "CodeContent", "TextContent", "CodeContentType"));
    }
    if (const Value* parts = configuration->find("SqlApplicationConfiguration")) {
        TRY(add_parts(application, application.inputs, parts->find("Inputs"), check_input));
        TRY(add_parts(application, application.outputs, parts->find("Outputs"), check_output));
        TRY(add_parts(application, application.references, parts->find("ReferenceDataSources"),
                      check_reference));
    }
    return application;
}

ApiStatus apply_request(Call& call, AnalyticsApplication& application) {
    if (call.api == ApiVersion::V1) {
        const Value& update = *call.input.find("ApplicationUpdate");
        application.code = update.text_or("ApplicationCodeUpdate", application.code);
        return update_parts(application, update);
    }
    application.role = call.input.text_or("ServiceExecutionRoleUpdate", application.role);
    TRY(update_parts(application, call.input));
    const Value* update = call.input.find("ApplicationConfigurationUpdate");
    if (update == nullptr) return {};
    if (const Value* code = update->find("ApplicationCodeConfigurationUpdate")) {
        ASSIGN(std::string text,
               code_of(*code, "CodeContentUpdate", "TextContentUpdate", "CodeContentTypeUpdate"));
        if (code->find("CodeContentUpdate") != nullptr) application.code = std::move(text);
    }
    const Value* parts = update->find("SqlApplicationConfigurationUpdate");
    return parts == nullptr ? ApiStatus{} : update_parts(application, *parts);
}

}  // namespace

Task<ApiStatus> create_application(Call& call) {
    CO_ASSIGN(AnalyticsApplication application, application_of(call));
    const std::string key = AnalyticsStore::key_of(call.account, application.name);
    if (call.store.find(call.account, application.name) != nullptr ||
        !call.store.try_begin_change(key))
        co_return aws::refuse(
            "ResourceInUseException",
            fmt::format("Application {} exists already.", call.arn_of(application.name)));
    const struct Held {
        AnalyticsStore& store;
        const std::string& key;
        ~Held() { store.end_change(key); }
    } held{call.store, key};
    CO_TRY(check_counts(application));
    CO_TRY(check_code(application));
    // One that tidemill app made is not taken over.
    if (co_await call.store.queries().describe_application(
            query_name(application.account, application.name)))
        co_return aws::refuse(
            "ResourceInUseException",
            fmt::format("A SQL application {} exists already.", application.name));
    if (call.store.size() >= query::limits::kApplicationsMax)
        co_return aws::refuse("LimitExceededException",
                              fmt::format("There are {} applications, the most there may be.",
                                          query::limits::kApplicationsMax));
    if (const Status kept = co_await call.store.keep(application); !kept)
        co_return internal(kept.error());
    call.output = object();
    if (call.api == ApiVersion::V1)
        put(call.output, "ApplicationSummary",
            summarize_application(application, call.api, call.arn_of(application.name), "READY"));
    else
        put(call.output, "ApplicationDetail",
            describe_application(application, call.api, call.arn_of(application.name), "READY"));
    co_return ApiStatus{};
}

Task<ApiStatus> update_application(Call& call) {
    CO_ASSIGN(Change change, Change::begin(call));
    CO_TRY(apply_request(call, change.application));
    CO_TRY(check_counts(change.application));
    CO_TRY(check_code(change.application));
    CO_TRY(co_await change.finish(call));
    if (call.api == ApiVersion::V1) co_return ApiStatus{};
    const std::string status = co_await call.store.status_of(change.application);
    call.output = object();
    put(call.output, "ApplicationDetail",
        describe_application(change.application, call.api, call.arn_of(change.application.name),
                             status));
    co_return ApiStatus{};
}

Task<ApiStatus> delete_application(Call& call) {
    CO_ASSIGN(Change change, Change::begin(call));
    const auto created = call.input.time_of("CreateTimestamp");
    if (!created || whole_seconds(*created) != change.application.created)
        co_return invalid_argument(
            "CreateTimestamp is not the time at which the application was created.");
    if (const Status gone =
            co_await call.store.remove(change.application.account, change.application.name);
        !gone)
        co_return internal(gone.error());
    co_return ApiStatus{};
}

Task<ApiStatus> describe(Call& call) {
    CO_ASSIGN(const AnalyticsApplication application, named_application(call));
    const std::string status = co_await call.store.status_of(application);
    call.output = object();
    put(call.output, "ApplicationDetail",
        describe_application(application, call.api, call.arn_of(application.name), status));
    co_return ApiStatus{};
}

Task<ApiStatus> list_applications(Call& call) {
    const auto limit = static_cast<std::size_t>(call.input.integer_or("Limit", 50));
    const auto after = call.input.text_or(
        call.api == ApiVersion::V1 ? "ExclusiveStartApplicationName" : "NextToken", "");
    std::vector<AnalyticsApplication> found;
    for (const auto* application : call.store.list(call.account, after, limit + 1))
        found.push_back(*application);
    const bool has_more = found.size() > limit;
    if (has_more) found.pop_back();
    Value::List summaries;
    for (const auto& application : found) {
        const std::string status = co_await call.store.status_of(application);
        summaries.push_back(
            summarize_application(application, call.api, call.arn_of(application.name), status));
    }
    call.output = object();
    put(call.output, "ApplicationSummaries", {std::move(summaries)});
    if (call.api == ApiVersion::V1)
        put(call.output, "HasMoreApplications", {has_more});
    else if (has_more)
        put(call.output, "NextToken", text_value(found.back().name));
    co_return ApiStatus{};
}

}  // namespace tidemill::analytics
