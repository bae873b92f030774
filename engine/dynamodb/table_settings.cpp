// What is remembered of a table and shown again: recovery, expiry, tags; and the account's limits.
#include <fmt/format.h>

#include "engine/base/result.h"
#include "engine/dynamodb/operations.h"
#include "engine/dynamodb/table_limits.h"

namespace tidemill::dynamodb {
namespace {

constexpr std::size_t kTagsMax = 50;

void write_backups(Call& call, const Table& table) {
    const bool is_on = table.definition().has_recovery;
    auto out = call.answer();
    out.begin_object().key("ContinuousBackupsDescription").begin_object();
    out.member("ContinuousBackupsStatus", "ENABLED");
    out.key("PointInTimeRecoveryDescription").begin_object();
    out.member("PointInTimeRecoveryStatus", is_on ? "ENABLED" : "DISABLED");
    if (is_on) {
        out.member("EarliestRestorableDateTime", table.definition().created);
        out.member("LatestRestorableDateTime", call.now);
    }
    out.end_object().end_object().end_object();
}

ApiResult<Table*> backed_up_table(Call& call) {
    const auto name = table_name_of(call.input.text_or("TableName", ""));
    Table* table = call.tables.find(call.account, name);
    if (table == nullptr)
        return refuse("TableNotFoundException", fmt::format("Table not found: {}", name));
    return table;
}

ApiResult<Table*> tagged_table(Call& call) {
    const std::string_view arn = call.input.text_or("ResourceArn", "");
    if (!arn.starts_with("arn:") || arn.find(":table/") == std::string_view::npos)
        return invalid(
            fmt::format("Invalid TableArn: Invalid ResourceArn provided as input {}", arn));
    Table* table = call.tables.find(call.account, table_name_of(arn));
    if (table == nullptr)
        return refuse("ResourceNotFoundException",
                      fmt::format("Requested resource not found: ResourcArn: {} not found", arn));
    return table;
}

}  // namespace

ApiStatus describe_continuous_backups(Call& call) {
    ASSIGN(const Table* table, backed_up_table(call));
    write_backups(call, *table);
    return {};
}

ApiStatus update_continuous_backups(Call& call) {
    ASSIGN(Table * table, backed_up_table(call));
    TableDefinition definition = table->definition();
    definition.has_recovery = call.input.find("PointInTimeRecoverySpecification")
                                  ->boolean_or("PointInTimeRecoveryEnabled", false);
    call.tables.redefine(*table, std::move(definition));
    write_backups(call, *table);
    return {};
}

ApiStatus describe_time_to_live(Call& call) {
    ASSIGN(const Table* table, find_table_by_name(call, call.input));
    const std::string& attribute = table->definition().expiry_attribute;
    auto out = call.answer();
    out.begin_object().key("TimeToLiveDescription").begin_object();
    out.member("TimeToLiveStatus", attribute.empty() ? "DISABLED" : "ENABLED");
    if (!attribute.empty()) out.member("AttributeName", attribute);
    out.end_object().end_object();
    return {};
}

ApiStatus update_time_to_live(Call& call) {
    ASSIGN(Table * table, find_table_by_name(call, call.input));
    const Value& wanted = *call.input.find("TimeToLiveSpecification");
    const bool is_on = wanted.boolean_or("Enabled", false);
    const std::string attribute(wanted.text_or("AttributeName", ""));
    TableDefinition definition = table->definition();
    if (attribute.empty()) return invalid("TimeToLiveSpecification has no AttributeName");
    if (is_on == !definition.expiry_attribute.empty())
        return invalid(is_on ? "TimeToLive is already enabled" : "TimeToLive is already disabled");
    definition.expiry_attribute = is_on ? attribute : "";
    call.tables.redefine(*table, std::move(definition));
    auto out = call.answer();
    out.begin_object().key("TimeToLiveSpecification").begin_object();
    out.member("Enabled", is_on).member("AttributeName", attribute).end_object().end_object();
    return {};
}

ApiStatus tag_resource(Call& call) {
    ASSIGN(Table * table, tagged_table(call));
    TableDefinition definition = table->definition();
    for (const auto& tag : *call.input.find("Tags")->list())
        definition.tags[std::string(tag.text_or("Key", ""))] = tag.text_or("Value", "");
    if (definition.tags.size() > kTagsMax)
        return refuse("LimitExceededException",
                      fmt::format("The number of tags exceeds the limit of {}", kTagsMax));
    call.tables.redefine(*table, std::move(definition));
    return {};
}

ApiStatus untag_resource(Call& call) {
    ASSIGN(Table * table, tagged_table(call));
    TableDefinition definition = table->definition();
    for (const auto& key : *call.input.find("TagKeys")->list())
        if (key.text() != nullptr) definition.tags.erase(*key.text());
    call.tables.redefine(*table, std::move(definition));
    return {};
}

ApiStatus list_tags_of_resource(Call& call) {
    ASSIGN(const Table* table, tagged_table(call));
    auto out = call.answer();
    out.begin_object().key("Tags").begin_array();
    for (const auto& [key, value] : table->definition().tags)
        out.begin_object().member("Key", key).member("Value", value).end_object();
    out.end_array().end_object();
    return {};
}

ApiStatus describe_limits(Call& call) {
    auto out = call.answer();
    out.begin_object();
    out.member("AccountMaxReadCapacityUnits", 80000).member("AccountMaxWriteCapacityUnits", 80000);
    out.member("TableMaxReadCapacityUnits", 40000).member("TableMaxWriteCapacityUnits", 40000);
    out.end_object();
    return {};
}

}  // namespace tidemill::dynamodb
