#include "producer/endpoint.h"

#include <doctest/doctest.h>

using tidemill::client::Endpoint;

TEST_SUITE("producer/endpoint") {
    TEST_CASE("an endpoint is host and port, with or without the scheme") {
        CHECK_EQ(Endpoint::parse("localhost")->port, 4567);
        CHECK_EQ(Endpoint::parse("tidemill://a.b:99/")->to_string(), "a.b:99");
        CHECK_EQ(Endpoint::parse("[::1]:7")->host, "::1");
        CHECK_EQ(Endpoint::parse("[::1]:7")->to_string(), "[::1]:7");
        for (const char* bad :
             {"", ":1", "a:", "a:x", "a:70000", "a:0", "::1:7", "[::1", "http://a:1"})
            CHECK_MESSAGE(!Endpoint::parse(bad).has_value(), bad);
    }
}
