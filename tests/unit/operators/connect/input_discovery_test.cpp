#include "operators/connect/input_discovery.h"

#include <doctest/doctest.h>

using namespace tidemill;
using namespace tidemill::sql;

namespace {

DiscoveredInput found_in(const std::vector<std::string>& records) {
    auto found = discover_input(records);
    REQUIRE_MESSAGE(found.has_value(), (found ? "" : found.error().message));
    return std::move(*found);
}

std::string columns_of(const DiscoveredInput& found) {
    std::string text;
    for (std::size_t i = 0; i < found.columns.size(); ++i) {
        text += found.columns[i].name + " " + found.columns[i].type.to_string();
        if (i < found.layout.column_paths.size()) text += " " + found.layout.column_paths[i];
        text += "; ";
    }
    return text;
}

}  // namespace

TEST_SUITE("input discovery") {
    TEST_CASE("types are wide enough for more than the sample") {
        const auto found =
            found_in({R"({"heart_rate":72,"price":1.5,"ok":true,"t":"IBM"})",
                      R"({"heart_rate":130,"at":"2026-01-01 10:00:00","none":null})"});
        CHECK_EQ(columns_of(found),
                 "heart_rate BIGINT $.heart_rate; price DOUBLE $.price; ok BOOLEAN $.ok; "
                 "t VARCHAR(32) $.t; at TIMESTAMP $.at; none VARCHAR(256) $.none; ");
        REQUIRE_EQ(found.rows.size(), 2);
        CHECK_EQ(found.rows[0],
                 std::vector<std::string>{"72", "1.5", "true", "IBM", "NULL", "NULL"});
    }

    TEST_CASE("nested members are columns, the first array of objects is rows, others are text") {
        const auto found = found_in(
            {R"({"name":"n","address":{"city":"c","name":"x"},"orders":[{"id":1},{"id":2,"p":3.5}],)"
             R"("tags":["a"],"more":[{"z":1}]})"});
        CHECK_EQ(columns_of(found),
                 "name VARCHAR(32) $.name; city VARCHAR(32) $.address.city; "
                 "address_name VARCHAR(32) $.address.name; id BIGINT $.orders[0:].id; "
                 "p DOUBLE $.orders[0:].p; tags VARCHAR(4096) $.tags[0:]; "
                 "more VARCHAR(4096) $.more[0:]; ");
        REQUIRE_EQ(found.rows.size(), 2);
        CHECK_EQ(found.rows[1][3], "2");
        CHECK_EQ(found.rows[1][5], "[\"a\"]");
    }

    TEST_CASE("names that SQL does not take are renamed") {
        CHECK_EQ(column_name_for("ticker", 1), "ticker");
        CHECK_EQ(column_name_for("select", 1), "COL_select");
        CHECK_EQ(column_name_for("user-id", 1), "COL_userid");
        CHECK_EQ(column_name_for("2nd", 1), "COL_2nd");
        CHECK_EQ(column_name_for("\xc3\xa4\xc3\xb6", 7), "COL_7");
        CHECK_EQ(column_name_for("", 3), "COL_3");
        CHECK_EQ(column_name_for("___", 3), "COL_3");
        CHECK_EQ(column_name_for(std::string(101, 'a'), 1), "COL_" + std::string(96, 'a'));
        CHECK_EQ(column_name_for(std::string(100, 'a'), 1), std::string(100, 'a'));
        const auto found = found_in({R"({"a-b":1,"ab":2,"a b":3})"});
        CHECK_EQ(columns_of(found),
                 "COL_ab BIGINT $.a-b; ab BIGINT $.ab; COL_ab_2 BIGINT $['a b']; ");
    }

    TEST_CASE("CSV: delimiter, header, columns by position") {
        const auto plain = found_in({"1|x|2.5\n2|y", "3|z|1"});
        CHECK_EQ(columns_of(plain), "COL_1 BIGINT; COL_2 VARCHAR(32); COL_3 DOUBLE; ");
        CHECK_EQ(plain.layout.column_delimiter, "|");
        CHECK_FALSE(plain.layout.has_header);
        CHECK_EQ(plain.rows.size(), 3);
        const auto headed = found_in({"ticker,price,group\nIBM,1.5,a\nAMZN,2,b\n"});
        CHECK_EQ(columns_of(headed), "ticker VARCHAR(32); price DOUBLE; COL_group VARCHAR(32); ");
        CHECK(headed.layout.has_header);
        CHECK_EQ(headed.rows.size(), 2);
        const auto text = found_in({"just a line of a log"});
        CHECK_EQ(columns_of(text), "COL_1 VARCHAR(64); ");
    }

    TEST_CASE("what is found can be declared") {
        CHECK_EQ(create_stream_text(found_in({R"({"a b":1})"}), "S", "clicks"),
                 "CREATE STREAM S (\n    \"COL_ab\" BIGINT PATH '$[''a b'']'\n"
                 ") WITH (source = 'clicks', format = 'json');");
    }

    TEST_CASE("nothing is made of what holds no rows") {
        CHECK_FALSE(discover_input({}).has_value());
        CHECK_FALSE(discover_input(std::vector<std::string>{"\xff\xfe"}).has_value());
        CHECK_FALSE(discover_input(std::vector<std::string>{"{broken"}).has_value());
        CHECK_FALSE(discover_input(std::vector<std::string>{"\n\n"}).has_value());
    }
}
