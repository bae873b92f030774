#include "engine/dynamodb/call.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "engine/base/result.h"
#include "engine/dynamodb/attribute_json.h"
#include "engine/dynamodb/expression_parser.h"
#include "engine/dynamodb/key_order.h"
#include "engine/dynamodb/legacy_parameters.h"
#include "engine/dynamodb/table_limits.h"

namespace tidemill::dynamodb {
namespace {

constexpr std::string_view kExpressions[] = {"ConditionExpression", "UpdateExpression",
                                             "FilterExpression", "ProjectionExpression",
                                             "KeyConditionExpression"};
constexpr std::string_view kLegacy[] = {"AttributesToGet",     "AttributeUpdates", "Expected",
                                        "ConditionalOperator", "QueryFilter",      "ScanFilter",
                                        "KeyConditions"};

/// A key attribute's value by itself. Errors: empty, or too long.
ApiStatus check_key_value(const KeyAttribute& attribute, const Attribute& value, bool is_hash,
                          std::string_view index = "") {
    if (value.kind != Attribute::Kind::Number && value.bytes.empty()) {
        const std::string where =
            index.empty() ? fmt::format("Key: {}", attribute.name)
                          : fmt::format("IndexName: {}, IndexKey: {}", index, attribute.name);
        return invalid(fmt::format(
            "One or more parameter values are not valid. {} cannot contain an empty {} value. {}",
            index.empty() ? "The AttributeValue for a key attribute"
                          : "A value specified for a secondary index key is not supported. The "
                            "AttributeValue for a key attribute",
            value.kind == Attribute::Kind::String ? "string" : "binary", where));
    }
    const std::size_t bytes = size_of(value);
    if (is_hash && bytes > limits::kHashKeyBytes)
        return invalid_values("Size of hashkey has exceeded the maximum size limit of2048 bytes");
    if (!is_hash && bytes > limits::kRangeKeyBytes)
        return invalid_values(
            "Aggregated size of all range keys has exceeded the size limit of 1024 bytes");
    return {};
}

}  // namespace

std::unexpected<ApiError> invalid(std::string message) {
    return refuse("ValidationException", std::move(message));
}
std::unexpected<ApiError> invalid_values(std::string_view what) {
    return invalid(fmt::format("One or more parameter values were invalid: {}", what));
}

std::string Call::table_arn(std::string_view table) const {
    return fmt::format("arn:aws:dynamodb:{}:{}:table/{}", region, account, table);
}

std::string_view table_name_of(std::string_view name_or_arn) {
    if (!name_or_arn.starts_with("arn:")) return name_or_arn;
    const auto at = name_or_arn.find(":table/");
    if (at == std::string_view::npos) return name_or_arn;
    const std::string_view name = name_or_arn.substr(at + 7);
    return name.substr(0, name.find('/'));
}

ApiResult<Table*> find_table(Call& call, const Value& request) {
    Table* table = call.tables.find(call.account, table_name_of(request.text_or("TableName", "")));
    if (table == nullptr)
        return refuse("ResourceNotFoundException", "Requested resource not found");
    return table;
}

ApiResult<Table*> find_table_by_name(Call& call, const Value& request) {
    const auto name = table_name_of(request.text_or("TableName", ""));
    Table* table = call.tables.find(call.account, name);
    if (table == nullptr)
        return refuse("ResourceNotFoundException",
                      fmt::format("Requested resource not found: Table: {} not found", name));
    return table;
}

ApiResult<Item> key_of(const Table& table, const Value& key) {
    ASSIGN(Item item, item_of(key));
    const KeySchema& schema = table.definition().key;
    if (item.size() != schema.attributes().size() || !has_key(schema, item))
        return invalid("The provided key element does not match the schema");
    for (const auto& attribute : schema.attributes())
        TRY(check_key_value(attribute, item.find(attribute.name)->second,
                            attribute.name == schema.hash.name));
    return item;
}

ApiStatus check_keys(const Table& table, const Item& item) {
    const KeySchema& schema = table.definition().key;
    for (const auto& attribute : schema.attributes()) {
        const auto found = item.find(attribute.name);
        if (found == item.end())
            return invalid_values(fmt::format("Missing the key {} in the item", attribute.name));
        if (found->second.kind != attribute.kind)
            return invalid_values(fmt::format("Type mismatch for key {} expected: {} actual: {}",
                                              attribute.name, kind_name(attribute.kind),
                                              kind_name(found->second.kind)));
        TRY(check_key_value(attribute, found->second, attribute.name == schema.hash.name));
    }
    for (const auto& index : table.definition().indexes)
        for (const auto& attribute : index.key.attributes()) {
            const auto found = item.find(attribute.name);
            if (found == item.end() || schema.has(attribute.name)) continue;
            if (found->second.kind != attribute.kind)
                return invalid_values(fmt::format(
                    "Type mismatch for Index Key {} Expected: {} Actual: {} IndexName: {}",
                    attribute.name, kind_name(attribute.kind), kind_name(found->second.kind),
                    index.name));
            TRY(check_key_value(attribute, found->second, attribute.name == index.key.hash.name,
                                index.name));
        }
    return {};
}

Item key_of_item(const KeySchema& key, const Item& item) {
    Item made;
    for (const auto& attribute : key.attributes())
        made.emplace(attribute.name, item.find(attribute.name)->second);
    return made;
}

ApiResult<std::optional<std::string>> text_member(const Value& request, std::string_view name) {
    const Value* found = request.find(name);
    if (found == nullptr) return std::nullopt;
    if (found->text() == nullptr)
        return refuse("SerializationException",
                      fmt::format("The value of {} cannot be converted to String", name));
    return *found->text();
}

ApiStatus check_mixture(const Value& request) {
    std::vector<std::string_view> expressions, legacy;
    for (const auto name : kExpressions)
        if (request.find(name) != nullptr) expressions.push_back(name);
    for (const auto name : kLegacy)
        if (request.find(name) != nullptr) legacy.push_back(name);
    if (!expressions.empty() && !legacy.empty())
        return invalid(fmt::format(
            "Can not use both expression and non-expression parameters in the same request: "
            "Non-expression parameters: {{{}}} Expression parameters: {{{}}}",
            fmt::join(legacy, ", "), fmt::join(expressions, ", ")));
    if (!expressions.empty()) return {};
    for (const std::string_view name : {"ExpressionAttributeNames", "ExpressionAttributeValues"})
        if (request.find(name) != nullptr)
            return invalid(fmt::format("{} can only be specified when using expressions", name));
    return {};
}

ApiResult<std::optional<Condition>> condition_of(const Value& request, ExpressionScope& scope) {
    ASSIGN(const auto text, text_member(request, "ConditionExpression"));
    if (text) {
        ASSIGN(Condition made, parse_condition(*text, "ConditionExpression", scope));
        return made;
    }
    const auto* expected = request.find("Expected");
    if (expected == nullptr) {
        if (request.find("ConditionalOperator") != nullptr)
            return invalid_values("ConditionalOperator cannot be used without Filter or Expected");
        return std::nullopt;
    }
    ASSIGN(Condition made,
           expected_condition(*expected, request.text_or("ConditionalOperator", "AND")));
    return made;
}

ApiResult<std::optional<std::vector<DocumentPath>>> projection_of(const Value& request,
                                                                  ExpressionScope& scope) {
    ASSIGN(const auto text, text_member(request, "ProjectionExpression"));
    if (text) {
        ASSIGN(auto paths, parse_projection(*text, scope));
        return paths;
    }
    if (const auto* names = request.find("AttributesToGet")) {
        ASSIGN(auto paths, attributes_to_get(*names));
        return paths;
    }
    return std::nullopt;
}

std::int64_t write_units(std::size_t bytes) {
    return std::max<std::int64_t>(1, static_cast<std::int64_t>((bytes + 1023) / 1024));
}

std::int64_t half_read_units(std::size_t bytes, bool is_consistent) {
    const auto pages = static_cast<std::int64_t>((bytes + 4095) / 4096);
    return std::max<std::int64_t>(1, pages) * (is_consistent ? 2 : 1);
}

bool wants_capacity(const Call& call) {
    return call.input.text_or("ReturnConsumedCapacity", "NONE") != "NONE";
}

void write_capacity_of(const Call& call, DocumentWriter& out, std::string_view table,
                       std::int64_t half_units, std::string_view index) {
    const double units = static_cast<double>(half_units) / 2;
    out.begin_object().member("TableName", table).key("CapacityUnits").real(units);
    if (call.input.text_or("ReturnConsumedCapacity", "NONE") == "INDEXES") {
        out.key("Table").begin_object().key("CapacityUnits").real(index.empty() ? units : 0);
        out.end_object();
        if (!index.empty()) {
            out.key("GlobalSecondaryIndexes").begin_object().escaped_key(index);
            out.begin_object().key("CapacityUnits").real(units).end_object().end_object();
        }
    }
    out.end_object();
}

void write_capacity(const Call& call, DocumentWriter& out, const Table& table,
                    std::int64_t half_units, std::string_view index) {
    if (!wants_capacity(call)) return;
    out.key("ConsumedCapacity");
    write_capacity_of(call, out, table.definition().name, half_units, index);
}

}  // namespace tidemill::dynamodb
