#include "operators/expr/aggregate.h"

namespace tidemill::sql {

namespace {

struct Entry {
    std::string_view name;
    AggregateKind kind;
};
constexpr Entry kNames[] = {{"COUNT", AggregateKind::Count},
                            {"SUM", AggregateKind::Sum},
                            {"AVG", AggregateKind::Avg},
                            {"MIN", AggregateKind::Min},
                            {"MAX", AggregateKind::Max},
                            {"VAR_POP", AggregateKind::VarPop},
                            {"VAR_SAMP", AggregateKind::VarSamp},
                            {"STDDEV_POP", AggregateKind::StddevPop},
                            {"STDDEV_SAMP", AggregateKind::StddevSamp},
                            {"STDDEV", AggregateKind::StddevSamp},
                            {"ANY", AggregateKind::Any},
                            {"SOME", AggregateKind::Any},
                            {"EVERY", AggregateKind::Every},
                            {"EXP_AVG", AggregateKind::ExpAvg},
                            {"FIRST_VALUE", AggregateKind::FirstValue},
                            {"LAST_VALUE", AggregateKind::LastValue},
                            {"NTH_VALUE", AggregateKind::NthValue},
                            {"LAG", AggregateKind::Lag},
                            {"COUNT(*)", AggregateKind::CountAll}};

}  // namespace

std::optional<AggregateKind> aggregate_kind(std::string_view name) {
    for (const auto& entry : kNames)
        if (entry.name == name) return entry.kind;
    return std::nullopt;
}

std::string_view aggregate_name(AggregateKind kind) {
    for (const auto& entry : kNames)
        if (entry.kind == kind) return entry.name;
    return "?";
}

std::optional<AggregateSignature> resolve_aggregate(AggregateKind kind, const Type& argument) {
    const Type type = argument.kind == TypeKind::Null ? Type(TypeKind::Integer) : argument;
    switch (kind) {
        case AggregateKind::CountAll:
        case AggregateKind::Count:
            return AggregateSignature{argument, TypeKind::BigInt};
        case AggregateKind::Min:
        case AggregateKind::Max:
        case AggregateKind::FirstValue:
        case AggregateKind::LastValue:
        case AggregateKind::NthValue:
        case AggregateKind::Lag:
            return AggregateSignature{type, type};
        case AggregateKind::Any:
        case AggregateKind::Every:
            if (argument.family() != Family::Boolean && argument.kind != TypeKind::Null)
                return std::nullopt;
            return AggregateSignature{TypeKind::Boolean, TypeKind::Boolean};
        case AggregateKind::Sum:
            if (type.is_integer()) return AggregateSignature{TypeKind::BigInt, TypeKind::BigInt};
            if (type.kind == TypeKind::Decimal) {
                const auto sum = Type::decimal(kMaxDecimalPrecision, type.scale);
                return AggregateSignature{sum, sum};
            }
            if (type.is_approximate())
                return AggregateSignature{TypeKind::Double, TypeKind::Double};
            if (type.kind == TypeKind::Interval) return AggregateSignature{type, type};
            return std::nullopt;
        default:
            if (!type.is_numeric()) return std::nullopt;
            return AggregateSignature{TypeKind::Double, TypeKind::Double};
    }
}

}  // namespace tidemill::sql
