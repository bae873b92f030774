#include "operators/expr/cast.h"

#include <cctype>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "engine/base/check.h"
#include "operators/vector/time_text.h"

namespace tidemill::sql {

namespace {

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())) != 0)
        text.remove_prefix(1);
    while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0)
        text.remove_suffix(1);
    return text;
}

void fail_range(const KernelCall& call, std::size_t row) {
    std::string text;
    const auto& from = *call.args[0];
    if (from.type().storage() != Storage::Text) append_text(text, from.type(), from.int_at(row));
    call.fail(row, "NUMERIC_OVERFLOW",
              fmt::format("{} does not fit {}.", text, call.out.type().to_string()));
}

void fail_text(const KernelCall& call, std::size_t row) {
    call.fail(row, "INVALID_CAST",
              fmt::format("'{}' is no {}.", call.args[0]->text_at(row).substr(0, 100),
                          call.out.type().to_string()));
}

void copy_slots(const KernelCall& call) {
    const auto* in = call.args[0]->slots();
    const auto mask = call.args[0]->row_mask();
    auto* out = call.out.slots();
    call.rows.for_each([&](std::size_t i) { out[i] = in[i & mask]; });
}

void integer_to_integer(const KernelCall& call) {
    const auto range = integer_range(call.out.type().kind);
    call.rows.for_each([&](std::size_t i) {
        const auto value = call.args[0]->int_at(i);
        if (value < range.low || value > range.high) return fail_range(call, i);
        call.out.set_int(i, value);
    });
}

void exact_to_double(const KernelCall& call) {
    const bool is_real = call.out.type().kind == TypeKind::Real;
    const auto& in = *call.args[0];
    call.rows.for_each([&](std::size_t i) {
        const double value = in.number_at(i);
        call.out.set_double(i, is_real ? static_cast<double>(static_cast<float>(value)) : value);
    });
}

void double_to_double(const KernelCall& call) {
    if (call.out.type().kind != TypeKind::Real) return copy_slots(call);
    call.rows.for_each([&](std::size_t i) {
        call.out.set_double(i, static_cast<double>(static_cast<float>(call.args[0]->double_at(i))));
    });
}

void double_to_integer(const KernelCall& call) {
    const auto range = integer_range(call.out.type().kind);
    call.rows.for_each([&](std::size_t i) {
        const double value = std::trunc(call.args[0]->double_at(i));
        // 2^63 itself is a double, INT64_MAX is not.
        if (!(value >= static_cast<double>(range.low) &&
              value < static_cast<double>(range.high) + 1))
            return fail_range(call, i);
        call.out.set_int(i, static_cast<std::int64_t>(value));
    });
}

bool fits_decimal(double scaled, const Type& type) {
    const double limit = std::min(std::pow(10.0, type.precision), 9.2e18);
    return scaled > -limit && scaled < limit;
}

void double_to_decimal(const KernelCall& call) {
    const auto& type = call.out.type();
    const auto factor = static_cast<double>(power_of_ten(type.scale));
    call.rows.for_each([&](std::size_t i) {
        const double scaled = std::round(call.args[0]->double_at(i) * factor);
        if (!fits_decimal(scaled, type)) return fail_range(call, i);
        call.out.set_int(i, static_cast<std::int64_t>(scaled));
    });
}

// Between integers and decimals, by the difference of their scales; digits that fall away round
// half up for decimals and are dropped for integers.
void exact_to_exact(const KernelCall& call) {
    const auto &from = call.args[0]->type(), &to = call.out.type();
    const int shift = to.scale - from.scale;
    const auto factor = power_of_ten(static_cast<unsigned>(std::abs(shift)));
    const auto range = integer_range(to.kind);
    const auto digits =
        to.kind == TypeKind::Decimal && to.precision < 19 ? power_of_ten(to.precision) : 0;
    call.rows.for_each([&](std::size_t i) {
        std::int64_t value = call.args[0]->int_at(i);
        bool is_bad = false;
        if (shift > 0) {
            is_bad = __builtin_mul_overflow(value, factor, &value);
        } else if (shift < 0) {
            const auto rest = value % factor;
            value /= factor;
            if (to.kind == TypeKind::Decimal && std::abs(rest) >= factor - std::abs(rest))
                value += rest < 0 ? -1 : 1;
        }
        if (digits != 0) is_bad |= value >= digits || value <= -digits;
        if (is_bad || value < range.low || value > range.high) return fail_range(call, i);
        call.out.set_int(i, value);
    });
}

void text_to_integer(const KernelCall& call) {
    const auto range = integer_range(call.out.type().kind);
    call.rows.for_each([&](std::size_t i) {
        auto text = trimmed(call.args[0]->text_at(i));
        if (text.starts_with('+')) text.remove_prefix(1);
        std::int64_t value = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (error != std::errc() || end != text.data() + text.size() || value < range.low ||
            value > range.high)
            return fail_text(call, i);
        call.out.set_int(i, value);
    });
}

bool parse_double(std::string_view text, double& value) {
    text = trimmed(text);
    if (text.starts_with('+')) text.remove_prefix(1);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size() && std::isfinite(value);
}

void text_to_double(const KernelCall& call) {
    const bool is_real = call.out.type().kind == TypeKind::Real;
    call.rows.for_each([&](std::size_t i) {
        double value = 0;
        if (!parse_double(call.args[0]->text_at(i), value)) return fail_text(call, i);
        call.out.set_double(i, is_real ? static_cast<double>(static_cast<float>(value)) : value);
    });
}

void text_to_decimal(const KernelCall& call) {
    const auto& type = call.out.type();
    call.rows.for_each([&](std::size_t i) {
        double value = 0;
        if (!parse_double(call.args[0]->text_at(i), value)) return fail_text(call, i);
        const double scaled = std::round(value * static_cast<double>(power_of_ten(type.scale)));
        if (!fits_decimal(scaled, type)) return fail_text(call, i);
        call.out.set_int(i, static_cast<std::int64_t>(scaled));
    });
}

bool equals_ignoring_case(std::string_view a, std::string_view lower) {
    return a.size() == lower.size() &&
           std::equal(a.begin(), a.end(), lower.begin(), [](char x, char y) {
               return std::tolower(static_cast<unsigned char>(x)) == y;
           });
}

void text_to_boolean(const KernelCall& call) {
    call.rows.for_each([&](std::size_t i) {
        const auto text = trimmed(call.args[0]->text_at(i));
        if (equals_ignoring_case(text, "true"))
            call.out.set_bool(i, true);
        else if (equals_ignoring_case(text, "false"))
            call.out.set_bool(i, false);
        else
            fail_text(call, i);
    });
}

template <auto parse>
void text_to_time(const KernelCall& call) {
    call.rows.for_each([&](std::size_t i) {
        const auto value = parse(trimmed(call.args[0]->text_at(i)));
        if (!value) return fail_text(call, i);
        call.out.set_int(i, *value);
    });
}

// At most `bytes` bytes, and no half of a UTF-8 character.
std::string_view cut(std::string_view text, std::size_t bytes) {
    if (text.size() <= bytes) return text;
    while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xc0) == 0x80)
        --bytes;
    return text.substr(0, bytes);
}

void text_to_text(const KernelCall& call) {
    const auto& type = call.out.type();
    std::string padded;
    call.rows.for_each([&](std::size_t i) {
        const auto whole = call.args[0]->text_at(i);
        auto text = type.is_text() ? cut(whole, type.length) : whole.substr(0, type.length);
        if (type.kind == TypeKind::Char && text.size() < type.length) {
            padded.assign(text);
            padded.resize(type.length, ' ');
            text = padded;
        }
        call.out.set_text(i, text);
    });
}

void any_to_text(const KernelCall& call) {
    std::string text;
    call.rows.for_each([&](std::size_t i) {
        text.clear();
        append_text(text, call.args[0]->type(), call.args[0]->int_at(i));
        if (text.size() > call.out.type().length)
            return call.fail(
                i, "INVALID_CAST",
                fmt::format("'{}' does not fit {}.", text, call.out.type().to_string()));
        if (call.out.type().kind == TypeKind::Char) text.resize(call.out.type().length, ' ');
        call.out.set_text(i, text);
    });
}

void timestamp_to_date(const KernelCall& call) {
    call.rows.for_each([&](std::size_t i) {
        call.out.set_int(i, floor_div(call.args[0]->int_at(i), kMillisPerDay) * kMillisPerDay);
    });
}

void timestamp_to_time(const KernelCall& call) {
    call.rows.for_each([&](std::size_t i) {
        const auto millis = call.args[0]->int_at(i);
        call.out.set_int(i, millis - floor_div(millis, kMillisPerDay) * kMillisPerDay);
    });
}

// CAST(INTERVAL '90' SECOND AS INTEGER) counts in the interval's smallest unit.
void interval_to_integer(const KernelCall& call) {
    const auto unit = unit_millis(call.args[0]->type().to);
    const auto range = integer_range(call.out.type().kind);
    call.rows.for_each([&](std::size_t i) {
        const auto value = call.args[0]->int_at(i) / unit;
        if (value < range.low || value > range.high) return fail_range(call, i);
        call.out.set_int(i, value);
    });
}

void integer_to_interval(const KernelCall& call) {
    const auto unit = unit_millis(call.out.type().to);
    call.rows.for_each([&](std::size_t i) {
        std::int64_t value = 0;
        if (__builtin_mul_overflow(call.args[0]->int_at(i), unit, &value))
            return fail_range(call, i);
        call.out.set_int(i, value);
    });
}
void text_to_interval(const KernelCall& call) {
    const auto& type = call.out.type();
    call.rows.for_each([&](std::size_t i) {
        const auto value = parse_interval(trimmed(call.args[0]->text_at(i)), type.from, type.to);
        if (!value) return fail_text(call, i);
        call.out.set_int(i, *value);
    });
}
void interval_to_decimal(const KernelCall& call) {
    const auto unit = unit_millis(call.args[0]->type().to);
    const auto factor = power_of_ten(call.out.type().scale);
    call.rows.for_each([&](std::size_t i) {
        std::int64_t value = 0;
        if (__builtin_mul_overflow(call.args[0]->int_at(i), factor, &value))
            return fail_range(call, i);
        call.out.set_int(i, value / unit);
    });
}

void all_null(const KernelCall& call) {
    call.rows.for_each([&](std::size_t i) { call.out.set_null(i); });
}

std::optional<Kernel> text_cast(const Type& to) {
    switch (to.kind) {
        case TypeKind::Boolean:
            return text_to_boolean;
        case TypeKind::Decimal:
            return text_to_decimal;
        case TypeKind::Real:
        case TypeKind::Double:
            return text_to_double;
        case TypeKind::Date:
            return text_to_time<parse_date>;
        case TypeKind::Time:
            return text_to_time<parse_time>;
        case TypeKind::Timestamp:
            return text_to_time<parse_timestamp>;
        case TypeKind::Interval:
            return text_to_interval;
        case TypeKind::Binary:
        case TypeKind::Varbinary:
        case TypeKind::Null:
            return std::nullopt;
        default:
            return to.is_integer() ? text_to_integer : text_to_text;
    }
}

Kernel numeric_cast(const Type& from, const Type& to) {
    if (from.is_approximate()) {
        if (to.is_approximate()) return double_to_double;
        return to.kind == TypeKind::Decimal ? double_to_decimal : double_to_integer;
    }
    if (to.is_approximate()) return exact_to_double;
    return from.is_integer() && to.is_integer() ? integer_to_integer : exact_to_exact;
}

}  // namespace

std::optional<Kernel> cast_kernel(const Type& from, const Type& to) {
    if (from.kind == TypeKind::Null) return all_null;
    if (from.is_text()) return text_cast(to);
    if (to.is_text()) return from.family() == Family::Binary ? text_to_text : any_to_text;
    if (from.is_numeric() && to.is_numeric()) return numeric_cast(from, to);
    if (from.family() == to.family())
        return from.family() == Family::Binary ? text_to_text : copy_slots;
    if (from.kind == TypeKind::Date && to.kind == TypeKind::Timestamp) return copy_slots;
    if (from.kind == TypeKind::Timestamp && to.kind == TypeKind::Date) return timestamp_to_date;
    if (from.kind == TypeKind::Timestamp && to.kind == TypeKind::Time) return timestamp_to_time;
    if (from.kind == TypeKind::Time && to.kind == TypeKind::Timestamp) return copy_slots;
    if (from.kind == TypeKind::Interval && to.is_integer()) return interval_to_integer;
    if (from.kind == TypeKind::Interval && to.kind == TypeKind::Decimal) return interval_to_decimal;
    if (from.is_integer() && to.kind == TypeKind::Interval && unit_millis(to.to) > 0)
        return integer_to_interval;
    return std::nullopt;
}

ExpressionPtr cast_to(ExpressionPtr expression, const Type& type) {
    const auto& from = expression->type();
    const bool is_same_text =
        from.kind == type.kind && type.kind == TypeKind::Varchar && from.length <= type.length;
    if (from == type || is_same_text) return expression;
    if (type.family() == Family::Interval && from.family() == Family::Interval &&
        from.from == type.from && from.to == type.to)
        return expression;
    if (from.kind == TypeKind::Null) return std::make_unique<Literal>(Value::null(type));
    const auto kernel = cast_kernel(from, type);
    TM_CHECK(kernel.has_value(), "no cast from {} to {}", from.to_string(), type.to_string());
    const bool is_literal = dynamic_cast<Literal*>(expression.get()) != nullptr;
    const auto monotonicity = from.kind == TypeKind::Timestamp && type.kind == TypeKind::Time
                                  ? Monotonicity::None
                                  : expression->monotonicity;
    const bool keeps_order = type.family() != Family::Text && !from.is_text();
    std::vector<ExpressionPtr> args;
    args.push_back(std::move(expression));
    auto cast = std::make_unique<KernelExpression>("CAST " + type.to_string(), type, *kernel,
                                                   std::move(args));
    if (keeps_order) cast->monotonicity = monotonicity;
    if (!is_literal) return cast;
    // A literal is cast once, now.
    RowBatch one;
    one.rowtime.append_int(0);
    const auto view = one.view();
    Evaluation evaluation(view, 0);
    const auto value = cast->evaluate(evaluation, view.selection).value_at(0);
    if (!evaluation.errors.empty()) return cast;
    return std::make_unique<Literal>(value);
}

}  // namespace tidemill::sql
