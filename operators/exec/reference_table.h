#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "operators/vector/batch.h"
#include "operators/vector/schema.h"

namespace tidemill::sql {

/// A reference table at run time. Its rows are exchanged as a whole, between two batches.
struct ReferenceTable {
    std::string name;
    Schema schema;
    std::shared_ptr<const RowBatch> rows;
    std::uint64_t version = 0;  ///< counts exchanges
};

/// In the order of the catalog; they stay in place.
using ReferenceTables = std::vector<std::unique_ptr<ReferenceTable>>;

}  // namespace tidemill::sql
