#include "engine/dynamodb/table_description.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "engine/aws/shape.h"
#include "engine/base/result.h"
#include "engine/dynamodb/table_limits.h"

namespace tidemill::dynamodb {
namespace {

using Projection = IndexDefinition::Projection;

constexpr std::string_view kProjections[] = {"ALL", "KEYS_ONLY", "INCLUDE"};

std::vector<std::string> names_of(const std::vector<KeyAttribute>& attributes) {
    std::vector<std::string> names;
    for (const auto& attribute : attributes)
        names.push_back(attribute.name);
    return names;
}

ApiResult<KeySchema> key_schema_of(const Value& request,
                                   const std::vector<KeyAttribute>& declared) {
    const Value* schema = request.find("KeySchema");
    if (schema == nullptr || schema->list() == nullptr || schema->list()->empty())
        return invalid_values("Invalid KeySchema: Some index key attribute have no definition");
    const auto& elements = *schema->list();
    if (elements.size() > 2)
        return invalid_values("Too many KeySchema elements; at most 2 are allowed");
    KeySchema key;
    for (std::size_t i = 0; i < elements.size(); ++i) {
        const std::string_view name = elements[i].text_or("AttributeName", "");
        const std::string_view type = elements[i].text_or("KeyType", "");
        if (i == 0 && type != "HASH")
            return invalid("Invalid KeySchema: The first KeySchemaElement is not a HASH key type");
        if (i == 1 && type != "RANGE")
            return invalid(
                "Invalid KeySchema: The second KeySchemaElement is not a RANGE key type");
        const auto found = std::ranges::find(declared, name, &KeyAttribute::name);
        if (found == declared.end())
            return invalid_values(fmt::format(
                "Some index key attributes are not defined in AttributeDefinitions. Keys: [{}], "
                "AttributeDefinitions: [{}]",
                name, fmt::join(names_of(declared), ", ")));
        if (i == 0)
            key.hash = *found;
        else
            key.range = *found;
    }
    if (key.range && key.range->name == key.hash.name)
        return invalid(
            "Both the Hash Key and the Range Key element in the KeySchema have the same name");
    return key;
}

void write_key(DocumentWriter& out, const KeySchema& key) {
    out.key("KeySchema").begin_array();
    out.begin_object().member("AttributeName", key.hash.name).member("KeyType", "HASH");
    out.end_object();
    if (key.range) {
        out.begin_object().member("AttributeName", key.range->name).member("KeyType", "RANGE");
        out.end_object();
    }
    out.end_array();
}

void write_throughput(DocumentWriter& out, const Throughput& throughput) {
    out.key("ProvisionedThroughput").begin_object().member("NumberOfDecreasesToday", 0);
    out.member("ReadCapacityUnits", throughput.read);
    out.member("WriteCapacityUnits", throughput.write).end_object();
}

void write_index(const Call& call, DocumentWriter& out, const Table& table,
                 const IndexDefinition& index, std::string_view status) {
    out.begin_object().member("IndexName", index.name);
    write_key(out, index.key);
    out.key("Projection").begin_object();
    out.member("ProjectionType", kProjections[static_cast<std::size_t>(index.projection)]);
    if (!index.included.empty()) {
        out.key("NonKeyAttributes").begin_array();
        for (const auto& name : index.included)
            out.text(name);
        out.end_array();
    }
    out.end_object();
    if (!index.is_local) {
        out.member("IndexStatus", status);
        if (status == "CREATING") out.member("Backfilling", false);
        write_throughput(out, index.throughput);
    }
    std::size_t bytes = 0;
    const auto& items = table.items_by(index);
    for (const auto& [place, item] : items)
        bytes += size_of(*item);
    out.member("IndexSizeBytes", bytes).member("ItemCount", items.size());
    out.member("IndexArn",
               fmt::format("{}/index/{}", call.table_arn(table.definition().name), index.name));
    out.end_object();
}

void write_indexes(const Call& call, DocumentWriter& out, const Table& table, bool is_local,
                   std::string_view table_status, std::string_view new_index) {
    const auto& all = table.definition().indexes;
    if (std::ranges::find(all, is_local, &IndexDefinition::is_local) == all.end()) return;
    out.key(is_local ? "LocalSecondaryIndexes" : "GlobalSecondaryIndexes").begin_array();
    for (const auto& index : all) {
        if (index.is_local != is_local) continue;
        const bool is_new = table_status == "CREATING" || index.name == new_index;
        write_index(call, out, table, index, is_new ? "CREATING" : "ACTIVE");
    }
    out.end_array();
}

ApiStatus check_indexes(const TableDefinition& table) {
    std::size_t local = 0;
    for (const auto& index : table.indexes) {
        local += index.is_local ? 1 : 0;
        if (std::ranges::count(table.indexes, index.name, &IndexDefinition::name) > 1)
            return invalid_values(fmt::format("Duplicate index name: {}", index.name));
        if (index.is_local && index.key.hash.name != table.key.hash.name)
            return invalid_values(fmt::format(
                "Table KeySchema does not have a range key, which is required when specifying a "
                "LocalSecondaryIndex, or the index {} has another hash key",
                index.name));
    }
    if (local > limits::kLocalIndexes)
        return invalid_values("Number of LocalSecondaryIndexes exceeds per-table limit of 5");
    if (table.indexes.size() - local > limits::kGlobalIndexes)
        return invalid_values("GlobalSecondaryIndex count exceeds the per-table limit of 20");
    return {};
}

ApiStatus check_declared(const TableDefinition& table) {
    for (const auto& attribute : table.attributes) {
        bool is_used = table.key.has(attribute.name);
        for (const auto& index : table.indexes)
            is_used = is_used || index.key.has(attribute.name);
        if (!is_used)
            return invalid_values(
                fmt::format("Some AttributeDefinitions are not used. AttributeDefinitions: [{}], "
                            "keys used: [{}]",
                            fmt::join(names_of(table.attributes), ", "),
                            fmt::join(names_of(table.key.attributes()), ", ")));
    }
    return {};
}

}  // namespace

ApiResult<std::vector<KeyAttribute>> declared_attributes(const Value& request) {
    std::vector<KeyAttribute> declared;
    const Value* list = request.find("AttributeDefinitions");
    if (list == nullptr) return declared;
    for (const auto& one : *list->list()) {
        KeyAttribute attribute{std::string(one.text_or("AttributeName", "")), {}};
        if (!parse_kind(one.text_or("AttributeType", ""), attribute.kind) ||
            !Attribute{.kind = attribute.kind}.is_scalar())
            return invalid(fmt::format(
                "1 validation error detected: Value '{}' at "
                "'attributeDefinitions.{}.member.attributeType' failed to satisfy constraint: "
                "Member must satisfy enum value set: [B, N, S]",
                one.text_or("AttributeType", ""), declared.size() + 1));
        if (std::ranges::find(declared, attribute.name, &KeyAttribute::name) != declared.end())
            return invalid(
                fmt::format("Duplicate AttributeName in AttributeDefinitions: {}", attribute.name));
        declared.push_back(std::move(attribute));
    }
    return declared;
}

ApiResult<std::optional<Throughput>> throughput_of(const Value& request) {
    const Value* found = request.find("ProvisionedThroughput");
    if (found == nullptr) return std::nullopt;
    const Throughput made{found->integer_or("ReadCapacityUnits", 0),
                          found->integer_or("WriteCapacityUnits", 0)};
    if (made.read < 1 || made.write < 1)
        return invalid(fmt::format(
            "1 validation error detected: Value '{}' at "
            "'provisionedThroughput.{}' failed to satisfy constraint: Member must have value "
            "greater than or equal to 1",
            made.read < 1 ? made.read : made.write,
            made.read < 1 ? "readCapacityUnits" : "writeCapacityUnits"));
    return made;
}

ApiResult<IndexDefinition> index_of(const Value& index, const std::vector<KeyAttribute>& declared,
                                    bool is_local) {
    IndexDefinition made{.name = std::string(index.text_or("IndexName", "")), .key = {}};
    made.is_local = is_local;
    if (made.name.size() < 3 || made.name.size() > 255 || !matches(Pattern::Name, made.name))
        return invalid(
            "Invalid table/index name.  Table/index names must be between 3 and 255 characters "
            "long, and may contain only the characters a-z, A-Z, 0-9, '_', '-', and '.'");
    ASSIGN(made.key, key_schema_of(index, declared));
    ASSIGN(const auto throughput, throughput_of(index));
    made.throughput = throughput.value_or(Throughput{});
    const Value* projection = index.find("Projection");
    const std::string_view type =
        projection != nullptr ? projection->text_or("ProjectionType", "") : "";
    const auto* found = std::ranges::find(kProjections, type);
    if (found == std::end(kProjections))
        return invalid_values(type.empty() ? "Unknown ProjectionType: null"
                                           : fmt::format("Unknown ProjectionType: {}", type));
    made.projection = static_cast<Projection>(found - std::begin(kProjections));
    if (const auto* names = projection->find("NonKeyAttributes");
        names != nullptr && names->list() != nullptr) {
        if (made.projection != Projection::Include)
            return invalid_values(
                fmt::format("ProjectionType is {}, but NonKeyAttributes is specified", type));
        for (const auto& name : *names->list())
            if (name.text() != nullptr) made.included.push_back(*name.text());
    }
    return made;
}

ApiResult<TableDefinition> definition_of(const Value& request) {
    TableDefinition table{.name = std::string(request.text_or("TableName", "")), .key = {}};
    ASSIGN(table.attributes, declared_attributes(request));
    ASSIGN(table.key, key_schema_of(request, table.attributes));
    for (const bool is_local : {false, true}) {
        const auto* name = is_local ? "LocalSecondaryIndexes" : "GlobalSecondaryIndexes";
        const Value* list = request.find(name);
        if (list == nullptr) continue;
        if (list->list()->empty()) return invalid_values(fmt::format("List of {} is empty", name));
        for (const auto& one : *list->list()) {
            ASSIGN(IndexDefinition index, index_of(one, table.attributes, is_local));
            table.indexes.push_back(std::move(index));
        }
    }
    TRY(check_indexes(table));
    TRY(check_declared(table));
    ASSIGN(const auto throughput, throughput_of(request));
    table.is_on_demand = request.text_or("BillingMode", "PROVISIONED") == "PAY_PER_REQUEST";
    if (table.is_on_demand && throughput)
        return invalid_values(
            "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is "
            "PAY_PER_REQUEST");
    if (!table.is_on_demand && !throughput)
        return invalid_values(
            "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is "
            "PROVISIONED");
    table.throughput = throughput.value_or(Throughput{});
    table.is_protected = request.boolean_or("DeletionProtectionEnabled", false);
    table.table_class = request.text_or("TableClass", "");
    if (const auto* sse = request.find("SSESpecification");
        sse != nullptr && sse->boolean_or("Enabled", false))
        table.encryption = sse->text_or("SSEType", "KMS");
    if (const auto* tags = request.find("Tags"))
        for (const auto& tag : *tags->list())
            table.tags[std::string(tag.text_or("Key", ""))] = tag.text_or("Value", "");
    return table;
}

void write_description(const Call& call, DocumentWriter& out, const Table& table,
                       std::string_view status, std::string_view new_index) {
    const TableDefinition& definition = table.definition();
    out.begin_object().key("AttributeDefinitions").begin_array();
    for (const auto& attribute : definition.attributes) {
        out.begin_object().member("AttributeName", attribute.name);
        out.member("AttributeType", kind_name(attribute.kind)).end_object();
    }
    out.end_array().member("TableName", definition.name);
    write_key(out, definition.key);
    out.member("TableStatus", status).member("CreationDateTime", definition.created);
    write_throughput(out, definition.throughput);
    out.member("TableSizeBytes", table.bytes()).member("ItemCount", table.items().size());
    out.member("TableArn", call.table_arn(definition.name)).member("TableId", definition.id);
    if (definition.is_on_demand) {
        out.key("BillingModeSummary").begin_object().member("BillingMode", "PAY_PER_REQUEST");
        out.member("LastUpdateToPayPerRequestDateTime", definition.created).end_object();
    }
    write_indexes(call, out, table, true, status, new_index);
    write_indexes(call, out, table, false, status, new_index);
    if (!definition.encryption.empty()) {
        out.key("SSEDescription").begin_object().member("Status", "ENABLED");
        out.member("SSEType", definition.encryption).end_object();
    }
    if (!definition.table_class.empty()) {
        out.key("TableClassSummary").begin_object();
        out.member("TableClass", definition.table_class).end_object();
    }
    out.member("DeletionProtectionEnabled", definition.is_protected).end_object();
}

}  // namespace tidemill::dynamodb
