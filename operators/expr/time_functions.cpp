#include <fmt/format.h>

#include "operators/expr/function.h"
#include "operators/expr/simple_date_format.h"
#include "operators/vector/time_text.h"

namespace tidemill::sql {

namespace {

using Types = std::span<const Type>;

bool is_text(const Type& type) { return type.is_text() || type.kind == TypeKind::Null; }
bool is_moment(const Type& type) {
    return type.kind == TypeKind::Timestamp || type.kind == TypeKind::Date ||
           type.kind == TypeKind::Time || type.kind == TypeKind::Null;
}

TimeUnit unit_of(const Column& column, std::size_t row) {
    return static_cast<TimeUnit>(column.int_at(row));
}

// FLOOR(x TO unit), CEIL(x TO unit): the binder passes the unit as a second argument.
template <bool is_ceil>
void to_unit(const KernelCall& call) {
    call.rows.for_each([&](std::size_t i) {
        const auto value = call.args[0]->int_at(i);
        const auto unit = unit_of(*call.args[1], i);
        const auto floor = floor_to_unit(value, unit);
        call.out.set_int(i, is_ceil && floor != value ? next_unit(floor, unit) : floor);
    });
}
template <bool is_ceil>
std::optional<Signature> resolve_to_unit(Types args) {
    if (!is_moment(args[0]) && args[0].kind != TypeKind::Interval) return std::nullopt;
    const Type type = args[0].kind == TypeKind::Null ? Type(TypeKind::Timestamp) : args[0];
    return Signature{{type, TypeKind::Integer}, type, to_unit<is_ceil>};
}

std::int64_t field_of(std::int64_t millis, TimeUnit unit) {
    const auto civil = civil_from_millis(millis);
    switch (unit) {
        case TimeUnit::Year:
            return civil.year;
        case TimeUnit::Quarter:
            return (civil.month + 2) / 3;
        case TimeUnit::Month:
            return civil.month;
        case TimeUnit::Week:
            return (floor_div(millis, kMillisPerDay) - days_from_civil(civil.year, 1, 1)) / 7 + 1;
        case TimeUnit::Day:
            return civil.day;
        case TimeUnit::Hour:
            return civil.hour;
        case TimeUnit::Minute:
            return civil.minute;
        case TimeUnit::Second:
            return civil.second;
        case TimeUnit::Millisecond:
            return civil.millisecond;
    }
    return 0;
}

// EXTRACT(unit FROM x): unit first.
void extract_moment(const KernelCall& call) {
    call.rows.for_each([&](std::size_t i) {
        call.out.set_int(i, field_of(call.args[1]->int_at(i), unit_of(*call.args[0], i)));
    });
}
void extract_interval(const KernelCall& call) {
    const auto from = call.args[1]->type().from;
    call.rows.for_each([&](std::size_t i) {
        const auto unit = unit_of(*call.args[0], i);
        const auto size = unit_millis(unit);
        if (size == 0) return call.fail(i, "INVALID_UNIT", "An interval has no such unit.");
        const auto count = call.args[1]->int_at(i) / size;
        static constexpr std::int64_t kWrap[] = {1000, 60, 60, 24};
        // Only the leading unit counts past its natural range.
        call.out.set_int(i, unit >= from || unit > TimeUnit::Hour
                                ? count
                                : count % kWrap[static_cast<int>(unit)]);
    });
}
std::optional<Signature> resolve_extract(Types args) {
    if (args[1].kind == TypeKind::Interval)
        return Signature{{TypeKind::Integer, args[1]}, TypeKind::BigInt, extract_interval};
    if (!is_moment(args[1])) return std::nullopt;
    const Type type = args[1].kind == TypeKind::Null ? Type(TypeKind::Timestamp) : args[1];
    return Signature{{TypeKind::Integer, type}, TypeKind::BigInt, extract_moment};
}

// EXTRACT(SECOND FROM x) has the milliseconds behind the point.
void extract_second(const KernelCall& call) {
    const auto& type = call.args[1]->type();
    const bool counts_all = type.kind == TypeKind::Interval && type.from <= TimeUnit::Second;
    call.rows.for_each([&](std::size_t i) {
        const auto value = call.args[1]->int_at(i);
        if (type.kind == TypeKind::Interval)
            call.out.set_int(i, counts_all ? value : value % 60'000);
        else
            call.out.set_int(i, value - floor_div(value, 60'000) * 60'000);
    });
}
std::optional<Signature> resolve_extract_second(Types args) {
    const auto signature = resolve_extract(args);
    if (!signature) return std::nullopt;
    const auto& type = signature->parameters[1];
    const bool counts_all = type.kind == TypeKind::Interval && type.from <= TimeUnit::Second;
    return Signature{signature->parameters, Type::decimal(counts_all ? kMaxDecimalPrecision : 5, 3),
                     extract_second};
}

// YEAR(x) ... SECOND(x), whole numbers.
template <TimeUnit unit>
void field(const KernelCall& call) {
    call.rows.for_each(
        [&](std::size_t i) { call.out.set_int(i, field_of(call.args[0]->int_at(i), unit)); });
}
template <TimeUnit unit>
std::optional<Signature> resolve_field(Types args) {
    if (!is_moment(args[0])) return std::nullopt;
    const Type type = args[0].kind == TypeKind::Null ? Type(TypeKind::Timestamp) : args[0];
    return Signature{{type}, TypeKind::BigInt, field<unit>};
}

// DATE_FORMAT(x, pattern): TIMESTAMP_TO_CHAR with its arguments the other way round.
void date_format(const KernelCall& call) {
    std::string text;
    call.rows.for_each([&](std::size_t i) {
        text.clear();
        format_date(text, call.args[1]->text_at(i), call.args[0]->int_at(i));
        call.out.set_text(i, text);
    });
}
std::optional<Signature> resolve_date_format(Types args) {
    if (!is_moment(args[0]) || !is_text(args[1])) return std::nullopt;
    const Type type = args[0].kind == TypeKind::Null ? Type(TypeKind::Timestamp) : args[0];
    return Signature{{type, Type::varchar()}, Type::varchar(), date_format};
}

// CHAR_TO_TIMESTAMP(pattern, text); a text that does not match makes no row.
template <TypeKind kind>
void char_to(const KernelCall& call) {
    call.rows.for_each([&](std::size_t i) {
        auto millis = parse_date(call.args[0]->text_at(i), call.args[1]->text_at(i));
        if (!millis)
            return call.fail(i, "INVALID_DATE",
                             fmt::format("'{}' does not match the format '{}'.",
                                         call.args[1]->text_at(i), call.args[0]->text_at(i)));
        const auto day = floor_div(*millis, kMillisPerDay) * kMillisPerDay;
        if (kind == TypeKind::Date) millis = day;
        if (kind == TypeKind::Time) millis = *millis - day;
        call.out.set_int(i, *millis);
    });
}
template <TypeKind kind>
std::optional<Signature> resolve_char_to(Types args) {
    if (!is_text(args[0]) || !is_text(args[1])) return std::nullopt;
    return Signature{{Type::varchar(), Type::varchar()}, kind, char_to<kind>};
}

void to_char(const KernelCall& call) {
    std::string text;
    call.rows.for_each([&](std::size_t i) {
        text.clear();
        format_date(text, call.args[0]->text_at(i), call.args[1]->int_at(i));
        call.out.set_text(i, text);
    });
}
template <TypeKind kind>
std::optional<Signature> resolve_to_char(Types args) {
    if (!is_text(args[0]) || (args[1].kind != kind && args[1].kind != TypeKind::Null))
        return std::nullopt;
    return Signature{{Type::varchar(), kind}, Type::varchar(), to_char};
}

void copy(const KernelCall& call) {
    call.rows.for_each([&](std::size_t i) { call.out.set_int(i, call.args[0]->int_at(i)); });
}
std::optional<Signature> resolve_to_timestamp(Types args) {
    if (!args[0].is_integer() && args[0].kind != TypeKind::Null) return std::nullopt;
    return Signature{{TypeKind::BigInt}, TypeKind::Timestamp, copy};
}
std::optional<Signature> resolve_unix_timestamp(Types args) {
    if (args[0].kind == TypeKind::Time || !is_moment(args[0])) return std::nullopt;
    return Signature{{TypeKind::Timestamp}, TypeKind::BigInt, copy};
}

void difference(const KernelCall& call) {
    call.rows.for_each([&](std::size_t i) {
        call.out.set_int(i, call.args[1]->int_at(i) - call.args[0]->int_at(i));
    });
}
std::optional<Signature> resolve_tsdiff(Types args) {
    const bool is_number = args[0].is_integer() || args[1].is_integer();
    const auto fits = [&](const Type& t) {
        return t.kind == TypeKind::Null ||
               (is_number ? t.is_integer() : t.family() == Family::Timestamp);
    };
    if (!fits(args[0]) || !fits(args[1])) return std::nullopt;
    const Type type = is_number ? TypeKind::BigInt : TypeKind::Timestamp;
    return Signature{{type, type}, TypeKind::BigInt, difference};
}

template <TypeKind kind>
void now(const KernelCall& call) {
    const auto clock = call.evaluation.now;
    const auto day = floor_div(clock, kMillisPerDay) * kMillisPerDay;
    const auto value = kind == TypeKind::Date ? day : kind == TypeKind::Time ? clock - day : clock;
    call.rows.for_each([&](std::size_t i) { call.out.set_int(i, value); });
}
template <TypeKind kind>
std::optional<Signature> resolve_now(Types) {
    return Signature{{}, kind, now<kind>};
}

constexpr Function kTable[] = {
    {"$FLOOR_TO", 2, 2, resolve_to_unit<false>, "FLOOR(time TO unit)"},
    {"$CEIL_TO", 2, 2, resolve_to_unit<true>, "CEIL(time TO unit)"},
    {"$EXTRACT", 2, 2, resolve_extract, "EXTRACT(unit FROM time)"},
    {"$EXTRACT_SECOND", 2, 2, resolve_extract_second, "EXTRACT(SECOND FROM time)"},
    {"YEAR", 1, 1, resolve_field<TimeUnit::Year>, "YEAR(time)"},
    {"QUARTER", 1, 1, resolve_field<TimeUnit::Quarter>, "QUARTER(time)"},
    {"MONTH", 1, 1, resolve_field<TimeUnit::Month>, "MONTH(time)"},
    {"DAYOFMONTH", 1, 1, resolve_field<TimeUnit::Day>, "DAYOFMONTH(time)"},
    {"HOUR", 1, 1, resolve_field<TimeUnit::Hour>, "HOUR(time)"},
    {"MINUTE", 1, 1, resolve_field<TimeUnit::Minute>, "MINUTE(time)"},
    {"SECOND", 1, 1, resolve_field<TimeUnit::Second>, "SECOND(time)"},
    {"DATE_FORMAT", 2, 2, resolve_date_format, "DATE_FORMAT(time, format)"},
    {"CHAR_TO_TIMESTAMP", 2, 2, resolve_char_to<TypeKind::Timestamp>,
     "CHAR_TO_TIMESTAMP(format, text)"},
    {"CHAR_TO_TIMESTAMP_SYS", 2, 2, resolve_char_to<TypeKind::Timestamp>,
     "CHAR_TO_TIMESTAMP_SYS(format, text)"},
    {"CHAR_TO_DATE", 2, 2, resolve_char_to<TypeKind::Date>, "CHAR_TO_DATE(format, text)"},
    {"CHAR_TO_TIME", 2, 2, resolve_char_to<TypeKind::Time>, "CHAR_TO_TIME(format, text)"},
    {"TIMESTAMP_TO_CHAR", 2, 2, resolve_to_char<TypeKind::Timestamp>,
     "TIMESTAMP_TO_CHAR(format, timestamp)"},
    {"DATE_TO_CHAR", 2, 2, resolve_to_char<TypeKind::Date>, "DATE_TO_CHAR(format, date)"},
    {"TIME_TO_CHAR", 2, 2, resolve_to_char<TypeKind::Time>, "TIME_TO_CHAR(format, time)"},
    {"TO_TIMESTAMP", 1, 1, resolve_to_timestamp, "TO_TIMESTAMP(milliseconds)"},
    {"UNIX_TIMESTAMP", 1, 1, resolve_unix_timestamp, "UNIX_TIMESTAMP(timestamp)"},
    {"TSDIFF", 2, 2, resolve_tsdiff, "TSDIFF(start, end)"},
    {"CURRENT_DATE", 0, 0, resolve_now<TypeKind::Date>, "CURRENT_DATE"},
    {"CURRENT_TIME", 0, 0, resolve_now<TypeKind::Time>, "CURRENT_TIME"},
    {"CURRENT_TIMESTAMP", 0, 0, resolve_now<TypeKind::Timestamp>, "CURRENT_TIMESTAMP"},
    {"CURRENT_ROW_TIMESTAMP", 0, 0, resolve_now<TypeKind::Timestamp>, "CURRENT_ROW_TIMESTAMP"},
    {"LOCALTIME", 0, 0, resolve_now<TypeKind::Time>, "LOCALTIME"},
    {"LOCALTIMESTAMP", 0, 0, resolve_now<TypeKind::Timestamp>, "LOCALTIMESTAMP"},
};

}  // namespace

std::span<const Function> time_functions() { return kTable; }

}  // namespace tidemill::sql
