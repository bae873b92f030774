// Adding and deleting inputs, outputs, reference data sources, logging options.
#include <algorithm>

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

using Parts = std::vector<Part> AnalyticsApplication::*;

/// ApplicationARN and version, which only version 2 answers with.
void answer(Call& call, const AnalyticsApplication& application) {
    if (call.api == ApiVersion::V1) return;
    call.output = object();
    put(call.output, "ApplicationARN", text_value(call.arn_of(application.name)));
    put(call.output, "ApplicationVersionId", number_value(application.version));
}

struct Addition {
    std::string_view member;
    Parts parts;
    std::size_t most;
    ApiStatus (*check)(const Value&);
    std::string_view described;
    Value (*describe)(const Part&);
};

Task<ApiStatus> add(Call& call, Addition addition) {
    CO_ASSIGN(Change change, Change::begin(call));
    AnalyticsApplication& application = change.application;
    const Value& document = *call.input.find(addition.member);
    if (addition.check != nullptr) CO_TRY(addition.check(document));
    auto& parts = application.*addition.parts;
    if (parts.size() >= addition.most)
        co_return invalid_argument(fmt::format("An application has at most {} of these: {}.",
                                               addition.most, addition.member));
    for (const auto name : {"NamePrefix", "Name", "TableName"})
        for (const auto& other : parts)
            if (document.find(name) != nullptr &&
                text_at(document, {name}) == text_at(other.document, {name}))
                co_return invalid_argument(fmt::format("The application has a {} {} already.", name,
                                                       text_at(document, {name})));
    parts.push_back({application.new_id(), document});
    if (addition.parts != &AnalyticsApplication::logging) CO_TRY(check_code(application));
    CO_TRY(co_await change.finish(call));
    answer(call, application);
    if (call.api == ApiVersion::V2)
        put(call.output, addition.described, describe_all(parts, addition.describe));
    co_return ApiStatus{};
}

struct Removal {
    std::string_view id;
    Parts parts;
    std::string_view described = {};
    Value (*describe)(const Part&) = nullptr;
};

Task<ApiStatus> remove(Call& call, Removal removal) {
    CO_ASSIGN(Change change, Change::begin(call));
    auto& parts = change.application.*removal.parts;
    const std::string id(call.input.text_or(removal.id, ""));
    if (std::erase_if(parts, [&](const Part& part) { return part.id == id; }) == 0)
        co_return aws::refuse("ResourceNotFoundException",
                              fmt::format("The application has no {} {}.", removal.id, id));
    CO_TRY(co_await change.finish(call));
    answer(call, change.application);
    if (call.api == ApiVersion::V2 && removal.describe != nullptr)
        put(call.output, removal.described, describe_all(parts, removal.describe));
    co_return ApiStatus{};
}

aws::ApiResult<Part*> named_input(Call& call, AnalyticsApplication& application) {
    const auto id = call.input.text_or("InputId", "");
    Part* input = AnalyticsApplication::find(application.inputs, id);
    if (input == nullptr)
        return aws::refuse("ResourceNotFoundException",
                           fmt::format("The application has no InputId {}.", id));
    return input;
}

}  // namespace

Task<ApiStatus> add_input(Call& call) {
    return add(call, {"Input", &AnalyticsApplication::inputs, query::limits::kInputsMax,
                      check_input, "InputDescriptions", describe_input});
}
Task<ApiStatus> add_output(Call& call) {
    return add(call, {"Output", &AnalyticsApplication::outputs, query::limits::kOutputsMax,
                      check_output, "OutputDescriptions", describe_output});
}
Task<ApiStatus> add_reference(Call& call) {
    return add(call, {"ReferenceDataSource", &AnalyticsApplication::references, 1, check_reference,
                      "ReferenceDataSourceDescriptions", describe_reference});
}
Task<ApiStatus> add_logging(Call& call) {
    return add(call, {"CloudWatchLoggingOption", &AnalyticsApplication::logging, 5, nullptr,
                      "CloudWatchLoggingOptionDescriptions", describe_logging});
}
Task<ApiStatus> delete_output(Call& call) {
    return remove(call, {"OutputId", &AnalyticsApplication::outputs});
}
Task<ApiStatus> delete_reference(Call& call) {
    return remove(call, {"ReferenceId", &AnalyticsApplication::references});
}
Task<ApiStatus> delete_logging(Call& call) {
    return remove(call, {"CloudWatchLoggingOptionId", &AnalyticsApplication::logging,
                         "CloudWatchLoggingOptionDescriptions", describe_logging});
}

Task<ApiStatus> add_processing(Call& call) {
    CO_ASSIGN(Change change, Change::begin(call));
    CO_ASSIGN(Part * input, named_input(call, change.application));
    put(input->document, "InputProcessingConfiguration",
        *call.input.find("InputProcessingConfiguration"));
    const Value described = describe_input(*input);
    const std::string id = input->id;
    CO_TRY(co_await change.finish(call));
    answer(call, change.application);
    if (call.api == ApiVersion::V1) co_return ApiStatus{};
    put(call.output, "InputId", text_value(id));
    put(call.output, "InputProcessingConfigurationDescription",
        *described.find("InputProcessingConfigurationDescription"));
    co_return ApiStatus{};
}

Task<ApiStatus> delete_processing(Call& call) {
    CO_ASSIGN(Change change, Change::begin(call));
    CO_ASSIGN(Part * input, named_input(call, change.application));
    drop(input->document, "InputProcessingConfiguration");
    CO_TRY(co_await change.finish(call));
    answer(call, change.application);
    co_return ApiStatus{};
}

}  // namespace tidemill::analytics
