#include "engine/dynamodb/operations.h"

#include <algorithm>

#include "engine/dynamodb/shapes.h"

namespace tidemill::dynamodb {
namespace {

// The busiest first: the search is linear.
constexpr Operation kOperations[] = {
    {"UpdateItem", &shapes::kUpdateItem, update_item},
    {"GetItem", &shapes::kGetItem, get_item},
    {"PutItem", &shapes::kPutItem, put_item},
    {"Query", &shapes::kQuery, query},
    {"Scan", &shapes::kScan, scan},
    {"DeleteItem", &shapes::kDeleteItem, delete_item},
    {"BatchGetItem", &shapes::kBatchGetItem, batch_get_item},
    {"BatchWriteItem", &shapes::kBatchWriteItem, batch_write_item},
    {"TransactWriteItems", &shapes::kTransactItems, transact_write_items},
    {"TransactGetItems", &shapes::kTransactItems, transact_get_items},
    {"DescribeTable", &shapes::kTable, describe_table},
    {"CreateTable", &shapes::kCreateTable, create_table},
    {"UpdateTable", &shapes::kUpdateTable, update_table},
    {"DeleteTable", &shapes::kTable, delete_table},
    {"ListTables", &shapes::kListTables, list_tables},
    {"DescribeContinuousBackups", &shapes::kTable, describe_continuous_backups},
    {"UpdateContinuousBackups", &shapes::kUpdateContinuousBackups, update_continuous_backups},
    {"DescribeTimeToLive", &shapes::kTable, describe_time_to_live},
    {"UpdateTimeToLive", &shapes::kUpdateTimeToLive, update_time_to_live},
    {"TagResource", &shapes::kTagResource, tag_resource},
    {"UntagResource", &shapes::kUntagResource, untag_resource},
    {"ListTagsOfResource", &shapes::kListTagsOfResource, list_tags_of_resource},
    {"DescribeLimits", &shapes::kNothing, describe_limits}};

constexpr std::string_view kNotServed[] = {"BatchExecuteStatement",
                                           "CreateBackup",
                                           "CreateGlobalTable",
                                           "DeleteBackup",
                                           "DeleteResourcePolicy",
                                           "DescribeBackup",
                                           "DescribeContributorInsights",
                                           "DescribeEndpoints",
                                           "DescribeExport",
                                           "DescribeGlobalTable",
                                           "DescribeGlobalTableSettings",
                                           "DescribeImport",
                                           "DescribeKinesisStreamingDestination",
                                           "DescribeTableReplicaAutoScaling",
                                           "DisableKinesisStreamingDestination",
                                           "EnableKinesisStreamingDestination",
                                           "ExecuteStatement",
                                           "ExecuteTransaction",
                                           "ExportTableToPointInTime",
                                           "GetResourcePolicy",
                                           "ImportTable",
                                           "ListBackups",
                                           "ListContributorInsights",
                                           "ListExports",
                                           "ListGlobalTables",
                                           "ListImports",
                                           "PutResourcePolicy",
                                           "RestoreTableFromBackup",
                                           "RestoreTableToPointInTime",
                                           "UpdateContributorInsights",
                                           "UpdateGlobalTable",
                                           "UpdateGlobalTableSettings",
                                           "UpdateKinesisStreamingDestination",
                                           "UpdateTableReplicaAutoScaling"};

}  // namespace

const Operation* find_operation(std::string_view name) {
    const auto* found = std::ranges::find(kOperations, name, &Operation::name);
    return found == std::end(kOperations) ? nullptr : found;
}

bool is_known_operation(std::string_view name) {
    return std::ranges::find(kNotServed, name) != std::end(kNotServed);
}

}  // namespace tidemill::dynamodb
