#include "engine/dynamodb/item_write.h"

#include <fmt/format.h>

#include "engine/base/result.h"
#include "engine/dynamodb/apply_update.h"
#include "engine/dynamodb/attribute_json.h"
#include "engine/dynamodb/condition_check.h"
#include "engine/dynamodb/expression_parser.h"
#include "engine/dynamodb/key_order.h"
#include "engine/dynamodb/legacy_parameters.h"
#include "engine/dynamodb/table_limits.h"

namespace tidemill::dynamodb {
namespace {

/// What all writes have: a condition, and placeholders that must be used up.
struct Reading {
    ExpressionScope scope;
    ItemWrite write;
};

ApiResult<Reading> begin(ItemWrite::Kind kind, const Value& request) {
    TRY(check_mixture(request));
    if (request.find("ExpressionAttributeValues") != nullptr &&
        request.find("ConditionExpression") == nullptr &&
        request.find("UpdateExpression") == nullptr)
        return invalid(
            "ExpressionAttributeValues can only be specified when using expressions: "
            "ConditionExpression is null");
    Reading reading;
    reading.write.kind = kind;
    ASSIGN(reading.scope, ExpressionScope::of(request));
    ASSIGN(reading.write.condition, condition_of(request, reading.scope));
    reading.write.shows_item_on_failure =
        request.text_or("ReturnValuesOnConditionCheckFailure", "NONE") == "ALL_OLD";
    return reading;
}

ApiResult<ItemWrite> of_key(ItemWrite::Kind kind, Call& call, const Value& request) {
    ASSIGN(Reading reading, begin(kind, request));
    TRY(reading.scope.all_used());
    ASSIGN(reading.write.table, find_table(call, request));
    ASSIGN(reading.write.key, key_of(*reading.write.table, *request.find("Key")));
    return std::move(reading.write);
}

}  // namespace

ApiResult<ItemWrite> put_of(Call& call, const Value& request) {
    ASSIGN(Reading reading, begin(ItemWrite::Kind::Put, request));
    TRY(reading.scope.all_used());
    ItemWrite& write = reading.write;
    ASSIGN(write.item, item_of(*request.find("Item")));
    if (size_of(write.item) > limits::kItemBytes)
        return invalid("Item size has exceeded the maximum allowed size");
    ASSIGN(write.table, find_table(call, request));
    TRY(check_keys(*write.table, write.item));
    write.key = key_of_item(write.table->definition().key, write.item);
    return std::move(write);
}

ApiResult<ItemWrite> update_of(Call& call, const Value& request) {
    ASSIGN(Reading reading, begin(ItemWrite::Kind::Update, request));
    ItemWrite& write = reading.write;
    ASSIGN(const auto text, text_member(request, "UpdateExpression"));
    if (text) {
        ASSIGN(write.update, parse_update(*text, reading.scope));
    } else if (const auto* updates = request.find("AttributeUpdates")) {
        ASSIGN(write.update, attribute_updates(*updates));
    }
    TRY(reading.scope.all_used());
    ASSIGN(write.table, find_table(call, request));
    ASSIGN(write.key, key_of(*write.table, *request.find("Key")));
    for (const auto& path : write.update.paths())
        if (write.table->definition().key.has(path.top()))
            return invalid_values(fmt::format(
                "Cannot update attribute {}. This attribute is part of the key", path.top()));
    return std::move(write);
}

ApiResult<ItemWrite> delete_of(Call& call, const Value& request) {
    return of_key(ItemWrite::Kind::Delete, call, request);
}

ApiResult<ItemWrite> check_of(Call& call, const Value& request) {
    return of_key(ItemWrite::Kind::Check, call, request);
}

ApiResult<std::optional<Item>> outcome_of(const Call& call, const ItemWrite& write,
                                          const Item* before) {
    static const Item kNone;
    if (write.condition && !holds(*write.condition, before != nullptr ? *before : kNone))
        return refuse("ConditionalCheckFailedException", "The conditional request failed");
    std::optional<Item> after;
    switch (write.kind) {
        case ItemWrite::Kind::Delete:
            return std::nullopt;
        case ItemWrite::Kind::Check:
            if (before != nullptr) after = *before;
            return after;
        case ItemWrite::Kind::Put:
            after = write.item;
            break;
        case ItemWrite::Kind::Update:
            ASSIGN(after, updated(write.update, before != nullptr ? *before : write.key));
            TRY(check_keys(*write.table, *after));
            break;
    }
    const std::size_t bytes = size_of(*after);
    if (bytes > limits::kItemBytes)
        return invalid("Item size to update has exceeded the maximum allowed size");
    const std::size_t had =
        before != nullptr ? size_of(*before) + limits::kItemOverhead : std::size_t{0};
    if (bytes + limits::kItemOverhead > had &&
        call.tables.is_full(bytes + limits::kItemOverhead - had))
        return refuse("LimitExceededException",
                      fmt::format("The tables of this server are full: together they hold at most "
                                  "{} bytes.",
                                  limits::kTablesBytes));
    return after;
}

void store(Call& call, const ItemWrite& write, std::optional<Item> after) {
    if (write.kind == ItemWrite::Kind::Check) return;
    if (after)
        call.tables.put(*write.table, std::move(*after));
    else
        call.tables.erase(*write.table, write.key);
}

}  // namespace tidemill::dynamodb
