// AddTagsToStream, RemoveTagsFromStream, ListTagsForStream; TagResource, UntagResource,
// ListTagsForResource.
#include "engine/kinesis/operations.h"
#include "engine/kinesis/resource.h"
#include "engine/kinesis/tag_members.h"

namespace tidemill::kinesis {
namespace {

using Tags = std::map<std::string, std::string>;

Task<ApiStatus> edit(Call& call, Resource resource, Tags set, std::vector<std::string> remove) {
    auto& service = call.service;
    const Status status =
        resource.consumer != nullptr
            ? co_await service.edit_consumer_tags(resource.consumer_ref(), std::move(set),
                                                  std::move(remove))
            : co_await service.edit_tags(resource.stream->name, std::move(set), std::move(remove));
    if (!status) co_return resource_failure(call, resource, status.error());
    co_return ApiStatus{};
}

/// What ResourceARN names; of operations on streams, what they call the stream.
ApiResult<Resource> target_of(const Call& call) {
    if (const auto arn = call.input.text_or("ResourceARN", ""); !arn.empty())
        return find_resource(call, arn);
    auto stream = find_stream(call);
    if (!stream) return std::unexpected(stream.error());
    return Resource{std::move(*stream)};
}

Task<ApiStatus> add(Call& call) {
    auto target = target_of(call);
    if (!target) co_return std::unexpected(target.error());
    co_return co_await edit(call, std::move(*target), tags_of(call.input), {});
}

Task<ApiStatus> remove(Call& call) {
    auto target = target_of(call);
    if (!target) co_return std::unexpected(target.error());
    co_return co_await edit(call, std::move(*target), {}, tag_keys_of(call.input));
}

}  // namespace

Tags tags_of(const Value& input) {
    Tags tags;
    if (const Value* members = input.find("Tags"))
        for (const auto& [key, value] : *members->map())
            if (const auto* text = value.text()) tags[key] = *text;
    return tags;
}

std::vector<std::string> tag_keys_of(const Value& input) {
    std::vector<std::string> keys;
    for (const auto& key : *input.find("TagKeys")->list())
        if (const auto* text = key.text()) keys.push_back(*text);
    return keys;
}

Task<ApiStatus> add_tags_to_stream(Call& call) { return add(call); }
Task<ApiStatus> tag_resource(Call& call) { return add(call); }
Task<ApiStatus> remove_tags_from_stream(Call& call) { return remove(call); }
Task<ApiStatus> untag_resource(Call& call) { return remove(call); }

Task<ApiStatus> list_tags_for_stream(Call& call) {
    const auto found = find_stream(call);
    if (!found) co_return std::unexpected(found.error());
    const auto& tags = (*found)->tags;
    const auto limit = call.input.integer_or("Limit", 50);
    auto tag = tags.upper_bound(std::string(call.input.text_or("ExclusiveStartTagKey", "")));
    DocumentWriter out = call.answer();
    out.begin_object().key("Tags").begin_array();
    for (std::int64_t i = 0; i < limit && tag != tags.end(); ++i, ++tag)
        write_tag(out, *tag);
    out.end_array();
    out.member("HasMoreTags", tag != tags.end());
    out.end_object();
    co_return ApiStatus{};
}

Task<ApiStatus> list_tags_for_resource(Call& call) {
    const auto target = target_of(call);
    if (!target) co_return std::unexpected(target.error());
    DocumentWriter out = call.answer();
    out.begin_object().key("Tags").begin_array();
    for (const auto& tag :
         target->consumer != nullptr ? target->consumer->tags : target->stream->tags)
        write_tag(out, tag);
    out.end_array().end_object();
    co_return ApiStatus{};
}

}  // namespace tidemill::kinesis
