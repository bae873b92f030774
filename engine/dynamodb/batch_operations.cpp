// BatchGetItem, BatchWriteItem.
#include <set>

#include <fmt/format.h>

#include "engine/base/result.h"
#include "engine/dynamodb/attribute_json.h"
#include "engine/dynamodb/item_write.h"
#include "engine/dynamodb/key_order.h"
#include "engine/dynamodb/operations.h"
#include "engine/dynamodb/table_limits.h"

namespace tidemill::dynamodb {
namespace {

/// The tables of a request, each with what is asked of it. Errors: too few, too many, no map.
ApiResult<const Value::Map*> requests_of(const Call& call, bool is_read) {
    const std::size_t most = is_read ? limits::kBatchGetItems : limits::kBatchWriteItems;
    const auto* requests = call.input.find("RequestItems")->map();
    if (requests->empty())
        return invalid(
            "1 validation error detected: Value '{}' at 'requestItems' failed to satisfy "
            "constraint: Member must have length greater than or equal to 1");
    std::size_t count = 0;
    for (const auto& [table, wanted] : *requests) {
        if (is_read && wanted.map() == nullptr)
            return refuse("SerializationException", "Expected map or null");
        const Value* list = is_read ? wanted.find("Keys") : &wanted;
        if (list == nullptr || list->list() == nullptr)
            return refuse("SerializationException", "Expected list or null");
        if (list->list()->empty())
            return invalid(fmt::format(
                "1 validation error detected: Value '[]' at 'requestItems.{}.member' failed to "
                "satisfy constraint: Member must have length greater than or equal to 1",
                table));
        count += list->list()->size();
    }
    if (count > most)
        return invalid(is_read ? "Too many items requested for the BatchGetItem call"
                               : "Too many items requested for the BatchWriteItem call");
    return requests;
}

ApiResult<Table*> table_named(Call& call, std::string_view name) {
    Table* table = call.tables.find(call.account, table_name_of(name));
    if (table == nullptr)
        return refuse("ResourceNotFoundException", "Requested resource not found");
    return table;
}

ApiResult<ItemWrite> write_of(Table& table, const Value& request) {
    ItemWrite write{.table = &table};
    const Value* put = request.find("PutRequest");
    const Value* remove = request.find("DeleteRequest");
    if ((put == nullptr) == (remove == nullptr))
        return invalid(
            "Supplied AttributeValue has more than one datatypes set, must contain exactly one of "
            "the supported datatypes");
    if (put != nullptr) {
        const Value* item = put->find("Item");
        if (item == nullptr) return invalid_values("Missing the key Item in the request");
        write.kind = ItemWrite::Kind::Put;
        ASSIGN(write.item, item_of(*item));
        if (size_of(write.item) > limits::kItemBytes)
            return invalid("Item size has exceeded the maximum allowed size");
        TRY(check_keys(table, write.item));
        write.key = key_of_item(table.definition().key, write.item);
        return write;
    }
    const Value* key = remove->find("Key");
    if (key == nullptr) return invalid("The provided key element does not match the schema");
    write.kind = ItemWrite::Kind::Delete;
    ASSIGN(write.key, key_of(table, *key));
    return write;
}

void write_capacities(const Call& call, DocumentWriter& out,
                      const std::map<std::string, std::int64_t>& half_units) {
    if (!wants_capacity(call)) return;
    out.key("ConsumedCapacity").begin_array();
    for (const auto& [table, units] : half_units)
        write_capacity_of(call, out, table, units);
    out.end_array();
}

}  // namespace

ApiStatus batch_write_item(Call& call) {
    ASSIGN(const auto* requests, requests_of(call, false));
    std::vector<ItemWrite> writes;
    for (const auto& [name, list] : *requests) {
        ASSIGN(Table * table, table_named(call, name));
        std::set<std::string> seen;
        for (const auto& request : *list.list()) {
            ASSIGN(ItemWrite write, write_of(*table, request));
            if (!seen.insert(order_key(table->definition().key, write.key)).second)
                return invalid("Provided list of item keys contains duplicates");
            writes.push_back(std::move(write));
        }
    }
    // What one of them is refused for, all are: nothing has been stored yet.
    std::vector<std::optional<Item>> outcomes;
    std::map<std::string, std::int64_t> half_units;
    for (const auto& write : writes) {
        const auto before = write.table->find(write.key);
        ASSIGN(auto after, outcome_of(call, write, before.get()));
        half_units[write.table->definition().name] +=
            2 * write_units(std::max(before != nullptr ? size_of(*before) : 0,
                                     after ? size_of(*after) : 0));
        outcomes.push_back(std::move(after));
    }
    for (std::size_t i = 0; i < writes.size(); ++i)
        store(call, writes[i], std::move(outcomes[i]));
    auto out = call.answer();
    out.begin_object().key("UnprocessedItems").begin_object().end_object();
    write_capacities(call, out, half_units);
    out.end_object();
    return {};
}

ApiStatus batch_get_item(Call& call) {
    ASSIGN(const auto* requests, requests_of(call, true));
    struct Wanted {
        Table* table;
        std::string name;
        const Value* request;
        std::vector<Item> keys;
        std::optional<std::vector<DocumentPath>> projection;
        std::size_t done = 0;
    };
    std::vector<Wanted> all;
    for (const auto& [name, request] : *requests) {
        TRY(check_mixture(request));
        Wanted wanted{
            .table = nullptr, .name = name, .request = &request, .keys = {}, .projection = {}};
        ASSIGN(ExpressionScope scope, ExpressionScope::of(request));
        ASSIGN(wanted.projection, projection_of(request, scope));
        TRY(scope.all_used());
        ASSIGN(wanted.table, table_named(call, name));
        std::set<std::string> seen;
        for (const auto& key : *request.find("Keys")->list()) {
            ASSIGN(Item item, key_of(*wanted.table, key));
            if (!seen.insert(order_key(wanted.table->definition().key, item)).second)
                return invalid("Provided list of item keys contains duplicates");
            wanted.keys.push_back(std::move(item));
        }
        all.push_back(std::move(wanted));
    }
    auto out = call.answer();
    out.begin_object().key("Responses").begin_object();
    std::size_t bytes = 0;
    std::map<std::string, std::int64_t> half_units;
    for (auto& wanted : all) {
        out.escaped_key(wanted.name).begin_array();
        const bool is_consistent = wanted.request->boolean_or("ConsistentRead", false);
        for (; wanted.done < wanted.keys.size() && bytes < limits::kBatchGetBytes; ++wanted.done) {
            const auto item = wanted.table->find(wanted.keys[wanted.done]);
            const std::size_t size = item != nullptr ? size_of(*item) : 0;
            half_units[wanted.table->definition().name] += half_read_units(size, is_consistent);
            if (item == nullptr) continue;
            bytes += size;
            write(out, wanted.projection ? project(*item, *wanted.projection) : *item);
        }
        out.end_array();
    }
    out.end_object().key("UnprocessedKeys").begin_object();
    for (const auto& wanted : all) {
        if (wanted.done == wanted.keys.size()) continue;
        out.escaped_key(wanted.name).begin_object().key("Keys").begin_array();
        for (std::size_t i = wanted.done; i < wanted.keys.size(); ++i)
            write(out, wanted.keys[i]);
        out.end_array();
        out.member("ConsistentRead", wanted.request->boolean_or("ConsistentRead", false));
        if (const auto* text = wanted.request->find("ProjectionExpression"))
            out.member("ProjectionExpression", *text->text());
        if (const auto* names = wanted.request->find("ExpressionAttributeNames")) {
            out.key("ExpressionAttributeNames").begin_object();
            for (const auto& [placeholder, name] : *names->map())
                out.escaped_key(placeholder).text(*name.text());
            out.end_object();
        }
        out.end_object();
    }
    out.end_object();
    write_capacities(call, out, half_units);
    out.end_object();
    return {};
}

}  // namespace tidemill::dynamodb
