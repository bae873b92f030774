#include "engine/analytics/documents.h"

#include <algorithm>

namespace tidemill::analytics {

Value object() { return {Value::Map{}}; }
Value text_value(std::string_view text) { return {std::string(text)}; }
Value number_value(std::int64_t number) { return {number}; }

void put(Value& object, std::string_view name, Value value) {
    auto& map = std::get<Value::Map>(object.content);
    const auto known = std::ranges::find(map, name, &Value::Named::name);
    if (known != map.end())
        known->value = std::move(value);
    else
        map.push_back({std::string(name), std::move(value)});
}

void drop(Value& object, std::string_view name) {
    std::erase_if(std::get<Value::Map>(object.content),
                  [&](const Value::Named& named) { return named.name == name; });
}

Value& child(Value& object, std::string_view name) {
    auto& map = std::get<Value::Map>(object.content);
    auto known = std::ranges::find(map, name, &Value::Named::name);
    if (known == map.end()) known = map.insert(map.end(), {std::string(name), analytics::object()});
    if (known->value.map() == nullptr) known->value = analytics::object();
    return known->value;
}

const Value* at_path(const Value& object, std::initializer_list<std::string_view> names) {
    const Value* at = &object;
    for (const auto name : names) {
        if (at->map() == nullptr) return nullptr;
        at = at->find(name);
        if (at == nullptr) return nullptr;
    }
    return at;
}

std::string_view text_at(const Value& object, std::initializer_list<std::string_view> names) {
    const Value* found = at_path(object, names);
    return found != nullptr && found->text() != nullptr ? std::string_view(*found->text())
                                                        : std::string_view();
}

void write_value(aws::DocumentWriter& out, const Value& value) {
    if (const auto* map = value.map()) {
        out.begin_object();
        for (const auto& [name, member] : *map) {
            if (member.is_null()) continue;
            out.escaped_key(name);
            write_value(out, member);
        }
        out.end_object();
    } else if (const auto* list = value.list()) {
        out.begin_array();
        for (const auto& element : *list)
            if (!element.is_null()) write_value(out, element);
        out.end_array();
    } else if (const auto* text = value.text()) {
        out.text(*text);
    } else if (const auto* integer = value.integer()) {
        out.number(*integer);
    } else if (const auto* real = value.real()) {
        out.real(*real);
    } else if (const auto* truth = value.boolean()) {
        out.boolean(*truth);
    } else if (const auto* time = value.time()) {
        out.time(*time);
    } else {
        out.text("");
    }
}

std::string json_of(const Value& value) {
    std::string text;
    aws::DocumentWriter out(text, aws::Encoding::Json);
    write_value(out, value);
    return text;
}

}  // namespace tidemill::analytics
