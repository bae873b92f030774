// AddTagsToStream, RemoveTagsFromStream, ListTagsForStream.
#include "engine/aws/document_writer.h"
#include "engine/kinesis/operations.h"

namespace tidemill::kinesis {
namespace {

Task<ApiStatus> edit(Call& call, std::map<std::string, std::string> set,
                     std::vector<std::string> remove) {
    const auto found = find_stream(call);
    if (!found) co_return std::unexpected(found.error());
    const std::string name = (*found)->name;
    const Status status = co_await call.service.edit_tags(name, std::move(set), std::move(remove));
    if (!status) co_return stream_failure(call, name, status.error());
    co_return ApiStatus{};
}

}  // namespace

Task<ApiStatus> add_tags_to_stream(Call& call) {
    std::map<std::string, std::string> set;
    for (const auto& [key, value] : *call.input.find("Tags")->map())
        if (const auto* text = value.text()) set[key] = *text;
    co_return co_await edit(call, std::move(set), {});
}

Task<ApiStatus> remove_tags_from_stream(Call& call) {
    std::vector<std::string> remove;
    for (const auto& key : *call.input.find("TagKeys")->list())
        if (const auto* text = key.text()) remove.push_back(*text);
    co_return co_await edit(call, {}, std::move(remove));
}

Task<ApiStatus> list_tags_for_stream(Call& call) {
    const auto found = find_stream(call);
    if (!found) co_return std::unexpected(found.error());
    const auto& tags = (*found)->tags;
    const auto limit = call.input.integer_or("Limit", 50);
    auto tag = tags.upper_bound(std::string(call.input.text_or("ExclusiveStartTagKey", "")));
    DocumentWriter out = call.answer();
    out.begin_object().key("Tags").begin_array();
    for (std::int64_t i = 0; i < limit && tag != tags.end(); ++i, ++tag)
        out.begin_object().member("Key", tag->first).member("Value", tag->second).end_object();
    out.end_array();
    out.member("HasMoreTags", tag != tags.end());
    out.end_object();
    co_return ApiStatus{};
}

}  // namespace tidemill::kinesis
