#include "engine/aws/shape_types.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "engine/security/base64.h"

namespace tidemill::aws {
namespace {

constexpr std::string_view kFoundList = "Start of list found where not expected";
constexpr std::string_view kFoundMap = "Start of structure or map found where not expected.";

std::unexpected<ApiError> wrong_type(std::string message) {
    return refuse("SerializationException", std::move(message));
}

/// How AWS names the class of what it found where a scalar of another type was wanted.
std::string_view java_class(const Value& value) {
    if (value.boolean() != nullptr) return "java.lang.Boolean";
    if (value.integer() != nullptr)
        return *value.integer() == static_cast<std::int32_t>(*value.integer()) ? "java.lang.Integer"
                                                                               : "java.lang.Long";
    if (value.real() != nullptr) return "java.lang.Double";
    if (value.blob() != nullptr) return "java.nio.HeapByteBuffer";
    if (value.time() != nullptr) return "java.util.Date";
    return "java.lang.String";
}

ApiStatus not_scalar(const Value& value) {
    if (value.list() != nullptr) return wrong_type(std::string(kFoundList));
    if (value.map() != nullptr) return wrong_type(std::string(kFoundMap));
    return {};
}

ApiStatus cannot_become(const Value& value, std::string_view wanted) {
    if (auto status = not_scalar(value); !status) return status;
    return wrong_type(
        fmt::format("class {} can not be converted to {}", java_class(value), wanted));
}

ApiStatus check_blob(Value& value) {
    if (value.blob() != nullptr) return {};
    const std::string* text = value.text();
    if (text == nullptr) return cannot_become(value, "a Blob");
    if (text->size() % 4 != 0)
        return wrong_type(
            fmt::format("'{}' can not be converted to a Blob: Base64 encoded length is "
                        "expected a multiple of 4 bytes but found: {}",
                        *text, text->size()));
    const auto is_base64 = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '+' || c == '/' || c == '=';
    };
    const auto wrong = std::ranges::find_if_not(*text, is_base64);
    if (wrong != text->end()) {
        // The whole character: a part of one would make the answer unreadable.
        const auto is_continued = [](char c) { return (static_cast<unsigned char>(c) >> 6) == 2; };
        const auto end = std::find_if_not(wrong + 1, text->end(), is_continued);
        return wrong_type(
            fmt::format("'{}' can not be converted to a Blob: Invalid Base64 character: '{}'",
                        *text, std::string_view(wrong, end)));
    }
    Value::Blob blob;
    blob.bytes.resize(base64_decoded_max(text->size()));
    auto* begin = reinterpret_cast<std::byte*>(blob.bytes.data());
    const std::byte* end = base64_decode(*text, begin);
    if (end == nullptr)
        return wrong_type(
            fmt::format("'{}' can not be converted to a Blob: Invalid last non-pad "
                        "Base64 character dectected",
                        *text));
    blob.bytes.resize(static_cast<std::size_t>(end - begin));
    value.content = std::move(blob);
    return {};
}

ApiStatus check_time(Value& value, Encoding encoding) {
    if (value.time() != nullptr) return {};
    const auto number = value.number();
    if (!number) return cannot_become(value, "milliseconds since epoch");
    // JSON has no infinities and CBOR's not-a-number is no time.
    if (std::isnan(*number)) return cannot_become(value, "milliseconds since epoch");
    value.content = time_of_millis(*number * (encoding == Encoding::Json ? 1000 : 1));
    return {};
}

ApiStatus check_type(Value& value, const Member& member, Encoding encoding);

ApiStatus check_list(Value& value, const Member& member, Encoding encoding) {
    if (value.map() != nullptr) return wrong_type(std::string(kFoundMap));
    if (value.list() == nullptr) return wrong_type("Expected list or null");
    const Member element{.name = "member",
                         .type = member.shape != nullptr ? Type::Structure : Type::String,
                         .shape = member.shape};
    for (auto& one : std::get<Value::List>(value.content)) {
        if (one.is_null()) continue;
        if (auto status = check_type(one, element, encoding); !status) return status;
    }
    return {};
}

ApiStatus check_map(Value& value, const Member& member, Encoding encoding) {
    if (value.list() != nullptr) return wrong_type(std::string(kFoundList));
    if (value.map() == nullptr) return wrong_type("Expected map or null");
    if (member.type == Type::Structure) return check_types(value, *member.shape, encoding);
    for (const auto& [key, one] : *value.map())
        if (!one.is_null() && one.text() == nullptr) return cannot_become(one, "an String");
    return {};
}

ApiStatus check_type(Value& value, const Member& member, Encoding encoding) {
    switch (member.type) {
        case Type::String:
            if (value.text() == nullptr) return cannot_become(value, "an String");
            return {};
        case Type::Integer:
            if (const auto number = value.number(); !number || std::isnan(*number))
                return cannot_become(value, "an Integer");
            return {};
        case Type::Boolean:
            if (value.text() != nullptr)
                return wrong_type(
                    fmt::format("'{}' can not be converted to an Boolean", *value.text()));
            if (value.boolean() == nullptr) return cannot_become(value, "an Boolean");
            return {};
        case Type::Timestamp:
            return check_time(value, encoding);
        case Type::Blob:
            return check_blob(value);
        case Type::List:
            return check_list(value, member, encoding);
        case Type::Map:
        case Type::Structure:
            return check_map(value, member, encoding);
    }
    return {};
}

}  // namespace

ApiStatus check_types(Value& document, const Shape& shape, Encoding encoding) {
    for (const Member& member : shape.members) {
        Value* value = document.find(member.name);
        if (value == nullptr) continue;
        if (auto status = check_type(*value, member, encoding); !status) return status;
    }
    return {};
}

}  // namespace tidemill::aws
