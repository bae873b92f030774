#include "operators/expr/simple_date_format.h"

#include <doctest/doctest.h>

#include "engine/base/random.h"
#include "operators/expr/pattern.h"

using namespace tidemill;
using namespace tidemill::sql;

TEST_SUITE("operators/expr") {
    TEST_CASE("dates written by a pattern are read back by it") {
        Random random(11);
        for (const auto pattern :
             {"yyyy-MM-dd HH:mm:ss.SSS", "dd/MMM/yyyy:HH:mm:ss Z", "EEE, d MMMM yyyy hh:mm:ss a",
              "yyyyMMddHHmmss", "yyyy-MM-dd'T'HH:mm:ss'Z'"}) {
            for (int i = 0; i < 200; ++i) {
                auto millis = static_cast<std::int64_t>(random.below(4'000'000'000)) * 1000;
                std::string text;
                format_date(text, pattern, millis);
                CAPTURE(text);
                CHECK_EQ(parse_date(pattern, text), millis);
            }
        }
    }

    TEST_CASE("what does not match is no date; zones count; omitted fields default") {
        CHECK_FALSE(parse_date("yyyy-MM-dd", "2023-02-30"));
        // Text behind the end of the pattern does not count.
        CHECK_EQ(parse_date("yyyy-MM-dd", "1970-01-02 03:04"), 86'400'000LL);
        CHECK_FALSE(parse_date("yyyy-MM-dd", "2023-02x"));
        CHECK_EQ(parse_date("yyyy HH:mm Z", "1970 01:00 +0100"), 0);
        CHECK_EQ(parse_date("MM", "02"), 31 * 86'400'000LL);
    }

    TEST_CASE("LIKE patterns keep the characters of regular expressions harmless") {
        CHECK_EQ(pattern_to_regex("a.b%_", std::nullopt, false), "a\\.b.*.");
        CHECK_EQ(pattern_to_regex("!%x", '!', false), "%x");
        CHECK_FALSE(pattern_to_regex("x!", '!', false));
        CHECK_EQ(pattern_to_regex("(a|b)+", std::nullopt, true), "(a|b)+");
    }
}
