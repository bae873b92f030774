#pragma once

#include <optional>
#include <string_view>

#include "operators/vector/type.h"

namespace tidemill::sql {

enum class AggregateKind : std::uint8_t {
    CountAll,
    Count,
    Sum,
    Avg,
    Min,
    Max,
    VarPop,
    VarSamp,
    StddevPop,
    StddevSamp
};

/// By upper-case name (COUNT means Count; the binder turns COUNT(*) into CountAll).
std::optional<AggregateKind> aggregate_kind(std::string_view name);
std::string_view aggregate_name(AggregateKind kind);

struct AggregateSignature {
    Type parameter;  ///< the argument is brought to this first
    Type result;
};
/// Nothing if the aggregate does not take such values. Sums of integers are BIGINT; AVG, variances
/// and deviations are DOUBLE, also of integers, and become whole again where they are stored in an
/// integer column.
std::optional<AggregateSignature> resolve_aggregate(AggregateKind kind, const Type& argument);

/// An aggregate in a plan: which column of its input it works on.
struct AggregateCall {
    AggregateKind kind;
    std::size_t argument = 0;  ///< column; unused by CountAll
    Type parameter, result;
};

}  // namespace tidemill::sql
