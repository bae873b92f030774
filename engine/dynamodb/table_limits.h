#pragma once

#include <cstddef>

#include "engine/base/bytes.h"

/// Source: the Developer Guide, "Quotas in Amazon DynamoDB", but for kTablesBytes and kTables.
namespace tidemill::dynamodb::limits {

constexpr std::size_t kItemBytes = 400_KiB;
constexpr std::size_t kHashKeyBytes = 2048, kRangeKeyBytes = 1024;
constexpr std::size_t kAttributeNameBytes = 65535;
constexpr int kNestingLevels = 32;
constexpr std::size_t kExpressionBytes = 4096;
constexpr std::size_t kExpressionOperators = 300;
constexpr std::size_t kPageBytes = 1_MiB;  ///< what one Query or Scan reads
constexpr std::size_t kBatchGetBytes = 16_MiB;
constexpr std::size_t kBatchGetItems = 100, kBatchWriteItems = 25, kTransactionItems = 100;
constexpr std::size_t kTransactionBytes = 4_MiB;
constexpr std::size_t kGlobalIndexes = 20, kLocalIndexes = 5;

/// All tables are in memory, too: their items as DynamoDB counts them, and kItemOverhead for each.
constexpr std::size_t kTablesBytes = 256_MiB;
constexpr std::size_t kItemOverhead = 256;
constexpr std::size_t kTables = 2500;
/// Tokens of transactions that are remembered, each for ten minutes.
constexpr std::size_t kTransactionTokens = 10'000;

static_assert(kItemBytes < kTransactionBytes && kItemBytes < kPageBytes);

}  // namespace tidemill::dynamodb::limits
