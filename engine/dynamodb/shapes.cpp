#include "engine/dynamodb/shapes.h"

#include "engine/dynamodb/table_limits.h"

namespace tidemill::dynamodb::shapes {
namespace {

using aws::Member;
using aws::Pattern;
using aws::Shape;
using aws::Type;

constexpr std::string_view kReturnValues[] = {"ALL_NEW", "UPDATED_OLD", "ALL_OLD", "NONE",
                                              "UPDATED_NEW"};
constexpr std::string_view kOnFailure[] = {"ALL_OLD", "NONE"};
constexpr std::string_view kCapacity[] = {"INDEXES", "TOTAL", "NONE"};
constexpr std::string_view kCollection[] = {"SIZE", "NONE"};
constexpr std::string_view kOperators[] = {"OR", "AND"};
constexpr std::string_view kSelect[] = {"SPECIFIC_ATTRIBUTES", "COUNT", "ALL_ATTRIBUTES",
                                        "ALL_PROJECTED_ATTRIBUTES"};
constexpr std::string_view kBilling[] = {"PROVISIONED", "PAY_PER_REQUEST"};
constexpr std::string_view kClasses[] = {"STANDARD", "STANDARD_INFREQUENT_ACCESS"};

constexpr Shape kAny{};  // a structure or map of which only that much is checked

constexpr Member table_name() {
    return {.name = "TableName", .is_required = true, .min = 1, .max = 1024};
}
constexpr Member text(std::string_view name) { return {.name = name}; }
constexpr Member flag(std::string_view name) { return {.name = name, .type = Type::Boolean}; }
constexpr Member one_of(std::string_view name, std::span<const std::string_view> values) {
    return {.name = name, .one_of = values};
}
constexpr Member map(std::string_view name, bool is_required = false) {
    return {.name = name, .type = Type::Structure, .is_required = is_required, .shape = &kAny};
}
constexpr Member names(std::string_view name, bool is_required = false) {
    return {.name = name, .type = Type::List, .is_required = is_required};
}
constexpr Member count(std::string_view name, std::int64_t min, std::int64_t max = INT64_MAX) {
    return {.name = name, .type = Type::Integer, .min = min, .max = max};
}
constexpr Member capacity() { return one_of("ReturnConsumedCapacity", kCapacity); }
constexpr Member collection() { return one_of("ReturnItemCollectionMetrics", kCollection); }

constexpr Member kPutItemMembers[] = {table_name(),
                                      map("Item", true),
                                      map("Expected"),
                                      one_of("ReturnValues", kReturnValues),
                                      capacity(),
                                      collection(),
                                      one_of("ConditionalOperator", kOperators),
                                      text("ConditionExpression"),
                                      map("ExpressionAttributeNames"),
                                      map("ExpressionAttributeValues"),
                                      one_of("ReturnValuesOnConditionCheckFailure", kOnFailure)};
constexpr Member kUpdateItemMembers[] = {table_name(),
                                         map("Key", true),
                                         map("AttributeUpdates"),
                                         map("Expected"),
                                         one_of("ReturnValues", kReturnValues),
                                         capacity(),
                                         collection(),
                                         one_of("ConditionalOperator", kOperators),
                                         text("UpdateExpression"),
                                         text("ConditionExpression"),
                                         map("ExpressionAttributeNames"),
                                         map("ExpressionAttributeValues"),
                                         one_of("ReturnValuesOnConditionCheckFailure", kOnFailure)};
constexpr Member kDeleteItemMembers[] = {table_name(),
                                         map("Key", true),
                                         map("Expected"),
                                         one_of("ReturnValues", kReturnValues),
                                         capacity(),
                                         collection(),
                                         one_of("ConditionalOperator", kOperators),
                                         text("ConditionExpression"),
                                         map("ExpressionAttributeNames"),
                                         map("ExpressionAttributeValues"),
                                         one_of("ReturnValuesOnConditionCheckFailure", kOnFailure)};
constexpr Member kGetItemMembers[] = {table_name(),
                                      map("Key", true),
                                      names("AttributesToGet"),
                                      flag("ConsistentRead"),
                                      capacity(),
                                      text("ProjectionExpression"),
                                      map("ExpressionAttributeNames")};
constexpr Member kQueryMembers[] = {table_name(),
                                    text("IndexName"),
                                    one_of("Select", kSelect),
                                    names("AttributesToGet"),
                                    count("Limit", 1),
                                    flag("ConsistentRead"),
                                    map("KeyConditions"),
                                    map("QueryFilter"),
                                    one_of("ConditionalOperator", kOperators),
                                    flag("ScanIndexForward"),
                                    map("ExclusiveStartKey"),
                                    capacity(),
                                    text("ProjectionExpression"),
                                    text("FilterExpression"),
                                    text("KeyConditionExpression"),
                                    map("ExpressionAttributeNames"),
                                    map("ExpressionAttributeValues")};
constexpr Member kScanMembers[] = {table_name(),
                                   text("IndexName"),
                                   names("AttributesToGet"),
                                   count("Limit", 1),
                                   one_of("Select", kSelect),
                                   map("ScanFilter"),
                                   one_of("ConditionalOperator", kOperators),
                                   map("ExclusiveStartKey"),
                                   capacity(),
                                   count("TotalSegments", 1, 1'000'000),
                                   count("Segment", 0, 999'999),
                                   text("ProjectionExpression"),
                                   text("FilterExpression"),
                                   map("ExpressionAttributeNames"),
                                   map("ExpressionAttributeValues"),
                                   flag("ConsistentRead")};
constexpr Member kBatchGetItemMembers[] = {map("RequestItems", true), capacity()};
constexpr Member kBatchWriteItemMembers[] = {map("RequestItems", true), capacity(), collection()};
constexpr Member kTransactMembers[] = {{.name = "TransactItems",
                                        .type = Type::List,
                                        .is_required = true,
                                        .min = 1,
                                        .max = static_cast<std::int64_t>(limits::kTransactionItems),
                                        .shape = &kAny},
                                       capacity(),
                                       collection(),
                                       {.name = "ClientRequestToken", .min = 1, .max = 36}};

constexpr Member kThroughputMembers[] = {
    {.name = "ReadCapacityUnits", .type = Type::Integer, .is_required = true},
    {.name = "WriteCapacityUnits", .type = Type::Integer, .is_required = true}};
constexpr Shape kThroughput{kThroughputMembers};
constexpr Member throughput() {
    return {.name = "ProvisionedThroughput", .type = Type::Structure, .shape = &kThroughput};
}
constexpr Member kKeyMembers[] = {
    {.name = "AttributeName", .is_required = true, .min = 1, .max = 255},
    {.name = "KeyType", .is_required = true}};
constexpr Shape kKey{kKeyMembers};
constexpr Member key_schema(bool is_required) {
    return {.name = "KeySchema",
            .type = Type::List,
            .is_required = is_required,
            .min = 1,
            .max = 2,
            .shape = &kKey};
}
constexpr Member kDeclaredMembers[] = {
    {.name = "AttributeName", .is_required = true, .min = 1, .max = 255},
    {.name = "AttributeType", .is_required = true}};
constexpr Shape kDeclared{kDeclaredMembers};
constexpr Member declared(bool is_required) {
    return {.name = "AttributeDefinitions",
            .type = Type::List,
            .is_required = is_required,
            .shape = &kDeclared};
}
constexpr Member kProjectionMembers[] = {text("ProjectionType"), names("NonKeyAttributes")};
constexpr Shape kProjection{kProjectionMembers};
constexpr Member kIndexMembers[] = {
    {.name = "IndexName", .is_required = true, .min = 3, .max = 255, .pattern = Pattern::Name},
    key_schema(true),
    {.name = "Projection", .type = Type::Structure, .is_required = true, .shape = &kProjection},
    throughput()};
constexpr Shape kIndex{kIndexMembers};
constexpr Member indexes(std::string_view name) {
    return {.name = name, .type = Type::List, .shape = &kIndex};
}
constexpr Member kSseMembers[] = {flag("Enabled"), text("SSEType"), text("KMSMasterKeyId")};
constexpr Shape kSse{kSseMembers};
constexpr Member sse() {
    return {.name = "SSESpecification", .type = Type::Structure, .shape = &kSse};
}
constexpr Member kTagMembers[] = {{.name = "Key", .is_required = true, .min = 1, .max = 128},
                                  {.name = "Value", .is_required = true, .min = 0, .max = 256}};
constexpr Shape kTag{kTagMembers};
constexpr Member tags(bool is_required) {
    return {.name = "Tags", .type = Type::List, .is_required = is_required, .shape = &kTag};
}
constexpr Member kCreateTableMembers[] = {
    declared(true),
    {.name = "TableName", .is_required = true, .min = 3, .max = 255, .pattern = Pattern::Name},
    key_schema(true),
    indexes("LocalSecondaryIndexes"),
    indexes("GlobalSecondaryIndexes"),
    one_of("BillingMode", kBilling),
    throughput(),
    map("StreamSpecification"),
    sse(),
    tags(false),
    one_of("TableClass", kClasses),
    flag("DeletionProtectionEnabled"),
    map("OnDemandThroughput"),
    map("WarmThroughput")};

constexpr Member kNewIndexMembers[] = {
    {.name = "Create", .type = Type::Structure, .shape = &kIndex}, map("Update"), map("Delete")};
constexpr Shape kIndexUpdate{kNewIndexMembers};
constexpr Member kUpdateTableMembers[] = {
    declared(false),
    table_name(),
    one_of("BillingMode", kBilling),
    throughput(),
    {.name = "GlobalSecondaryIndexUpdates", .type = Type::List, .shape = &kIndexUpdate},
    map("StreamSpecification"),
    sse(),
    one_of("TableClass", kClasses),
    flag("DeletionProtectionEnabled")};

constexpr Member kTableMembers[] = {table_name()};
constexpr Member kListTablesMembers[] = {
    {.name = "ExclusiveStartTableName", .min = 3, .max = 255, .pattern = Pattern::Name},
    count("Limit", 1, 100)};
constexpr Member kRecoveryMembers[] = {
    {.name = "PointInTimeRecoveryEnabled", .type = Type::Boolean, .is_required = true}};
constexpr Shape kRecovery{kRecoveryMembers};
constexpr Member kBackupsMembers[] = {table_name(),
                                      {.name = "PointInTimeRecoverySpecification",
                                       .type = Type::Structure,
                                       .is_required = true,
                                       .shape = &kRecovery}};
constexpr Member kExpiryMembers[] = {
    {.name = "Enabled", .type = Type::Boolean, .is_required = true},
    {.name = "AttributeName", .is_required = true, .min = 1, .max = 255}};
constexpr Shape kExpiry{kExpiryMembers};
constexpr Member kTimeToLiveMembers[] = {table_name(),
                                         {.name = "TimeToLiveSpecification",
                                          .type = Type::Structure,
                                          .is_required = true,
                                          .shape = &kExpiry}};
constexpr Member arn() {
    return {.name = "ResourceArn", .is_required = true, .min = 1, .max = 1283};
}
constexpr Member kTagResourceMembers[] = {arn(), tags(true)};
constexpr Member kUntagResourceMembers[] = {arn(), names("TagKeys", true)};
constexpr Member kListTagsMembers[] = {arn(), text("NextToken")};

}  // namespace

const Shape kPutItem{kPutItemMembers};
const Shape kUpdateItem{kUpdateItemMembers};
const Shape kDeleteItem{kDeleteItemMembers};
const Shape kGetItem{kGetItemMembers};
const Shape kQuery{kQueryMembers};
const Shape kScan{kScanMembers};
const Shape kBatchGetItem{kBatchGetItemMembers};
const Shape kBatchWriteItem{kBatchWriteItemMembers};
const Shape kTransactItems{kTransactMembers};
const Shape kCreateTable{kCreateTableMembers};
const Shape kUpdateTable{kUpdateTableMembers};
const Shape kTable{kTableMembers};
const Shape kListTables{kListTablesMembers};
const Shape kUpdateContinuousBackups{kBackupsMembers};
const Shape kUpdateTimeToLive{kTimeToLiveMembers};
const Shape kTagResource{kTagResourceMembers};
const Shape kUntagResource{kUntagResourceMembers};
const Shape kListTagsOfResource{kListTagsMembers};
const Shape kNothing{};

}  // namespace tidemill::dynamodb::shapes
