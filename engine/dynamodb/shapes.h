#pragma once

#include "engine/aws/shape.h"

/// What requests look like, but for attribute values and what is within maps of them, which
/// attribute_json.h checks. Source: the DynamoDB service model, version 2012-08-10.
namespace tidemill::dynamodb::shapes {

extern const aws::Shape kPutItem, kUpdateItem, kDeleteItem, kGetItem, kQuery, kScan, kBatchGetItem,
    kBatchWriteItem, kTransactItems, kCreateTable, kUpdateTable, kTable, kListTables,
    kUpdateContinuousBackups, kUpdateTimeToLive, kTagResource, kUntagResource, kListTagsOfResource,
    kNothing;

}  // namespace tidemill::dynamodb::shapes
