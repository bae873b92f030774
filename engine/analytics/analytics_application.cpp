#include "engine/analytics/analytics_application.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "engine/analytics/documents.h"
#include "engine/aws/json_document.h"

namespace tidemill::analytics {
namespace {

constexpr std::int64_t kVersion = 1;
constexpr std::int64_t kParallelismMax = 64;

Value parts_value(const std::vector<Part>& parts) {
    Value::List list;
    for (const auto& part : parts) {
        Value one = object();
        put(one, "Id", text_value(part.id));
        put(one, "Document", part.document);
        put(one, "Start", text_value(part.start));
        list.push_back(std::move(one));
    }
    return {std::move(list)};
}

std::optional<std::vector<Part>> parts_of(const Value& document, std::string_view name) {
    const Value* list = document.find(name);
    if (list == nullptr || list->list() == nullptr) return {};
    std::vector<Part> parts;
    for (const auto& one : *list->list()) {
        const Value* inner = one.map() == nullptr ? nullptr : one.find("Document");
        if (inner == nullptr || inner->map() == nullptr) return {};
        parts.push_back(
            {std::string(text_at(one, {"Id"})), *inner, std::string(text_at(one, {"Start"}))});
    }
    return parts;
}

}  // namespace

Part* AnalyticsApplication::find(std::vector<Part>& parts, std::string_view id) {
    const auto found = std::ranges::find(parts, id, &Part::id);
    return found == parts.end() ? nullptr : &*found;
}

std::string AnalyticsApplication::new_id() const {
    for (int number = 1;; ++number) {
        const std::string id = fmt::format("{}.{}", version, number);
        const auto is_taken = [&](const std::vector<Part>& parts) {
            return std::ranges::find(parts, id, &Part::id) != parts.end();
        };
        if (!is_taken(inputs) && !is_taken(outputs) && !is_taken(references) && !is_taken(logging))
            return id;
    }
}

std::vector<std::string> stream_names(const aws::Value& input) {
    const Value* count = at_path(input, {"InputParallelism", "Count"});
    const std::int64_t wanted =
        count != nullptr && count->integer() != nullptr ? *count->integer() : 1;
    std::vector<std::string> names;
    for (std::int64_t i = 1; i <= std::clamp<std::int64_t>(wanted, 1, kParallelismMax); ++i)
        names.push_back(fmt::format("{}_{:03}", text_at(input, {"NamePrefix"}), i));
    return names;
}

std::vector<std::byte> encode_application(const AnalyticsApplication& application) {
    Value document = object();
    put(document, "Version", number_value(kVersion));
    put(document, "Account", text_value(application.account));
    put(document, "Name", text_value(application.name));
    put(document, "Description", text_value(application.description));
    put(document, "Code", text_value(application.code));
    put(document, "Role", text_value(application.role));
    put(document, "ApplicationVersion", number_value(application.version));
    put(document, "Created", number_value(to_millis(application.created)));
    put(document, "Updated", number_value(to_millis(application.updated)));
    put(document, "Inputs", parts_value(application.inputs));
    put(document, "Outputs", parts_value(application.outputs));
    put(document, "References", parts_value(application.references));
    put(document, "Logging", parts_value(application.logging));
    Value tags = object();
    for (const auto& [key, value] : application.tags)
        put(tags, key, text_value(value));
    put(document, "Tags", std::move(tags));
    const std::string text = json_of(document);
    const Bytes bytes = as_bytes(text);
    return {bytes.begin(), bytes.end()};
}

Result<AnalyticsApplication> decode_application(Bytes bytes) {
    const auto damaged = [] {
        return fail(Errc::Corrupt, "the kept application of the Kinesis Analytics API is damaged");
    };
    const auto document = aws::parse_json(as_text(bytes), 64);
    if (!document || document->map() == nullptr) return damaged();
    if (document->integer_or("Version", 0) != kVersion)
        return fail(Errc::InvalidArgument,
                    "the application was kept by a later version of this program");
    AnalyticsApplication application;
    application.account = document->text_or("Account", "");
    application.name = document->text_or("Name", "");
    application.description = document->text_or("Description", "");
    application.code = document->text_or("Code", "");
    application.role = document->text_or("Role", "");
    application.version = document->integer_or("ApplicationVersion", 1);
    application.created = from_millis(document->integer_or("Created", 0));
    application.updated = from_millis(document->integer_or("Updated", 0));
    const std::pair<std::string_view, std::vector<Part>*> lists[] = {
        {"Inputs", &application.inputs},
        {"Outputs", &application.outputs},
        {"References", &application.references},
        {"Logging", &application.logging}};
    for (const auto& [name, into] : lists) {
        auto parts = parts_of(*document, name);
        if (!parts) return damaged();
        *into = std::move(*parts);
    }
    const Value* tags = document->find("Tags");
    if (application.name.empty() || tags == nullptr || tags->map() == nullptr) return damaged();
    for (const auto& [key, value] : *tags->map())
        if (value.text() != nullptr) application.tags[key] = *value.text();
    return application;
}

}  // namespace tidemill::analytics
