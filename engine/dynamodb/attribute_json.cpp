#include "engine/dynamodb/attribute_json.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "engine/base/result.h"
#include "engine/dynamodb/table_limits.h"
#include "engine/security/base64.h"

namespace tidemill::dynamodb {
namespace {

using aws::ApiResult;
using aws::ApiStatus;
using aws::refuse;
using aws::Value;
using Kind = Attribute::Kind;

std::unexpected<aws::ApiError> invalid(std::string message) {
    return refuse("ValidationException", std::move(message));
}

std::unexpected<aws::ApiError> invalid_values(std::string_view what) {
    return invalid(fmt::format("One or more parameter values were invalid: {}", what));
}

/// A value of a wrong JSON type, named as DynamoDB's parser names its tokens.
std::unexpected<aws::ApiError> wrong_type(const Value& found, std::string_view wanted) {
    std::string_view token = "STRING_VALUE";
    if (found.map() != nullptr)
        return refuse("SerializationException",
                      "Unrecognized collection type java.util.Map<java.lang.String, "
                      "com.amazonaws.dynamodb.v20120810.AttributeValue>");
    if (found.list() != nullptr)
        return refuse("SerializationException", "Start of list found where not expected");
    if (const bool* truth = found.boolean()) token = *truth ? "TRUE_VALUE" : "FALSE_VALUE";
    if (found.number()) token = found.integer() != nullptr ? "NUMBER_VALUE" : "DECIMAL_VALUE";
    return refuse("SerializationException",
                  fmt::format("{} cannot be converted to {}", token, wanted));
}

ApiResult<std::string> text_of(const Value& value) {
    if (value.text() == nullptr) return wrong_type(value, "String");
    return *value.text();
}

ApiResult<std::string> binary_of(const Value& value) {
    if (value.text() == nullptr) return wrong_type(value, "ByteBuffer");
    const auto bytes = base64_decode(*value.text());
    if (!bytes)
        return refuse("SerializationException",
                      fmt::format("'{}' can not be converted to a Blob", *value.text()));
    return std::string(as_text(*bytes));
}

ApiResult<Attribute> scalar_of(Kind kind, const Value& value) {
    Attribute made{.kind = kind};
    if (kind == Kind::Binary) {
        ASSIGN(made.bytes, binary_of(value));
        return made;
    }
    ASSIGN(std::string text, text_of(value));
    if (kind == Kind::String)
        made.bytes = std::move(text);
    else {
        ASSIGN(made.number, Decimal::parse(text));
    }
    return made;
}

ApiResult<Attribute> set_of(Kind kind, const Value& value) {
    if (value.list() == nullptr) return refuse("SerializationException", "Expected list or null");
    Attribute made{.kind = kind};
    std::vector<std::string> shown;
    for (const auto& one : *value.list()) {
        ASSIGN(Attribute element, scalar_of(element_kind(kind), one));
        if (kind == Kind::StringSet) shown.push_back(element.bytes);
        if (kind == Kind::BinarySet) shown.push_back(*one.text());
        made.elements.push_back(std::move(element));
    }
    if (made.elements.empty()) {
        if (kind == Kind::BinarySet) return invalid_values("Binary sets should not be empty");
        return invalid_values(fmt::format("An {} set  may not be empty",
                                          kind == Kind::StringSet ? "string" : "number"));
    }
    if (sort_set(made)) return made;
    if (kind == Kind::NumberSet) return invalid("Input collection contains duplicates");
    return invalid_values(fmt::format("Input collection [{}]{} contains duplicates.",
                                      fmt::join(shown, ", "),
                                      kind == Kind::BinarySet ? "of type BS" : ""));
}

ApiResult<Attribute> attribute_at(const Value& value, int depth);

ApiResult<Item> item_at(const Value& value, int depth) {
    if (value.map() == nullptr) return wrong_type(value, "Map");
    Item item;
    for (const auto& [name, one] : *value.map()) {
        if (one.is_null()) continue;
        if (name.size() > limits::kAttributeNameBytes)
            return invalid_values(
                fmt::format("Attribute name is too large, must be less than {} "
                            "bytes",
                            limits::kAttributeNameBytes + 1));
        ASSIGN(item[name], attribute_at(one, depth));
    }
    return item;
}

ApiResult<Attribute> nested_of(Kind kind, const Value& value, int depth) {
    if (depth >= limits::kNestingLevels)
        return invalid("Nesting Levels have exceeded supported limits");
    Attribute made{.kind = kind};
    if (kind == Kind::Map) {
        ASSIGN(made.members, item_at(value, depth + 1));
        return made;
    }
    if (value.list() == nullptr) return refuse("SerializationException", "Expected list or null");
    for (const auto& one : *value.list()) {
        ASSIGN(Attribute element, attribute_at(one, depth + 1));
        made.elements.push_back(std::move(element));
    }
    return made;
}

ApiResult<Attribute> attribute_at(const Value& value, int depth) {
    if (value.map() == nullptr) {
        if (value.list() != nullptr)
            return refuse("SerializationException", "Start of list found where not expected");
        return wrong_type(value, "AttributeValue");
    }
    std::size_t kinds = 0;
    Kind kind = Kind::Null;
    const Value* content = nullptr;
    for (const auto& [name, one] : *value.map()) {
        Kind found{};
        if (one.is_null() || !parse_kind(name, found)) continue;
        ++kinds;
        kind = found;
        content = &one;
    }
    if (kinds == 0)
        return invalid(
            "Supplied AttributeValue is empty, must contain exactly one of the supported "
            "datatypes");
    if (kinds > 1)
        return invalid(
            "Supplied AttributeValue has more than one datatypes set, must contain exactly one of "
            "the supported datatypes");
    switch (kind) {
        case Kind::String:
        case Kind::Number:
        case Kind::Binary:
            return scalar_of(kind, *content);
        case Kind::StringSet:
        case Kind::NumberSet:
        case Kind::BinarySet:
            return set_of(kind, *content);
        case Kind::List:
        case Kind::Map:
            return nested_of(kind, *content, depth);
        case Kind::Boolean:
        case Kind::Null:
            break;
    }
    const bool* truth = content->boolean();
    if (truth == nullptr) return wrong_type(*content, "Boolean");
    if (kind == Kind::Null && !*truth)
        return invalid_values("Null attribute value types must have the value of true");
    return Attribute{.kind = kind, .truth = *truth};
}

void write_scalar(aws::DocumentWriter& out, const Attribute& value) {
    if (value.kind == Kind::Number)
        out.plain_text(value.number.text());
    else if (value.kind == Kind::Binary)
        out.blob(as_bytes(value.bytes));
    else
        out.text(value.bytes);
}

}  // namespace

ApiResult<Attribute> attribute_of(const Value& value) { return attribute_at(value, 0); }
ApiResult<Item> item_of(const Value& value) { return item_at(value, 0); }

void write(aws::DocumentWriter& out, const Attribute& value) {
    out.begin_object().key(kind_name(value.kind));
    switch (value.kind) {
        case Kind::String:
        case Kind::Number:
        case Kind::Binary:
            write_scalar(out, value);
            break;
        case Kind::Boolean:
            out.boolean(value.truth);
            break;
        case Kind::Null:
            out.boolean(true);
            break;
        case Kind::StringSet:
        case Kind::NumberSet:
        case Kind::BinarySet:
            out.begin_array();
            for (const auto& element : value.elements)
                write_scalar(out, element);
            out.end_array();
            break;
        case Kind::List:
            out.begin_array();
            for (const auto& element : value.elements)
                write(out, element);
            out.end_array();
            break;
        case Kind::Map:
            write(out, value.members);
            break;
    }
    out.end_object();
}

void write(aws::DocumentWriter& out, const Item& item) {
    out.begin_object();
    for (const auto& [name, value] : item) {
        out.escaped_key(name);
        write(out, value);
    }
    out.end_object();
}

}  // namespace tidemill::dynamodb
