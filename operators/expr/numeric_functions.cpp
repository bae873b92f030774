#include <cmath>

#include "operators/expr/arithmetic.h"
#include "operators/expr/function.h"
#include "operators/vector/time_text.h"

namespace tidemill::sql {

namespace {

using Types = std::span<const Type>;

bool is_number(const Type& type) { return type.is_numeric() || type.kind == TypeKind::Null; }
// A bare NULL stands where a whole number might.
Type number_type(const Type& type) {
    return type.kind == TypeKind::Null ? Type(TypeKind::Integer) : type;
}

template <double (*f)(double)>
void map_double(const KernelCall& call) {
    call.rows.for_each([&](std::size_t i) {
        const double value = f(call.args[0]->double_at(i));
        if (!std::isfinite(value))
            return call.fail(i, "NUMERIC_DOMAIN",
                             "The argument is outside of the function's domain.");
        call.out.set_double(i, value);
    });
}

template <double (*f)(double)>
std::optional<Signature> resolve_double(Types args) {
    if (!args[0].is_numeric() && args[0].kind != TypeKind::Null) return std::nullopt;
    return Signature{{TypeKind::Double}, TypeKind::Double, map_double<f>};
}

double exp_of(double x) { return std::exp(x); }
double ln_of(double x) { return std::log(x); }
double log10_of(double x) { return std::log10(x); }
double sqrt_of(double x) { return std::sqrt(x); }

void abs_integer(const KernelCall& call) {
    const auto range = integer_range(call.out.type().kind);
    call.rows.for_each([&](std::size_t i) {
        const auto value = call.args[0]->int_at(i);
        if (value == range.low)
            return call.fail(i, "NUMERIC_OVERFLOW", "ABS of the smallest value does not fit.");
        call.out.set_int(i, value < 0 ? -value : value);
    });
}
void abs_double(const KernelCall& call) {
    call.rows.for_each(
        [&](std::size_t i) { call.out.set_double(i, std::fabs(call.args[0]->double_at(i))); });
}
std::optional<Signature> resolve_abs(Types given) {
    const Type args[] = {number_type(given[0])};
    if (args[0].is_approximate()) return Signature{{args[0]}, args[0], abs_double};
    if (args[0].is_numeric() || args[0].kind == TypeKind::Interval)
        return Signature{{args[0]}, args[0], abs_integer};
    return std::nullopt;
}

// FLOOR and CEIL of numbers keep the type, but for DECIMAL, which loses its scale.
template <bool is_ceil>
void round_double(const KernelCall& call) {
    call.rows.for_each([&](std::size_t i) {
        const double value = call.args[0]->double_at(i);
        call.out.set_double(i, is_ceil ? std::ceil(value) : std::floor(value));
    });
}
template <bool is_ceil>
void round_exact(const KernelCall& call) {
    const auto factor = power_of_ten(call.args[0]->type().scale);
    call.rows.for_each([&](std::size_t i) {
        const auto value = call.args[0]->int_at(i);
        call.out.set_int(i, is_ceil ? -floor_div(-value, factor) : floor_div(value, factor));
    });
}
template <bool is_ceil>
std::optional<Signature> resolve_round(Types given) {
    const Type args[] = {number_type(given[0])};
    if (args[0].is_approximate()) return Signature{{args[0]}, args[0], round_double<is_ceil>};
    if (!args[0].is_numeric()) return std::nullopt;
    const Type result =
        args[0].kind == TypeKind::Decimal ? Type::decimal(args[0].precision, 0) : args[0];
    return Signature{{args[0]}, result, round_exact<is_ceil>};
}

void power(const KernelCall& call) {
    call.rows.for_each([&](std::size_t i) {
        const double value = std::pow(call.args[0]->double_at(i), call.args[1]->double_at(i));
        if (!std::isfinite(value))
            return call.fail(i, "NUMERIC_DOMAIN", "POWER has no finite result here.");
        call.out.set_double(i, value);
    });
}
std::optional<Signature> resolve_power(Types args) {
    if (!is_number(args[0]) || !is_number(args[1])) return std::nullopt;
    return Signature{{TypeKind::Double, TypeKind::Double}, TypeKind::Double, power};
}

std::optional<Signature> resolve_mod(Types args) {
    if (!is_number(args[0]) || !is_number(args[1])) return std::nullopt;
    return resolve_arithmetic('%', args[0], args[1]);
}

// STEP(x BY i): the multiple of i at or below x; for times multiples count from the epoch.
void step_integer(const KernelCall& call) {
    call.rows.for_each([&](std::size_t i) {
        const auto step = call.args[1]->int_at(i);
        if (step <= 0) return call.fail(i, "INVALID_STEP", "STEP must be above zero.");
        call.out.set_int(i, floor_div(call.args[0]->int_at(i), step) * step);
    });
}
std::optional<Signature> resolve_step(Types given) {
    const bool is_null = given[0].kind == TypeKind::Null;
    const Type first = !is_null                              ? given[0]
                       : given[1].kind == TypeKind::Interval ? Type(TypeKind::Timestamp)
                                                             : Type(TypeKind::Integer);
    const Type args[] = {first, given[1]};
    const bool is_moment = args[0].kind == TypeKind::Timestamp || args[0].kind == TypeKind::Date ||
                           args[0].kind == TypeKind::Time;
    if (is_moment && args[1].kind == TypeKind::Interval)
        return Signature{{args[0], args[1]}, args[0], step_integer};
    if (args[0].is_integer() && args[1].is_integer()) {
        const auto type = *common_type(args[0], args[1]);
        return Signature{{type, type}, type, step_integer};
    }
    return std::nullopt;
}

constexpr Function kTable[] = {
    {"ABS", 1, 1, resolve_abs, "ABS(number)"},
    {"CEIL", 1, 1, resolve_round<true>, "CEIL(number) or CEIL(time TO unit)"},
    {"FLOOR", 1, 1, resolve_round<false>, "FLOOR(number) or FLOOR(time TO unit)"},
    {"EXP", 1, 1, resolve_double<exp_of>, "EXP(number)"},
    {"LN", 1, 1, resolve_double<ln_of>, "LN(number)"},
    {"LOG10", 1, 1, resolve_double<log10_of>, "LOG10(number)"},
    {"SQRT", 1, 1, resolve_double<sqrt_of>, "SQRT(number)"},
    {"MOD", 2, 2, resolve_mod, "MOD(number, number)"},
    {"POWER", 2, 2, resolve_power, "POWER(number, number)"},
    {"STEP", 2, 2, resolve_step, "STEP(time BY interval) or STEP(integer BY integer)"},
};

}  // namespace

std::span<const Function> numeric_functions() { return kTable; }

}  // namespace tidemill::sql
