// Conditions written by chance, as text and as a closure beside it: parser and check must say of
// every item what the closure says.
#include <functional>

#include <doctest/doctest.h>

#include "engine/base/random.h"
#include "engine/dynamodb/condition_check.h"
#include "engine/dynamodb/expression_parser.h"
#include "expressions.h"

using namespace tidemill;
using namespace tidemill::dynamodb;

namespace {

constexpr int kNames = 4, kNumbers = 5;

/// An item of small integers: what is -1 is not there.
using Model = std::array<int, kNames>;
struct Written {
    std::string text;
    std::function<bool(const Model&)> holds;
    bool is_compound = false;
};

std::string attribute_name(int name) { return "f" + std::to_string(name); }

Written leaf(Random& random) {
    const int name = static_cast<int>(random.below(kNames));
    const int value = static_cast<int>(random.below(kNumbers));
    const int high = value + static_cast<int>(random.below(3));
    const auto field = attribute_name(name);
    const auto placeholder = [](int n) { return ":v" + std::to_string(n); };
    const auto there = [name](const Model& model) {
        return model[static_cast<std::size_t>(name)] >= 0;
    };
    const auto get = [name](const Model& model) { return model[static_cast<std::size_t>(name)]; };
    switch (random.below(9)) {
        case 0:
            return {field + " = " + placeholder(value),
                    [=](const Model& m) { return there(m) && get(m) == value; }};
        case 1:
            return {field + "<>" + placeholder(value),
                    [=](const Model& m) { return !there(m) || get(m) != value; }};
        case 2:
            return {field + " < " + placeholder(value),
                    [=](const Model& m) { return there(m) && get(m) < value; }};
        case 3:
            return {placeholder(value) + "<=" + field,
                    [=](const Model& m) { return there(m) && value <= get(m); }};
        case 4:
            return {field + " BETWEEN " + placeholder(value) + " AND " + placeholder(high),
                    [=](const Model& m) { return there(m) && get(m) >= value && get(m) <= high; }};
        case 5:
            return {
                field + " in(" + placeholder(value) + "," + placeholder(high) + ")",
                [=](const Model& m) { return there(m) && (get(m) == value || get(m) == high); }};
        case 6:
            return {"attribute_exists(" + field + ")", there};
        case 7:
            return {"attribute_not_exists ( " + field + " )",
                    [=](const Model& m) { return !there(m); }};
        default:
            return {"attribute_type(" + field + ", :N)", there};
    }
}

Written write_condition(Random& random, int depth) {
    if (depth == 0 || random.chance(0.25)) return leaf(random);
    const Written a = write_condition(random, depth - 1);
    if (random.chance(0.2))
        return {a.is_compound ? "NOT (" + a.text + ")" : "NOT " + a.text,
                [a](const Model& m) { return !a.holds(m); }};
    const Written b = write_condition(random, depth - 1);
    const bool is_and = random.chance(0.5);
    // Only compounds need parentheses; some others get them all the same.
    const auto grouped = [&](const Written& part) {
        return part.is_compound || random.chance(0.1) ? "(" + part.text + ")" : part.text;
    };
    return {grouped(a) + (is_and ? " AND " : " OR ") + grouped(b),
            [a, b, is_and](const Model& m) {
                return is_and ? a.holds(m) && b.holds(m) : a.holds(m) || b.holds(m);
            },
            true};
}

}  // namespace

TEST_CASE("conditions by chance hold exactly where a model says so") {
    constexpr std::uint64_t kSeed = 4711;
    CAPTURE(kSeed);
    Random random(kSeed);
    Item values{{":N", Attribute::of_text("N")}};
    for (int i = 0; i < kNumbers + 3; ++i)
        values[":v" + std::to_string(i)] = Attribute::of_number(i);
    int true_ones = 0;
    for (int round = 0; round < 4000; ++round) {
        const Written written = write_condition(random, static_cast<int>(random.below(5)));
        CAPTURE(written.text);
        ExpressionScope placeholders({}, values);
        const auto condition = parse_condition(written.text, "ConditionExpression", placeholders);
        REQUIRE_MESSAGE(condition.has_value(), condition.error().message);
        for (int k = 0; k < 8; ++k) {
            Model model;
            Item made;
            for (int name = 0; name < kNames; ++name) {
                int& value = model[static_cast<std::size_t>(name)];
                value = static_cast<int>(random.below(kNumbers + 1)) - 1;
                if (value >= 0) made[attribute_name(name)] = Attribute::of_number(value);
            }
            REQUIRE(holds(*condition, made) == written.holds(model));
            true_ones += written.holds(model) ? 1 : 0;
        }
    }
    CHECK(true_ones > 4000);
    CHECK(true_ones < 28'000);
}
