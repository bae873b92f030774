#include "engine/aws/json_document.h"

#include <simdjson.h>

namespace tidemill::aws {
namespace {

bool copy(const simdjson::dom::element& from, Value& to, int depth, std::size_t& values) {
    using Type = simdjson::dom::element_type;
    if (depth < 0 || ++values > kDocumentValuesMax) return false;
    switch (from.type()) {
        case Type::NULL_VALUE:
            return true;
        case Type::BOOL:
            to.content = from.get_bool().value_unsafe();
            return true;
        case Type::INT64:
            to.content = from.get_int64().value_unsafe();
            return true;
        case Type::UINT64:  // only what does not fit INT64
            to.content = static_cast<double>(from.get_uint64().value_unsafe());
            return true;
        case Type::DOUBLE:
            to.content = from.get_double().value_unsafe();
            return true;
        case Type::STRING:
            to.content = std::string(from.get_string().value_unsafe());
            return true;
        case Type::ARRAY: {
            auto& list = to.content.emplace<Value::List>();
            for (const auto element : from.get_array().value_unsafe())
                if (!copy(element, list.emplace_back(), depth - 1, values)) return false;
            return true;
        }
        case Type::OBJECT: {
            auto& map = to.content.emplace<Value::Map>();
            for (const auto [key, value] : from.get_object().value_unsafe())
                if (!copy(value, map.emplace_back(std::string(key), Value{}).value, depth - 1,
                          values))
                    return false;
            return true;
        }
    }
    return false;
}

}  // namespace

std::optional<Value> parse_json(std::string_view json, int depth) {
    // Not kept between calls: a parser holds ten times its largest document.
    simdjson::dom::parser parser;
    simdjson::dom::element document;
    if (parser.parse(json.data(), json.size(), true).get(document) != simdjson::SUCCESS)
        return std::nullopt;
    Value value;
    std::size_t values = 0;
    if (!copy(document, value, depth, values)) return std::nullopt;
    return value;
}

}  // namespace tidemill::aws
