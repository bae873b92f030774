#pragma once

#include <cstdint>

#include "engine/base/result.h"
#include "operators/vector/batch.h"
#include "operators/vector/schema.h"

namespace tidemill::sql {

/// Where rows go. Twin of Source.
/// Threads: one caller.
class Sink {
 public:
    virtual ~Sink() = default;

    /// Takes the rows of `batch`, whose columns are those of `schema`, and copies what it keeps.
    virtual Status write(const Schema& schema, const Batch& batch) = 0;
    /// No later row has a ROWTIME below `rowtime_bound`.
    virtual void advance(std::int64_t rowtime_bound) = 0;
    /// Everything written so far is where it belongs when this returns.
    virtual Status flush() = 0;
};

}  // namespace tidemill::sql
