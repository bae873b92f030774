#pragma once

#include <memory>
#include <vector>

#include "operators/exec/reference_table.h"
#include "operators/exec/relay.h"
#include "operators/plan/plan.h"

namespace tidemill::sql {

struct ForestDefaults {
    std::uint64_t seed = 42;
    bool is_kda_score = true;
    std::uint64_t budget = 1 << 30;  ///< bytes of all models of one call
};

/// The operators of one pump, in an order that never changes for the same SQL (snapshots rely on
/// it), with the ends tied to the relays of the streams. Consumes the plan.
std::vector<std::unique_ptr<Operator>> build_pump(ExecContext& context, PumpPlan& pump,
                                                  std::vector<std::unique_ptr<Relay>>& relays,
                                                  const ReferenceTables& tables,
                                                  const ForestDefaults& forests);

}  // namespace tidemill::sql
