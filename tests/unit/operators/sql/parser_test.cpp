#include "operators/sql/parser.h"

#include <string>

#include <doctest/doctest.h>

#include "engine/base/random.h"
#include "operators/sql/discover_parser.h"
#include "operators/sql/printer.h"

using namespace tidemill;
using namespace tidemill::sql;

namespace {

// A random expression as text, of every kind that the grammar has.
std::string random_expression(Random& random, int depth) {
    const auto sub = [&] { return random_expression(random, depth - 1); };
    if (depth == 0) {
        static constexpr const char* kLeaves[] = {"1",
                                                  "2.50",
                                                  "1e3",
                                                  "'it''s'",
                                                  "NULL",
                                                  "TRUE",
                                                  "a",
                                                  "s.\"b c\"",
                                                  "ROWTIME",
                                                  "TIMESTAMP '2024-02-29 01:02:03'",
                                                  "DATE '2024-01-01'",
                                                  "INTERVAL '1:30' MINUTE TO SECOND",
                                                  "INTERVAL -'5' DAY",
                                                  "CURRENT_TIMESTAMP",
                                                  "COUNT(*)",
                                                  "\"select\"",
                                                  "9223372036854775807",
                                                  "UNKNOWN",
                                                  "X'3F00'",
                                                  "U&'a\\0009\\\\'",
                                                  "5."};
        return kLeaves[random.below(std::size(kLeaves))];
    }
    switch (random.below(25)) {
        case 0:
            return sub() + " + " + sub();
        case 1:
            return sub() + " AND NOT " + sub();
        case 2:
            return "(" + sub() + ") = (" + sub() + ")";
        case 3:
            return "(" + sub() + ") BETWEEN (" + sub() + ") AND (" + sub() + ")";
        case 4:
            return "(" + sub() + ") NOT IN (" + sub() + ", " + sub() + ")";
        case 5:
            return "(" + sub() + ") LIKE 'a%' ESCAPE '!'";
        case 6:
            return "CASE WHEN " + sub() + " THEN " + sub() + " ELSE " + sub() + " END";
        case 7:
            return "CASE " + sub() + " WHEN " + sub() + " THEN " + sub() + " END";
        case 8:
            return "CAST(" + sub() + " AS DECIMAL(10,2))";
        case 9:
            return "-" + std::string("(") + sub() + ")";
        case 10:
            return "SUBSTRING(" + sub() + " FROM 1 FOR 2)";
        case 11:
            return "STEP(" + sub() + " BY INTERVAL '1' MINUTE)";
        case 12:
            return "FLOOR((" + sub() + ") TO HOUR) || EXTRACT(YEAR FROM " + sub() + ")";
        case 13:
            return "(" + sub() + ") IS NOT NULL OR (" + sub() + ") IS UNKNOWN";
        case 14:
            return "TRIM(LEADING 'x' FROM " + sub() + ")";
        case 15:
            return "SUM(" + sub() + ") OVER (PARTITION BY a RANGE INTERVAL '1' HOUR PRECEDING)";
        case 16:
            return "(" + sub() + ") IS NOT DISTINCT FROM (" + sub() + ")";
        case 17:
            return "(" + sub() + ", " + sub() + ") IN (ROW(1, 2), (3, " + sub() + "))";
        case 18:
            return "(PERIOD(" + sub() + ", b) STRICTLY CONTAINS (c, " + sub() +
                   ") PRECEDES PERIOD(c, d))";
        case 19:
            return "SUBSTRING((" + sub() + ") SIMILAR 'a#\"b#\"c' ESCAPE '#') || SUBSTRING(a, 2)";
        case 20:
            return "CAST(" + sub() + " AS INTERVAL DAY TO SECOND)";
        case 21:
            return "\"my f\"(" + sub() + ") + STEP(a BY INTERVAL '1' YEAR)";
        case 22:
            return "COUNT(DISTINCT " + sub() + ") FILTER (WHERE " + sub() +
                   ") + SUM(a) FILTER (WHERE " + sub() + ") OVER w";
        case 23:
            return "ROW_NUMBER() OVER (PARTITION BY " + sub() + ", b ORDER BY " + sub() +
                   " DESC, c)";
        default:
            return "(a - b) DAY TO SECOND * " + sub();
    }
}

std::string message_of(const std::string& text) {
    const auto parsed = parse(text);
    return parsed ? std::string("accepted") : parsed.error().to_string();
}

}  // namespace

TEST_SUITE("operators/sql") {
    TEST_CASE("printing and parsing again gives the same text, for random expressions") {
        for (std::uint64_t seed = 1; seed <= 3000; ++seed) {
            CAPTURE(seed);
            Random random(seed);
            const auto text = random_expression(random, 1 + static_cast<int>(random.below(4)));
            const auto first = parse_expression(text);
            REQUIRE_MESSAGE(first.has_value(), text, "\n", first ? "" : first.error().to_string());
            const auto printed = print(**first);
            const auto second = parse_expression(printed);
            REQUIRE_MESSAGE(second.has_value(), printed, "\n",
                            second ? "" : second.error().to_string());
            CHECK_EQ(print(**second), printed);
        }
    }

    TEST_CASE("whole applications survive printing") {
        const auto parsed = parse(
            "CREATE OR REPLACE STREAM \"D\" (\"a b\" VARCHAR(3) NOT NULL, c DOUBLE PRECISION) "
            "DESCRIPTION 'it''s';"
            "CREATE OR REPLACE FUNCTION f (a INTEGER, \"b c\" VARCHAR(3)) RETURNS DOUBLE LANGUAGE "
            "SQL NOT DETERMINISTIC CONTAINS SQL RETURNS NULL ON NULL INPUT RETURN a + 1;"
            "CREATE PUMP p STOPPED AS INSERT INTO D (c) SELECT STREAM x.*, SUM(a) AS s FROM "
            "TABLE(RANDOM_CUT_FOREST("
            "CURSOR(SELECT STREAM * FROM s) PARTITION BY (k, UPPER(n)), 10)) AS x WHERE a > 1 "
            "GROUP BY FLOOR(x.ROWTIME TO "
            "DAY), b HAVING COUNT(*) > 2"
            " UNION ALL SELECT LAG(a, 2) IGNORE NULLS OVER (ROWS 3 PRECEDING), NTH_VALUE(a, 2) "
            "FROM LAST "
            "OVER (ROWS 3 PRECEDING) FROM s WINDOWED BY STAGGER (PARTITION BY k, FLOOR(t TO DAY) "
            "RANGE INTERVAL '90' SECOND)"
            " UNION ALL SELECT DISTINCT y FROM (SELECT STREAM z AS y FROM q EMIT ON UPDATE) AS w"
            " EMIT CHANGES WITH (state_limit = 10, state_ttl = '1 hour');"
            "CREATE PUMP q AS INSERT INTO D SELECT emit, \"with\" FROM s emit WITH (state_full = "
            "evict);"
            "CREATE PUMP r AS INSERT INTO D SELECT a FROM s GROUP BY a EMIT PERIODIC INTERVAL '5' "
            "SECOND WITH (state_limit = 3);"
            "CREATE PUMP t AS INSERT INTO D SELECT a FROM s GROUP BY a EMIT AFTER WINDOW CLOSE;"
            "CREATE TABLE t (a INTEGER) WITH (file = 't.csv', header = true);"
            "CREATE PUMP j AS INSERT INTO D SELECT STREAM o.ROWTIME, t.* FROM a OVER (RANGE "
            "INTERVAL "
            "'1' HOUR FOLLOWING) o JOIN b OVER w AS s (x, y) ON o.x = s.x AND s.y > 1 LEFT OUTER "
            "JOIN t "
            "USING (x, y), (c NATURAL FULL JOIN d) OVER (ORDER BY c.ROWTIME ROWS 3 PRECEDING), e "
            "CROSS "
            "JOIN (f RIGHT JOIN (SELECT STREAM * FROM g) AS g ON TRUE) WINDOW w AS (RANGE CURRENT "
            "ROW);"
            "CREATE STREAM s (a INTEGER NOT NULL PATH '$[''x''].b', b VARCHAR(2)) DESCRIPTION 'd' "
            "WITH (source = 'c''s', start = latest, parallelism = 3, \"low\" = -1.5);"
            "CREATE STREAM t WITH (source = 'x');"
            "CREATE STREAM e (t TIMESTAMP, \"k\" INTEGER, WATERMARK FOR t AS t - INTERVAL '90' "
            "SECOND) WITH (idle_timeout = '5 s');"
            "CREATE PUMP w AS INSERT INTO D SELECT STREAM window_end FROM HOP(TABLE e, "
            "DESCRIPTOR(t), INTERVAL '2' SECOND, INTERVAL '1' MINUTE) AS h, TABLE(SESSION((SELECT "
            "STREAM * FROM e) PARTITION BY k, x, DESCRIPTOR(e.ROWTIME), INTERVAL '1' HOUR));");
        REQUIRE_MESSAGE(parsed.has_value(), (parsed ? "" : parsed.error().to_string()));
        const auto printed = print(*parsed);
        const auto again = parse(printed);
        REQUIRE_MESSAGE(again.has_value(), printed);
        CHECK_EQ(print(*again), printed);
    }

    TEST_CASE("DISCOVER SCHEMA survives printing, and says what it expected") {
        for (const DiscoverStatement& statement :
             {DiscoverStatement{false, "clicks"}, DiscoverStatement{true, "it's/a file.json"}})
            CHECK_EQ(*parse_discover(print(statement)), statement);
        CHECK_FALSE(parse_discover("SELECT 1")->has_value());
        CHECK(parse_discover("DISCOVER SCHEMA FROM x")
                  .error()
                  .to_string()
                  .find("Expected STREAM 'name' or FILE 'path', found X") != std::string::npos);
        CHECK_FALSE(parse_discover("DISCOVER SCHEMA FROM STREAM 'x'; SELECT 1").has_value());
    }

    TEST_CASE("precedence is that of SQL") {
        CHECK_EQ(print(**parse_expression("a OR b AND NOT c = d + e * f")),
                 "A OR (B AND (NOT (C = (D + (E * F)))))");
        CHECK_EQ(print(**parse_expression("a - b - c")), "(A - B) - C");
        CHECK_EQ(print(**parse_expression("a BETWEEN 1 AND 2 AND b")), "(A BETWEEN 1 AND 2) AND B");
    }

    TEST_CASE("errors say where, what was expected, and show the place") {
        CHECK_EQ(message_of("CREATE STREAM s (a INTEGER,\n  b VARCAR(3))"),
                 "line 2, column 5: Expected a type, found VARCAR. Did you mean VARCHAR?\n  b "
                 "VARCAR(3))\n    ^^^^^^");
        CHECK(message_of("CREATE PUMP p AS INSERT INTO d SELECT a,")
                  .find("Expected an expression, found the end") != std::string::npos);
        CHECK(message_of("SELECT 1").find("stands inside a pump") != std::string::npos);
        CHECK(message_of("CREATE STREAM s (a 'x').").find("Expected a type") != std::string::npos);
        CHECK(message_of("/* no end").find("no end") != std::string::npos);
    }

    TEST_CASE("deep and long texts are refused, not followed down the stack") {
        CHECK_FALSE(parse_expression(std::string(50'000, '(')));
        CHECK_FALSE(parse_expression(std::string(20'000, '+') + "1"));
        std::string sum = "1";
        for (int i = 0; i < 20'000; ++i)
            sum += "+1";
        CHECK_FALSE(parse_expression(sum));
        std::string query = "SELECT a FROM ";
        for (int i = 0; i < 1000; ++i)
            query += "(SELECT a FROM ";
        CHECK_FALSE(parse_select(query));
        CHECK(parse_expression(std::string(100, '(') + "1" + std::string(100, ')')).has_value());
    }

    TEST_CASE("random bytes and cut texts never crash the parser") {
        const std::string good =
            "CREATE PUMP p AS INSERT INTO d SELECT CASE WHEN a IN (1,2) THEN 'x' END FROM s;";
        for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
            Random random(seed);
            std::string text = good.substr(0, random.below(good.size() + 1));
            for (std::uint64_t i = random.below(4); i > 0 && !text.empty(); --i)
                text[random.below(text.size())] = static_cast<char>(random.below(256));
            const auto parsed = parse(text);
            if (!parsed) CHECK_GE(parsed.error().line, 1);
        }
    }
}
