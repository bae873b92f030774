#include <doctest/doctest.h>

#include "engine/base/random.h"
#include "operators/vector/batch.h"
#include "operators/vector/time_text.h"
#include "operators/vector/value.h"

using namespace tidemill;
using namespace tidemill::sql;

TEST_SUITE("operators/vector") {
    TEST_CASE("columns keep values, texts and nulls apart, also after truncation") {
        Column column(Type::varchar(10));
        column.append_text("a");
        column.append_null();
        column.append_text("");
        CHECK_EQ(column.text_at(0), "a");
        CHECK(column.is_null(1));
        CHECK_FALSE(column.is_null(2));
        column.truncate(1);
        column.append_text("b");
        CHECK_FALSE(column.is_null(1));
        CHECK_EQ(column.text_at(1), "b");
    }

    TEST_CASE("dates there and back over four thousand years") {
        std::int64_t previous = INT64_MIN;
        for (std::int64_t year = 1; year < 4000; year += 7)
            for (int month = 1; month <= 12; ++month) {
                const auto millis =
                    days_from_civil(year, month, days_in_month(year, month)) * kMillisPerDay + 1;
                const auto civil = civil_from_millis(millis);
                CHECK_EQ(civil.year, year);
                CHECK_EQ(civil.month, month);
                CHECK_EQ(civil.day, days_in_month(year, month));
                CHECK_EQ(millis_from_civil(civil), millis);
                CHECK_GT(millis, previous);
                previous = millis;
            }
    }

    TEST_CASE("times are read strictly") {
        CHECK_EQ(parse_timestamp("1970-01-01 00:00:01.5"), 1500);
        CHECK_EQ(parse_timestamp("1970-01-02T00:00"), kMillisPerDay);
        CHECK_EQ(parse_timestamp("1969-12-31 23:59:59.999"), -1);
        for (const auto bad :
             {"", "2023-02-29", "2024-13-01", "2024-01-01 24:00", "2024-01-01 1", "2024-01-01x"})
            CHECK_FALSE(parse_timestamp(bad));
        CHECK_EQ(parse_interval("59:59.999", TimeUnit::Minute, TimeUnit::Second), 3'599'999);
        CHECK_EQ(parse_interval("-1 02:00:00", TimeUnit::Day, TimeUnit::Second), -93'600'000);
        CHECK_FALSE(parse_interval("1:60", TimeUnit::Minute, TimeUnit::Second));
    }

    TEST_CASE("calendar units floor before the epoch too, weeks on Sunday") {
        CHECK_EQ(floor_to_unit(-1, TimeUnit::Day), -kMillisPerDay);
        CHECK_EQ(floor_to_unit(0, TimeUnit::Week), -4 * kMillisPerDay);
        CHECK_EQ(next_unit(floor_to_unit(0, TimeUnit::Year), TimeUnit::Year), 365 * kMillisPerDay);
    }

    TEST_CASE("numbers print in their shortest form") {
        CHECK_EQ(to_text(Value::real(0.1)), "0.1");
        CHECK_EQ(to_text(Value::integer(-5, Type::decimal(5, 3))), "-0.005");
        CHECK_EQ(to_text(Value::integer(INT64_MIN)), "-9223372036854775808");
    }

    TEST_CASE("common types widen and keep families apart") {
        CHECK_EQ(common_type(TypeKind::TinyInt, TypeKind::BigInt)->kind, TypeKind::BigInt);
        CHECK_EQ(common_type(Type::decimal(3, 1), TypeKind::Integer)->to_string(), "DECIMAL(11,1)");
        CHECK_EQ(common_type(TypeKind::BigInt, TypeKind::Real)->kind, TypeKind::Double);
        CHECK_FALSE(common_type(TypeKind::Integer, Type::varchar(3)));
    }
}
