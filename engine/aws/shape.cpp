#include "engine/aws/shape.h"

#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "engine/aws/shape_types.h"

namespace tidemill::aws {
namespace {

constexpr std::size_t kViolationsMax = 10;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_name_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' ||
           c == '.' || c == '-';
}
/// 0|([1-9]\d{0,most-1})
bool is_decimal(std::string_view text, std::size_t most) {
    if (text == "0") return true;
    return !text.empty() && text.size() <= most && text[0] != '0' &&
           std::ranges::all_of(text, is_digit);
}

/// What follows arn:aws.*:kinesis:.*:\d{12}: in an ARN of the service; nothing in other texts.
/// Source: AWS, no part before the resource has a colon of its own.
std::string_view resource_of(std::string_view text) {
    if (!text.starts_with("arn:aws")) return {};
    const auto service = text.find(":kinesis:");
    if (service == std::string_view::npos) return {};
    const auto account = text.find(':', service + 9);
    if (account == std::string_view::npos) return {};
    const std::string_view rest = text.substr(account + 1);
    const bool has_account =
        rest.size() > 13 && rest[12] == ':' && std::ranges::all_of(rest.substr(0, 12), is_digit);
    return has_account ? rest.substr(13) : std::string_view{};
}

/// <kind>/\S+
bool is_kind(std::string_view resource, std::string_view kind) {
    if (!resource.starts_with(kind) || resource.size() <= kind.size() + 1) return false;
    return resource[kind.size()] == '/' &&
           resource.find_first_of(" \t\n\r\f\v", kind.size()) == std::string_view::npos;
}

/// stream/<name>/consumer/<name>:[0-9]+
bool is_consumer(std::string_view resource) {
    if (!is_kind(resource, "stream")) return false;
    resource.remove_prefix(7);
    const auto mark = resource.find("/consumer/");
    const auto colon = resource.rfind(':');
    if (mark == std::string_view::npos || colon == std::string_view::npos || colon < mark)
        return false;
    const std::string_view created = resource.substr(colon + 1);
    return matches(Pattern::Name, resource.substr(0, mark)) &&
           matches(Pattern::Name, resource.substr(mark + 10, colon - mark - 10)) &&
           !created.empty() && std::ranges::all_of(created, is_digit);
}

std::string_view text_of(Pattern pattern) {
    switch (pattern) {
        case Pattern::None:
            return "";
        case Pattern::Name:
            return "[a-zA-Z0-9_.-]+";
        case Pattern::HashKey:
            return "0|([1-9]\\d{0,38})";
        case Pattern::SequenceNumber:
            return "0|([1-9]\\d{0,128})";
        case Pattern::StreamArn:
            return "arn:aws.*:kinesis:.*:\\d{12}:stream/\\S+";
        case Pattern::ConsumerArn:
            return "^(arn):aws.*:kinesis:.*:\\d{12}:.*stream\\/[a-zA-Z0-9_.-]+\\/consumer\\/"
                   "[a-zA-Z0-9_.-]+:[0-9]+";
        case Pattern::ResourceArn:
            return "arn:aws.*:kinesis:.*:\\d{12}:.*(stream|channel|queue)/\\S+";
    }
    return "";
}

std::string first_lower(std::string_view name) {
    std::string text(name);
    if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z')
        text[0] = static_cast<char>(text[0] + 32);
    return text;
}

/// The value as AWS prints it in a message.
std::string shown(const Value* value, const Member& member) {
    if (value == nullptr) return "null";
    if (member.type == Type::Blob) {
        const std::size_t size = value->blob()->size();
        return fmt::format("'java.nio.HeapByteBuffer[pos=0 lim={} cap={}]'", size, size);
    }
    if (const auto* text = value->text()) return fmt::format("'{}'", *text);
    if (const auto* whole = value->integer()) return fmt::format("'{}'", *whole);
    if (const auto* real = value->real()) return fmt::format("'{}'", *real);
    if (const auto* yes = value->boolean()) return *yes ? "'true'" : "'false'";
    if (const auto* list = value->list()) {
        std::vector<std::string> items;
        for (const auto& item : *list) {
            if (items.size() == 20) {
                items.emplace_back("...");
                break;
            }
            items.push_back(item.text() != nullptr ? *item.text() : "{...}");
        }
        return fmt::format("'[{}]'", fmt::join(items, ", "));
    }
    std::vector<std::string> items;
    for (const auto& [key, item] : *value->map()) {
        if (items.size() == 20) break;
        items.push_back(fmt::format("{}={}", key, item.text() != nullptr ? *item.text() : "..."));
    }
    return fmt::format("'{{{}}}'", fmt::join(items, ", "));
}

bool satisfies(const std::string& text, const Member& member) {
    const auto length = static_cast<std::int64_t>(character_count(text));
    return length >= member.min && length <= member.max && matches(member.pattern, text) &&
           (member.one_of.empty() || std::ranges::find(member.one_of, text) != member.one_of.end());
}

/// All that a string must satisfy, in AWS's order.
std::vector<std::string> constraints_of(const Member& member) {
    std::vector<std::string> all;
    if (member.max != INT64_MAX)
        all.push_back(fmt::format("Member must have length less than or equal to {}", member.max));
    if (member.min != INT64_MIN)
        all.push_back(
            fmt::format("Member must have length greater than or equal to {}", member.min));
    if (member.pattern != Pattern::None)
        all.push_back(fmt::format("Member must satisfy regular expression pattern: {}",
                                  text_of(member.pattern)));
    if (!member.one_of.empty())
        all.push_back(fmt::format("Member must satisfy enum value set: [{}]",
                                  fmt::join(member.one_of, ", ")));
    return all;
}

class ConstraintCheck {
 public:
    void walk(const Value& document, const Shape& shape, const std::string& path) {
        for (const Member& member : shape.members) {
            const Value* value = document.find(member.name);
            const std::string at = path + first_lower(member.name);
            if (value == nullptr) {
                if (member.is_required) violated(value, member, at, "Member must not be null");
                continue;
            }
            check_bounds(*value, member, at);
            check_text(*value, member, at);
            check_elements(*value, member, at);
            descend(*value, member, at);
        }
    }

    ApiStatus outcome() const {
        if (violations_.empty()) return {};
        return refuse(
            "ValidationException",
            fmt::format("{} validation error{} detected: {}", violations_.size(),
                        violations_.size() == 1 ? "" : "s", fmt::join(violations_, "; ")));
    }

 private:
    void violated(const Value* value, const Member& member, const std::string& at,
                  std::string_view constraint) {
        if (violations_.size() == kViolationsMax) return;
        violations_.push_back(fmt::format("Value {} at '{}' failed to satisfy constraint: {}",
                                          shown(value, member), at, constraint));
    }

    void check_bounds(const Value& value, const Member& member, const std::string& at) {
        std::int64_t measure = 0;
        std::string_view what = "length";
        switch (member.type) {
            case Type::String:
                measure = static_cast<std::int64_t>(character_count(*value.text()));
                break;
            case Type::Blob:
                measure = static_cast<std::int64_t>(value.blob()->size());
                break;
            case Type::List:
                measure = static_cast<std::int64_t>(value.list()->size());
                break;
            case Type::Map:
                measure = static_cast<std::int64_t>(value.map()->size());
                break;
            case Type::Integer:
                what = "value";
                measure = value.integer() != nullptr ? *value.integer()
                          : *value.real() < 0        ? INT64_MIN + 1
                          : *value.real() > 1e15     ? INT64_MAX - 1
                                                     : static_cast<std::int64_t>(*value.real());
                break;
            default:
                return;
        }
        if (measure < member.min)
            violated(
                &value, member, at,
                fmt::format("Member must have {} greater than or equal to {}", what, member.min));
        if (measure > member.max)
            violated(&value, member, at,
                     fmt::format("Member must have {} less than or equal to {}", what, member.max));
    }

    void check_text(const Value& value, const Member& member, const std::string& at) {
        if (value.text() == nullptr) return;
        const std::string& text = *value.text();
        if (member.pattern != Pattern::None && !matches(member.pattern, text))
            violated(&value, member, at,
                     fmt::format("Member must satisfy regular expression pattern: {}",
                                 text_of(member.pattern)));
        if (!member.one_of.empty() && std::ranges::find(member.one_of, text) == member.one_of.end())
            violated(&value, member, at,
                     fmt::format("Member must satisfy enum value set: [{}]",
                                 fmt::join(member.one_of, ", ")));
    }

    /// Of what a container holds AWS says only that some of it is wrong, and all that it must be.
    void check_elements(const Value& value, const Member& member, const std::string& at) {
        const auto say = [&](std::string_view whose, const Member& of) {
            violated(&value, member, at,
                     fmt::format("{} must satisfy constraint: [{}]", whose,
                                 fmt::join(constraints_of(of), ", ")));
        };
        const auto is_wrong = [](const std::string* text, const Member& of) {
            return text != nullptr && !satisfies(*text, of);
        };
        if (const auto* list = value.list(); list != nullptr && member.element != nullptr) {
            if (std::ranges::any_of(*list, [&](const Value& item) {
                    return is_wrong(item.text(), *member.element);
                }))
                say("Member", *member.element);
        }
        const auto* map = value.map();
        if (map == nullptr) return;
        if (member.key != nullptr && std::ranges::any_of(*map, [&](const Value::Named& item) {
                return is_wrong(&item.name, *member.key);
            }))
            say("Map keys", *member.key);
        if (member.element != nullptr && std::ranges::any_of(*map, [&](const Value::Named& item) {
                return is_wrong(item.value.text(), *member.element);
            }))
            say("Map value", *member.element);
    }

    void descend(const Value& value, const Member& member, const std::string& at) {
        if (member.shape == nullptr) return;
        if (member.type == Type::Structure) return walk(value, *member.shape, at + ".");
        std::size_t number = 0;
        for (const auto& element : *value.list()) {
            ++number;
            walk(element, *member.shape, fmt::format("{}.{}.member.", at, number));
            if (violations_.size() == kViolationsMax) return;
        }
    }

    std::vector<std::string> violations_;
};

}  // namespace

std::size_t character_count(std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count_if(
        text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

bool matches(Pattern pattern, std::string_view text) {
    switch (pattern) {
        case Pattern::None:
            return true;
        case Pattern::Name:
            return !text.empty() && std::ranges::all_of(text, is_name_character);
        case Pattern::HashKey:
            return is_decimal(text, 39);
        case Pattern::SequenceNumber:
            return is_decimal(text, 129);
        case Pattern::StreamArn:
            return is_kind(resource_of(text), "stream");
        case Pattern::ConsumerArn:
            return is_consumer(resource_of(text));
        case Pattern::ResourceArn: {
            const std::string_view resource = resource_of(text);
            return is_kind(resource, "stream") || is_kind(resource, "channel") ||
                   is_kind(resource, "queue");
        }
    }
    return false;
}

ApiStatus check(Value& document, const Shape& shape, Encoding encoding) {
    if (auto status = check_types(document, shape, encoding); !status) return status;
    ConstraintCheck constraints;
    constraints.walk(document, shape, "");
    return constraints.outcome();
}

}  // namespace tidemill::aws
