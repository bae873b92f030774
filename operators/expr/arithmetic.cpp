#include "operators/expr/arithmetic.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "operators/vector/time_text.h"

namespace tidemill::sql {

namespace {

__extension__ using wide = __int128;

struct Add {
    static bool overflows(std::int64_t a, std::int64_t b, std::int64_t* r) {
        return __builtin_add_overflow(a, b, r);
    }
    static double apply(double a, double b) { return a + b; }
};
struct Subtract {
    static bool overflows(std::int64_t a, std::int64_t b, std::int64_t* r) {
        return __builtin_sub_overflow(a, b, r);
    }
    static double apply(double a, double b) { return a - b; }
};
struct Multiply {
    static bool overflows(std::int64_t a, std::int64_t b, std::int64_t* r) {
        return __builtin_mul_overflow(a, b, r);
    }
    static double apply(double a, double b) { return a * b; }
};

void fail_overflow(const KernelCall& call, std::size_t row) {
    call.fail(row, "NUMERIC_OVERFLOW",
              fmt::format("A result does not fit {}.", call.out.type().to_string()));
}

// Rows whose result leaves the range of the result type. A first pass only says whether there are
// any.
template <class Op>
void integer_kernel(const KernelCall& call) {
    const auto& a = *call.args[0];
    const auto& b = *call.args[1];
    const auto *as = a.slots(), *bs = b.slots();
    const auto am = a.row_mask(), bm = b.row_mask();
    auto* out = call.out.slots();
    const auto range = integer_range(call.out.type().kind);
    bool is_bad = false;
    call.rows.for_each([&](std::size_t i) {
        std::int64_t r;
        is_bad |= Op::overflows(as[i & am], bs[i & bm], &r) || r < range.low || r > range.high;
        out[i] = r;
    });
    if (!is_bad) return;
    call.rows.for_each([&](std::size_t i) {
        std::int64_t r;
        if (Op::overflows(as[i & am], bs[i & bm], &r) || r < range.low || r > range.high)
            fail_overflow(call, i);
    });
}

template <class Op>
void double_kernel(const KernelCall& call) {
    const auto &a = *call.args[0], &b = *call.args[1];
    auto& out = call.out;
    call.rows.for_each(
        [&](std::size_t i) { out.set_double(i, Op::apply(a.double_at(i), b.double_at(i))); });
}

void fail_zero(const KernelCall& call, std::size_t row) {
    call.fail(row, "DIVISION_BY_ZERO", "Division by zero.");
}

void integer_divide(const KernelCall& call) {
    const auto range = integer_range(call.out.type().kind);
    call.rows.for_each([&](std::size_t i) {
        const auto a = call.args[0]->int_at(i), b = call.args[1]->int_at(i);
        if (b == 0) return fail_zero(call, i);
        if (b == -1 && a == range.low) return fail_overflow(call, i);
        call.out.set_int(i, a / b);
    });
}

void double_divide(const KernelCall& call) {
    call.rows.for_each([&](std::size_t i) {
        const auto b = call.args[1]->double_at(i);
        if (b == 0) return fail_zero(call, i);
        call.out.set_double(i, call.args[0]->double_at(i) / b);
    });
}

void integer_modulo(const KernelCall& call) {
    call.rows.for_each([&](std::size_t i) {
        const auto b = call.args[1]->int_at(i);
        if (b == 0) return fail_zero(call, i);
        call.out.set_int(i, b == -1 ? 0 : call.args[0]->int_at(i) % b);
    });
}

void double_modulo(const KernelCall& call) {
    call.rows.for_each([&](std::size_t i) {
        const auto b = call.args[1]->double_at(i);
        if (b == 0) return fail_zero(call, i);
        call.out.set_double(i, std::fmod(call.args[0]->double_at(i), b));
    });
}

wide ten_to(int exponent) {
    wide result = 1;
    for (int i = 0; i < exponent; ++i)
        result *= 10;
    return result;
}

// value / divisor, half away from zero.
wide divide_rounded(wide value, wide divisor) {
    if (divisor < 0) value = -value, divisor = -divisor;
    return value >= 0 ? (value + divisor / 2) / divisor : -((-value + divisor / 2) / divisor);
}

void store_decimal(const KernelCall& call, std::size_t row, wide value) {
    const auto limit = ten_to(call.out.type().precision);
    if (value >= limit || value <= -limit || value > INT64_MAX || value < INT64_MIN)
        return fail_overflow(call, row);
    call.out.set_int(row, static_cast<std::int64_t>(value));
}

// No digit is dropped: 64 bits do, and all that can go wrong is that they do not.
void decimal_multiply_exact(const KernelCall& call) {
    const auto *as = call.args[0]->slots(), *bs = call.args[1]->slots();
    const auto am = call.args[0]->row_mask(), bm = call.args[1]->row_mask();
    auto* out = call.out.slots();
    const auto wide_limit = ten_to(call.out.type().precision) - 1;
    const auto limit = wide_limit > INT64_MAX ? INT64_MAX : static_cast<std::int64_t>(wide_limit);
    bool is_bad = false;
    call.rows.for_each([&](std::size_t i) {
        std::int64_t r;
        is_bad |= __builtin_mul_overflow(as[i & am], bs[i & bm], &r) || r > limit || r < -limit;
        out[i] = r;
    });
    if (!is_bad) return;
    call.rows.for_each(
        [&](std::size_t i) { store_decimal(call, i, static_cast<wide>(as[i & am]) * bs[i & bm]); });
}

void decimal_multiply(const KernelCall& call) {
    const int drop =
        call.args[0]->type().scale + call.args[1]->type().scale - call.out.type().scale;
    if (drop <= 0) return decimal_multiply_exact(call);
    const auto divisor = ten_to(drop);
    call.rows.for_each([&](std::size_t i) {
        const wide product = static_cast<wide>(call.args[0]->int_at(i)) * call.args[1]->int_at(i);
        store_decimal(call, i, divide_rounded(product, divisor));
    });
}

void decimal_divide(const KernelCall& call) {
    // a/10^s1 / (b/10^s2) = x/10^s with x = a * 10^(s + s2 - s1) / b
    const int shift =
        call.out.type().scale + call.args[1]->type().scale - call.args[0]->type().scale;
    call.rows.for_each([&](std::size_t i) {
        wide a = call.args[0]->int_at(i), b = call.args[1]->int_at(i);
        if (b == 0) return fail_zero(call, i);
        if (shift >= 0)
            a *= ten_to(std::min(shift, 19));
        else
            b *= ten_to(-shift);
        store_decimal(call, i, divide_rounded(a, b));
    });
}

void time_of_day_add(const KernelCall& call) {
    call.rows.for_each([&](std::size_t i) {
        const auto sum = call.args[0]->int_at(i) + call.args[1]->int_at(i) % kMillisPerDay;
        call.out.set_int(i, sum - floor_div(sum, kMillisPerDay) * kMillisPerDay);
    });
}
void time_of_day_subtract(const KernelCall& call) {
    call.rows.for_each([&](std::size_t i) {
        const auto sum = call.args[0]->int_at(i) - call.args[1]->int_at(i) % kMillisPerDay;
        call.out.set_int(i, sum - floor_div(sum, kMillisPerDay) * kMillisPerDay);
    });
}

Type as_decimal(const Type& type) {
    switch (type.kind) {
        case TypeKind::TinyInt:
            return Type::decimal(3, 0);
        case TypeKind::SmallInt:
            return Type::decimal(5, 0);
        case TypeKind::Integer:
            return Type::decimal(10, 0);
        case TypeKind::BigInt:
            return Type::decimal(19, 0);
        default:
            return type;
    }
}

// Precision and scale of exact results follow SQL:2003 as Calcite does, capped at 19 digits.
Signature decimal_arithmetic(char op, const Type& left, const Type& right) {
    const Type a = as_decimal(left), b = as_decimal(right);
    const auto capped = [](int whole, int scale) {
        whole = std::min<int>(whole, kMaxDecimalPrecision);
        scale = std::min(scale, std::min(kMaxDecimalPrecision - whole, 18));
        return Type::decimal(static_cast<std::uint8_t>(whole + scale),
                             static_cast<std::uint8_t>(scale));
    };
    const int whole_a = a.precision - a.scale, whole_b = b.precision - b.scale;
    if (op == '*') {
        // A product keeps its digits behind the point: 0.908 * BIGINT is DECIMAL(19,3).
        const auto result =
            Type::decimal(static_cast<std::uint8_t>(
                              std::min<int>(a.precision + b.precision, kMaxDecimalPrecision)),
                          static_cast<std::uint8_t>(std::min(a.scale + b.scale, 18)));
        return {{a, b}, result, decimal_multiply};
    }
    if (op == '/')
        return {{a, b},
                capped(whole_a + b.scale, std::max(6, a.scale + b.precision + 1)),
                decimal_divide};
    const int scale = std::max(a.scale, b.scale);
    const int whole = std::max(whole_a, whole_b) + (op == '%' ? 0 : 1);
    const Type result =
        Type::decimal(static_cast<std::uint8_t>(std::min<int>(whole + scale, kMaxDecimalPrecision)),
                      static_cast<std::uint8_t>(scale));
    const auto kernel = op == '+'   ? integer_kernel<Add>
                        : op == '-' ? integer_kernel<Subtract>
                                    : integer_modulo;
    return {{result, result}, result, kernel};
}

std::optional<Signature> numeric_arithmetic(char op, const Type& left, const Type& right) {
    const auto type = *common_type(left, right);
    if (type.is_approximate()) {
        const Type result = TypeKind::Double;
        switch (op) {
            case '+':
                return Signature{{result, result}, result, double_kernel<Add>};
            case '-':
                return Signature{{result, result}, result, double_kernel<Subtract>};
            case '*':
                return Signature{{result, result}, result, double_kernel<Multiply>};
            case '/':
                return Signature{{result, result}, result, double_divide};
            default:
                return Signature{{result, result}, result, double_modulo};
        }
    }
    if (type.kind == TypeKind::Decimal) return decimal_arithmetic(op, left, right);
    switch (op) {
        case '+':
            return Signature{{type, type}, type, integer_kernel<Add>};
        case '-':
            return Signature{{type, type}, type, integer_kernel<Subtract>};
        case '*':
            return Signature{{type, type}, type, integer_kernel<Multiply>};
        case '/':
            return Signature{{type, type}, type, integer_divide};
        default:
            return Signature{{type, type}, type, integer_modulo};
    }
}

std::optional<Signature> time_arithmetic(char op, const Type& left, const Type& right) {
    const bool is_sum = op == '+' || op == '-';
    const auto kernel = op == '+' ? integer_kernel<Add> : integer_kernel<Subtract>;
    const auto is_moment = [](const Type& t) {
        return t.kind == TypeKind::Timestamp || t.kind == TypeKind::Date;
    };
    const auto lf = left.family(), rf = right.family();
    if (is_sum && lf == Family::Interval && rf == Family::Interval)
        return Signature{{left, right}, *common_type(left, right), kernel};
    if (is_sum && is_moment(left) && rf == Family::Interval)
        return Signature{{TypeKind::Timestamp, right}, TypeKind::Timestamp, kernel};
    if (op == '+' && lf == Family::Interval && is_moment(right))
        return Signature{{left, TypeKind::Timestamp}, TypeKind::Timestamp, kernel};
    if (is_sum && lf == Family::Time && rf == Family::Interval)
        return Signature{{left, right}, left, op == '+' ? time_of_day_add : time_of_day_subtract};
    if (op == '-' && is_moment(left) && is_moment(right))
        return Signature{{TypeKind::Timestamp, TypeKind::Timestamp},
                         Type::interval(TimeUnit::Day, TimeUnit::Second),
                         kernel};
    if (op == '-' && lf == Family::Time && rf == Family::Time)
        return Signature{{left, right}, Type::interval(TimeUnit::Day, TimeUnit::Second), kernel};
    if (op == '*' && lf == Family::Interval && right.is_integer())
        return Signature{{left, right}, left, integer_kernel<Multiply>};
    if (op == '*' && left.is_integer() && rf == Family::Interval)
        return Signature{{left, right}, right, integer_kernel<Multiply>};
    if (op == '/' && lf == Family::Interval && right.is_integer())
        return Signature{{left, right}, left, integer_divide};
    return std::nullopt;
}

void negate_integer(const KernelCall& call) {
    const auto range = integer_range(call.out.type().kind);
    call.rows.for_each([&](std::size_t i) {
        const auto value = call.args[0]->int_at(i);
        if (value == range.low) return fail_overflow(call, i);
        call.out.set_int(i, -value);
    });
}
void negate_double(const KernelCall& call) {
    call.rows.for_each([&](std::size_t i) { call.out.set_double(i, -call.args[0]->double_at(i)); });
}

}  // namespace

std::optional<Signature> resolve_arithmetic(char op, const Type& left, const Type& right) {
    const Type a =
        left.kind == TypeKind::Null ? (right.is_numeric() ? right : Type(TypeKind::Integer)) : left;
    const Type b =
        right.kind == TypeKind::Null ? (a.is_numeric() ? a : Type(TypeKind::Integer)) : right;
    if (a.is_numeric() && b.is_numeric()) return numeric_arithmetic(op, a, b);
    return time_arithmetic(op, a, b);
}

std::optional<Signature> resolve_negation(const Type& operand) {
    const Type type = operand.kind == TypeKind::Null ? Type(TypeKind::Integer) : operand;
    if (type.is_approximate()) return Signature{{type}, type, negate_double};
    if (type.is_numeric() || type.kind == TypeKind::Interval)
        return Signature{{type}, type, negate_integer};
    return std::nullopt;
}

}  // namespace tidemill::sql
