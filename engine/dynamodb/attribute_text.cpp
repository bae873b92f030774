#include "engine/dynamodb/attribute_text.h"

#include <fmt/format.h>

#include "engine/security/base64.h"

namespace tidemill::dynamodb {

std::string text_of(const Attribute& value) {
    std::string content;
    const auto separate = [&] {
        if (!content.empty()) content += ", ";
    };
    switch (value.kind) {
        case Attribute::Kind::String:
            content = value.bytes;
            break;
        case Attribute::Kind::Number:
            content = value.number.text();
            break;
        case Attribute::Kind::Binary:
            content = base64_encode(as_bytes(value.bytes));
            break;
        case Attribute::Kind::Boolean:
            content = value.truth ? "true" : "false";
            break;
        case Attribute::Kind::Null:
            content = "true";
            break;
        case Attribute::Kind::Map:
            for (const auto& [name, member] : value.members) {
                separate();
                content += fmt::format("{}={}", name, text_of(member));
            }
            content = "{" + content + "}";
            break;
        default:
            for (const auto& element : value.elements) {
                separate();
                content += text_of(element);
            }
            content = "[" + content + "]";
            break;
    }
    return fmt::format("{{{}:{}}}", kind_name(value.kind), content);
}

}  // namespace tidemill::dynamodb
