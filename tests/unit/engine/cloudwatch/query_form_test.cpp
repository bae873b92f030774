#include "engine/cloudwatch/query_form.h"

#include <doctest/doctest.h>
#include <zlib.h>

#include "engine/cloudwatch/gzip.h"

using namespace tidemill;
using namespace tidemill::cloudwatch;

namespace {

std::string gzip(std::string_view text) {
    z_stream stream{};
    REQUIRE(deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    std::string out(text.size() + 1000, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

}  // namespace

TEST_CASE("members become lists, their numbers give the order") {
    const auto form = parse_query_form("A.member.10.x=ten&A.member.2.x=two&b=1+2%263&empty=&flag");
    REQUIRE(form.has_value());
    const auto* list = form->find("A")->list();
    REQUIRE(list != nullptr);
    REQUIRE(list->size() == 2);
    CHECK((*list)[0].text_or("x", "") == "two");
    CHECK((*list)[1].text_or("x", "") == "ten");
    CHECK(form->text_or("b", "") == "1 2&3");
    CHECK(form->text_or("empty", "?").empty());
    CHECK(form->text_or("flag", "?").empty());
    CHECK(raw_parameter("a=1&Action=PutMetricData&b", "Action") == "PutMetricData");
    CHECK(raw_parameter("a=1", "Action").empty());
}

TEST_CASE("forms that are none are refused") {
    CHECK_FALSE(parse_query_form("a=%4").has_value());
    CHECK_FALSE(parse_query_form("a=%zz").has_value());
    CHECK_FALSE(parse_query_form("a=%ff").has_value());
    CHECK_FALSE(parse_query_form("a=1&a.b=2").has_value());
    CHECK_FALSE(parse_query_form("a.b=2&a=1").has_value());
    CHECK_FALSE(parse_query_form("a.b.c.d.e.f.g.h.i.j.k.l.m.n=1").has_value());
    CHECK(parse_query_form("").has_value());
}

TEST_CASE("gzip bodies are opened whole or not at all") {
    const std::string text = std::string(200'000, 'a') + "end";
    const std::string packed = gzip(text);
    CHECK(gunzip(packed, text.size()) == text);
    CHECK(gunzip(packed + gzip("more"), text.size() + 4) == text + "more");
    CHECK_FALSE(gunzip(packed, text.size() - 1).has_value());
    for (std::size_t size = 0; size < packed.size(); ++size)
        REQUIRE_FALSE(gunzip(std::string_view(packed).substr(0, size), text.size()).has_value());
    CHECK_FALSE(gunzip(packed + "x", text.size()).has_value());
    std::string altered = packed;
    altered[altered.size() - 6] ^= 1;  // of the checksum
    CHECK_FALSE(gunzip(altered, text.size()).has_value());
    CHECK_FALSE(gunzip("plain text", 100).has_value());
}
