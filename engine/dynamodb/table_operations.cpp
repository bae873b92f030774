// CreateTable, UpdateTable, DeleteTable, DescribeTable, ListTables.
#include <algorithm>

#include <fmt/format.h>

#include "engine/base/result.h"
#include "engine/dynamodb/operations.h"
#include "engine/dynamodb/table_description.h"
#include "engine/dynamodb/table_limits.h"
#include "engine/security/sealed_token.h"

namespace tidemill::dynamodb {
namespace {

std::string new_table_id() {
    const auto secret = random_secret(16);
    const auto a = load_le<std::uint64_t>(secret.data());
    const auto b = load_le<std::uint64_t>(secret.data() + 8);
    return fmt::format("{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}", a >> 32, a >> 16 & 0xffff, a & 0xfff,
                       (b >> 48 & 0x3fff) | 0x8000, b & 0xffffffffffff);
}

void answer(Call& call, const Table& table, std::string_view status,
            std::string_view new_index = "") {
    auto out = call.answer();
    out.begin_object().key("TableDescription");
    write_description(call, out, table, status, new_index);
    out.end_object();
}

ApiStatus add_index(TableDefinition& table, const Value& wanted, std::string& new_index) {
    ASSIGN(IndexDefinition index, index_of(wanted, table.attributes, false));
    if (std::ranges::find(table.indexes, index.name, &IndexDefinition::name) != table.indexes.end())
        return refuse("ValidationException",
                      fmt::format("Attempting to create an index which already exists"));
    new_index = index.name;
    table.indexes.push_back(std::move(index));
    return {};
}

ApiStatus change_index(TableDefinition& table, const Value& change, std::string& new_index) {
    if (const auto* created = change.find("Create")) return add_index(table, *created, new_index);
    const Value* updated = change.find("Update");
    const Value* deleted = change.find("Delete");
    const Value* which = updated != nullptr ? updated : deleted;
    if (which == nullptr)
        return invalid_values(
            "One of GlobalSecondaryIndexUpdate must have exactly one of Update, Create or Delete");
    const auto index =
        std::ranges::find(table.indexes, which->text_or("IndexName", ""), &IndexDefinition::name);
    if (index == table.indexes.end() || index->is_local)
        return refuse("ResourceNotFoundException", "Requested resource not found");
    if (deleted != nullptr) {
        table.indexes.erase(index);
        return {};
    }
    ASSIGN(const auto throughput, throughput_of(*updated));
    index->throughput = throughput.value_or(index->throughput);
    return {};
}

/// Attributes that neither the table's key nor an index names are forgotten, as at AWS.
void forget_unused(TableDefinition& table) {
    std::erase_if(table.attributes, [&](const KeyAttribute& attribute) {
        return !table.key.has(attribute.name) &&
               std::ranges::none_of(table.indexes, [&](const IndexDefinition& index) {
                   return index.key.has(attribute.name);
               });
    });
}

}  // namespace

ApiStatus create_table(Call& call) {
    ASSIGN(TableDefinition definition, definition_of(call.input));
    if (call.tables.find(call.account, definition.name) != nullptr)
        return refuse("ResourceInUseException",
                      fmt::format("Table already exists: {}", definition.name));
    if (call.tables.all().size() >= limits::kTables)
        return refuse("LimitExceededException",
                      fmt::format("The number of tables exceeds the limit of {}", limits::kTables));
    definition.account = call.account;
    definition.created = call.now;
    definition.id = new_table_id();
    answer(call, call.tables.create(std::move(definition)), "CREATING");
    return {};
}

ApiStatus describe_table(Call& call) {
    ASSIGN(const Table* table, find_table_by_name(call, call.input));
    auto out = call.answer();
    out.begin_object().key("Table");
    write_description(call, out, *table, "ACTIVE");
    out.end_object();
    return {};
}

ApiStatus update_table(Call& call) {
    ASSIGN(Table * table, find_table_by_name(call, call.input));
    TableDefinition definition = table->definition();
    ASSIGN(const auto declared, declared_attributes(call.input));
    for (const auto& attribute : declared) {
        const auto known =
            std::ranges::find(definition.attributes, attribute.name, &KeyAttribute::name);
        if (known == definition.attributes.end())
            definition.attributes.push_back(attribute);
        else if (known->kind != attribute.kind)
            return invalid_values(
                fmt::format("Cannot change the type of attribute {}", attribute.name));
    }
    ASSIGN(const auto throughput, throughput_of(call.input));
    if (throughput) definition.throughput = *throughput;
    if (const auto* mode = call.input.find("BillingMode")) {
        definition.is_on_demand = *mode->text() == "PAY_PER_REQUEST";
        if (definition.is_on_demand) definition.throughput = {};
        if (!definition.is_on_demand && definition.throughput.read == 0)
            return invalid_values(
                "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode "
                "is PROVISIONED");
    }
    if (const auto* is_protected = call.input.find("DeletionProtectionEnabled"))
        definition.is_protected = *is_protected->boolean();
    definition.table_class = call.input.text_or("TableClass", definition.table_class);
    if (const auto* sse = call.input.find("SSESpecification"))
        definition.encryption =
            sse->boolean_or("Enabled", false) ? sse->text_or("SSEType", "KMS") : "";
    std::string new_index;
    if (const auto* changes = call.input.find("GlobalSecondaryIndexUpdates"))
        for (const auto& change : *changes->list())
            TRY(change_index(definition, change, new_index));
    if (definition.indexes.size() > limits::kGlobalIndexes + limits::kLocalIndexes)
        return refuse("LimitExceededException",
                      "GlobalSecondaryIndex count exceeds the per-table limit of 20");
    forget_unused(definition);
    call.tables.redefine(*table, std::move(definition));
    answer(call, *table, "UPDATING", new_index);
    return {};
}

ApiStatus delete_table(Call& call) {
    ASSIGN(const Table* table, find_table_by_name(call, call.input));
    if (table->definition().is_protected)
        return invalid(
            fmt::format("Resource cannot be deleted as it is currently protected "
                        "against deletion. Disable deletion protection first."));
    answer(call, *table, "DELETING");
    call.tables.drop(*table);
    return {};
}

ApiStatus list_tables(Call& call) {
    const auto limit = static_cast<std::size_t>(call.input.integer_or("Limit", 100));
    const std::string prefix = Tables::full_name(call.account, "");
    const auto& all = call.tables.all();
    auto at =
        all.upper_bound(prefix + std::string(call.input.text_or("ExclusiveStartTableName", "")));
    const auto is_there = [&] { return at != all.end() && at->first.starts_with(prefix); };
    auto out = call.answer();
    out.begin_object().key("TableNames").begin_array();
    std::string last;
    for (std::size_t i = 0; i < limit && is_there(); ++i, ++at) {
        last = at->second.definition().name;
        out.text(last);
    }
    out.end_array();
    if (is_there()) out.member("LastEvaluatedTableName", last);
    out.end_object();
    return {};
}

}  // namespace tidemill::dynamodb
