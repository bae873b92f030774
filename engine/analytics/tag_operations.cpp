// TagResource, UntagResource, ListTagsForResource.
#include <fmt/format.h>

#include "engine/analytics/documents.h"
#include "engine/analytics/operations.h"
#include "engine/base/result.h"

namespace tidemill::analytics {
namespace {

using aws::ApiStatus;

constexpr std::size_t kTagsMax = 50;

/// The application that a ResourceARN names.
aws::ApiResult<AnalyticsApplication> tagged_application(const Call& call) {
    const std::string_view arn = call.input.text_or("ResourceARN", "");
    const auto at = arn.find(":application/");
    if (!arn.starts_with("arn:") || arn.find(":kinesisanalytics:") == std::string_view::npos ||
        at == std::string_view::npos)
        return aws::invalid_argument(fmt::format("{} is not the ARN of an application.", arn));
    const AnalyticsApplication* found = call.store.find(call.account, arn.substr(at + 13));
    if (found == nullptr)
        return aws::refuse("ResourceNotFoundException",
                           fmt::format("Application {} not found.", arn));
    return *found;
}

}  // namespace

aws::ApiResult<std::map<std::string, std::string>> tags_of(const Value& input) {
    std::map<std::string, std::string> tags;
    const Value* list = input.find("Tags");
    if (list == nullptr) return tags;
    for (const auto& tag : *list->list()) {
        const auto key = tag.text_or("Key", "");
        if (key.starts_with("aws:"))
            return aws::invalid_argument("Tags that begin with aws: are AWS's own.");
        if (!tags.emplace(key, tag.text_or("Value", "")).second)
            return aws::invalid_argument(fmt::format("The tag {} is given twice.", key));
    }
    if (tags.size() > kTagsMax)
        return aws::refuse("TooManyTagsException",
                           fmt::format("An application has at most {} tags.", kTagsMax));
    return tags;
}

Task<ApiStatus> tag_resource(Call& call) {
    CO_ASSIGN(AnalyticsApplication application, tagged_application(call));
    CO_ASSIGN(auto tags, tags_of(call.input));
    for (auto& [key, value] : tags)
        application.tags[key] = std::move(value);
    if (application.tags.size() > kTagsMax)
        co_return aws::refuse("TooManyTagsException",
                              fmt::format("An application has at most {} tags.", kTagsMax));
    if (const Status kept = co_await call.store.keep(std::move(application)); !kept)
        co_return internal(kept.error());
    co_return ApiStatus{};
}

Task<ApiStatus> untag_resource(Call& call) {
    CO_ASSIGN(AnalyticsApplication application, tagged_application(call));
    for (const auto& key : *call.input.find("TagKeys")->list())
        if (key.text() != nullptr) application.tags.erase(*key.text());
    if (const Status kept = co_await call.store.keep(std::move(application)); !kept)
        co_return internal(kept.error());
    co_return ApiStatus{};
}

Task<ApiStatus> list_tags(Call& call) {
    CO_ASSIGN(const AnalyticsApplication application, tagged_application(call));
    Value::List tags;
    for (const auto& [key, value] : application.tags) {
        Value tag = object();
        put(tag, "Key", text_value(key));
        put(tag, "Value", text_value(value));
        tags.push_back(std::move(tag));
    }
    call.output = object();
    put(call.output, "Tags", {std::move(tags)});
    co_return ApiStatus{};
}

Task<ApiStatus> not_for_sql(Call& call) {
    CO_TRY(named_application(call));
    co_return aws::refuse("UnsupportedOperationException",
                          "The operation is not supported for applications of SQL-1_0.");
}

}  // namespace tidemill::analytics
