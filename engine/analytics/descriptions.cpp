#include "engine/analytics/descriptions.h"

#include <algorithm>

#include <fmt/format.h>

#include "engine/analytics/documents.h"

namespace tidemill::analytics {
namespace {

constexpr std::string_view kUpdate = "Update";

/// Members that a description bears under another name.
constexpr std::pair<std::string_view, std::string_view> kDescribed[] = {
    {"KinesisStreamsInput", "KinesisStreamsInputDescription"},
    {"KinesisFirehoseInput", "KinesisFirehoseInputDescription"},
    {"InputProcessingConfiguration", "InputProcessingConfigurationDescription"},
    {"InputLambdaProcessor", "InputLambdaProcessorDescription"},
    {"KinesisStreamsOutput", "KinesisStreamsOutputDescription"},
    {"KinesisFirehoseOutput", "KinesisFirehoseOutputDescription"},
    {"LambdaOutput", "LambdaOutputDescription"},
    {"S3ReferenceDataSource", "S3ReferenceDataSourceDescription"}};

Value renamed(const Value& document) {
    if (document.map() == nullptr) return document;
    Value described = object();
    for (const auto& [name, value] : *document.map()) {
        const auto* other = std::ranges::find(
            kDescribed, name, &std::pair<std::string_view, std::string_view>::first);
        const bool is_renamed = other != std::end(kDescribed);
        put(described, is_renamed ? other->second : std::string_view(name),
            is_renamed ? renamed(value) : value);
    }
    return described;
}

Value with_id(std::string_view id_name, const Part& part) {
    Value described = object();
    put(described, id_name, text_value(part.id));
    const Value inner = renamed(part.document);
    for (const auto& [name, value] : *inner.map())
        put(described, name, value);
    return described;
}

/// Whether all members are updates themselves, so that what they do not name stays.
bool is_of_updates(const Value& value) {
    return value.map() != nullptr && !value.map()->empty() &&
           std::ranges::all_of(*value.map(), [](const Value::Named& named) {
               return named.name.ends_with(kUpdate) || named.name.ends_with("Updates");
           });
}

}  // namespace

Value describe_input(const Part& part) {
    Value described = with_id("InputId", part);
    Value::List names;
    for (const auto& name : stream_names(part.document))
        names.push_back(text_value(name));
    put(described, "InAppStreamNames", {std::move(names)});
    if (part.document.find("InputParallelism") == nullptr)
        put(child(described, "InputParallelism"), "Count", number_value(1));
    Value start = object();
    if (!part.start.empty()) put(start, "InputStartingPosition", text_value(part.start));
    put(described, "InputStartingPositionConfiguration", std::move(start));
    return described;
}

Value describe_output(const Part& part) { return with_id("OutputId", part); }
Value describe_reference(const Part& part) { return with_id("ReferenceId", part); }
Value describe_logging(const Part& part) { return with_id("CloudWatchLoggingOptionId", part); }

Value describe_all(const std::vector<Part>& parts, Value (*describe)(const Part&)) {
    Value::List list;
    for (const auto& part : parts)
        list.push_back(describe(part));
    return {std::move(list)};
}

Value summarize_application(const AnalyticsApplication& application, ApiVersion api,
                            std::string_view arn, std::string_view status) {
    Value summary = object();
    put(summary, "ApplicationName", text_value(application.name));
    put(summary, "ApplicationARN", text_value(arn));
    put(summary, "ApplicationStatus", text_value(status));
    if (api == ApiVersion::V1) return summary;
    put(summary, "ApplicationVersionId", number_value(application.version));
    put(summary, "RuntimeEnvironment", text_value("SQL-1_0"));
    return summary;
}

Value describe_application(const AnalyticsApplication& application, ApiVersion api,
                           std::string_view arn, std::string_view status) {
    Value detail = summarize_application(application, api, arn, status);
    put(detail, "ApplicationVersionId", number_value(application.version));
    if (!application.description.empty())
        put(detail, "ApplicationDescription", text_value(application.description));
    put(detail, "CreateTimestamp", {application.created});
    put(detail, "LastUpdateTimestamp", {application.updated});
    if (!application.logging.empty() || api == ApiVersion::V1)
        put(detail, "CloudWatchLoggingOptionDescriptions",
            describe_all(application.logging, describe_logging));
    Value& parts = api == ApiVersion::V1
                       ? detail
                       : child(child(detail, "ApplicationConfigurationDescription"),
                               "SqlApplicationConfigurationDescription");
    put(parts, "InputDescriptions", describe_all(application.inputs, describe_input));
    put(parts, "OutputDescriptions", describe_all(application.outputs, describe_output));
    put(parts, "ReferenceDataSourceDescriptions",
        describe_all(application.references, describe_reference));
    if (api == ApiVersion::V1) {
        put(detail, "ApplicationCode", text_value(application.code));
        return detail;
    }
    if (!application.role.empty())
        put(detail, "ServiceExecutionRole", text_value(application.role));
    put(detail, "ConditionalToken", text_value(conditional_token(application)));
    Value& code = child(child(detail, "ApplicationConfigurationDescription"),
                        "ApplicationCodeConfigurationDescription");
    put(code, "CodeContentType", text_value("PLAINTEXT"));
    put(child(code, "CodeContentDescription"), "TextContent", text_value(application.code));
    return detail;
}

std::string conditional_token(const AnalyticsApplication& application) {
    return fmt::format("{:x}-{}", to_millis(application.created), application.version);
}

void apply_update(Value& document, const Value& update) {
    for (const auto& [name, value] : *update.map()) {
        if (value.is_null()) continue;
        if (name == "RecordColumnUpdates") {
            put(document, "RecordColumns", value);
        } else if (name.ends_with(kUpdate)) {
            const std::string_view plain =
                std::string_view(name).substr(0, name.size() - kUpdate.size());
            if (is_of_updates(value))
                apply_update(child(document, plain), value);
            else
                put(document, plain, value);
        }
    }
}

}  // namespace tidemill::analytics
