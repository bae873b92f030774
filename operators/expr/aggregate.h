#pragma once

#include <optional>
#include <string_view>

#include "operators/vector/value.h"

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
    StddevSamp,
    Any,    ///< of BOOLEAN: some value is true
    Every,  ///< of BOOLEAN: none is false
    // Only OVER a window.
    ExpAvg,
    FirstValue,
    LastValue,
    NthValue,
    Lag
};

constexpr bool needs_window(AggregateKind kind) { return kind >= AggregateKind::ExpAvg; }
/// Whether it is a value of one row of the window, not of all together.
constexpr bool is_of_one_row(AggregateKind kind) { return kind >= AggregateKind::FirstValue; }

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
    /// n of NTH_VALUE (from 1) and LAG (from 0); half-life of EXP_AVG in milliseconds.
    std::int64_t offset = 1;
    bool is_from_last = false;            ///< NTH_VALUE ... FROM LAST
    bool ignores_nulls = false;           ///< rows with NULL do not count; FIRST_VALUE ... LAG
    bool is_distinct = false;             ///< each value counts once
    bool takes_back = false;              ///< rows may be taken back (over a changelog)
    std::optional<std::size_t> filter{};  ///< BOOLEAN column; only rows where it is true count
    Value otherwise{};                    ///< of LAG, where the window has no such row
};

}  // namespace tidemill::sql
