#include "engine/dynamodb/decimal.h"

#include <doctest/doctest.h>

#include "engine/base/random.h"

using namespace tidemill;
using dynamodb::Decimal;

namespace {

Decimal number(std::string_view text) {
    const auto parsed = Decimal::parse(text);
    REQUIRE_MESSAGE(parsed.has_value(), text);
    return *parsed;
}

std::string refusal(std::string_view text) {
    const auto parsed = Decimal::parse(text);
    return parsed ? "taken" : parsed.error().message;
}

}  // namespace

TEST_CASE("numbers are written without exponents and needless zeros") {
    CHECK(number("1.50").text() == "1.5");
    CHECK(number("-0.00").text() == "0");
    CHECK(number("+007").text() == "7");
    CHECK(number("1e3").text() == "1000");
    CHECK(number("12.5E-3").text() == "0.0125");
    CHECK(number(".5").text() == "0.5");
    CHECK(number("-1E-130").text().size() == 133);
    CHECK(number("123456789012345678901234567890.12345678").text() ==
          "123456789012345678901234567890.12345678");
}

TEST_CASE("what is no number, or none that DynamoDB takes, is refused in its words") {
    CHECK(refusal("") == "The parameter cannot be converted to a numeric value");
    for (const char* text : {"a", "1a", "1.2.3", "-", "1e", "e5", " 1", "0x10", "NaN", "Infinity"})
        CHECK(refusal(text) ==
              std::string("The parameter cannot be converted to a numeric value: ") + text);
    CHECK(refusal("1e126").starts_with("Number overflow"));
    CHECK(refusal("9.9e125") == "taken");
    CHECK(refusal("1e-131").starts_with("Number underflow"));
    CHECK(refusal("1e-130") == "taken");
    CHECK(refusal("123456789012345678901234567890123456789").starts_with("Attempting to store"));
    CHECK(refusal("12345678901234567890123456789012345678000") == "taken");
    CHECK(refusal("0e999999999999") == "taken");
}

TEST_CASE("sums are exact, and refused when 38 digits do not hold them") {
    const auto sum = [](std::string_view a, std::string_view b) {
        const auto made = Decimal::add(number(a), number(b));
        return made ? made->text() : made.error().message;
    };
    CHECK(sum("0.1", "0.2") == "0.3");
    CHECK(sum("99999999999999999999999999999999999999", "1") ==
          "100000000000000000000000000000000000000");
    CHECK(sum("1e37", "-1") == "9999999999999999999999999999999999999");
    CHECK(sum("5", "-5") == "0");
    CHECK(sum("-2.5", "1") == "-1.5");
    CHECK(sum("1e50", "1").starts_with("Attempting to store more than 38"));
    CHECK(sum("9.9e125", "9.9e125").starts_with("Number overflow"));
}

TEST_CASE("sums, order and sortable bytes agree with integers") {
    constexpr std::uint64_t kSeed = 20260711;
    CAPTURE(kSeed);
    Random random(kSeed);
    const auto draw = [&] {
        const auto scale = std::int64_t{1} << random.below(40);
        return static_cast<std::int64_t>(random.below(2'000'001)) * scale - 1'000'000 * scale;
    };
    for (int i = 0; i < 20'000; ++i) {
        const std::int64_t a = draw(), b = draw();
        const Decimal x(a), y(b);
        REQUIRE(Decimal::add(x, y)->text() == std::to_string(a + b));
        REQUIRE(Decimal::add(x, y.negated())->text() == std::to_string(a - b));
        REQUIRE((x <=> y) == (a <=> b));
        REQUIRE((x == y) == (a == b));
        REQUIRE(x.sortable().size() == Decimal::kSortableBytes);
    }
    CHECK(number("-1e-130") < number("0"));
    CHECK(number("1e-130") > number("0"));
    CHECK(number("1e-130") < number("1e125"));
    CHECK(number("-1e125") < number("-1e-130"));
    CHECK(number("1.1") > number("1.09"));
}
