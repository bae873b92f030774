#include "engine/kinesis/put_request.h"

#include <doctest/doctest.h>

#include "engine/base/random.h"
#include "engine/http/http_limits.h"

using namespace tidemill;
using namespace tidemill::kinesis;

namespace {

/// A body with the padding that decoders may read.
struct Body {
    explicit Body(std::string_view text) : bytes(text), size(text.size()) {
        bytes.resize(size + kBodyPadding);
    }
    std::string_view view() const { return std::string_view(bytes).substr(0, size); }
    std::string bytes;
    std::size_t size;
};

constexpr std::string_view kPlain =
    R"({"StreamName": "s", "Records": [{"Data": "aGk=", "PartitionKey": "p"},)"
    R"({"PartitionKey":"kü","ExplicitHashKey":"7","Data":""}]})";

std::string message_of(std::string_view text) {
    const Body body(text);
    const auto request = decode_put_records(body.view());
    return request ? "(none)" : std::string(request.error().type) + ": " + request.error().message;
}

void check_same(const PutRequest& a, const PutRequest& b) {
    CHECK(a.stream_name == b.stream_name);
    CHECK(a.stream_arn == b.stream_arn);
    REQUIRE(a.records.size() == b.records.size());
    for (std::size_t i = 0; i < a.records.size(); ++i) {
        CHECK(a.records[i].partition_key == b.records[i].partition_key);
        CHECK(as_text(a.records[i].data) == as_text(b.records[i].data));
        CHECK((a.records[i].explicit_hash_key == b.records[i].explicit_hash_key));
    }
}

}  // namespace

TEST_CASE("a plain body goes the fast way and gives what the thorough way gives") {
    const Body body(kPlain);
    const auto fast = decode_put_records_fast(body.view());
    REQUIRE(fast);
    CHECK(as_text(fast->records[0].data) == "hi");
    CHECK(fast->records[1].partition_key == "kü");
    const auto thorough = decode_put_records_thorough(body.view());
    REQUIRE(thorough);
    check_same(*fast, *thorough);
}

TEST_CASE("escapes, unknown members and nulls are understood by the thorough way") {
    const Body body(
        R"({"New":{"a":[1]},"StreamName":"s","Records":[{"Data":"aGk\u003d","PartitionKey":"a\"b",)"
        R"("ExplicitHashKey":null}]})");
    CHECK_FALSE(decode_put_records_fast(body.view()));
    const auto request = decode_put_records(body.view());
    REQUIRE(request);
    CHECK(request->records[0].partition_key == "a\"b");
    CHECK(as_text(request->records[0].data) == "hi");
}

TEST_CASE("what is wrong is said in the API's words") {
    CHECK(message_of("{") == "SerializationException: ");
    CHECK(message_of("[]") == "SerializationException: ");
    CHECK(message_of(std::string(kPlain) + "x") == "SerializationException: ");
    CHECK(message_of(R"({"StreamName":"s","Records":{}})") ==
          "SerializationException: Start of structure or map found where not expected.");
    CHECK(message_of(R"({"StreamName":"s","Records":[{"Data":"x","PartitionKey":"p"}]})") ==
          "SerializationException: 'x' can not be converted to a Blob: Base64 encoded length is "
          "expected a "
          "multiple of 4 bytes but found: 1");
    CHECK(
        message_of(
            R"({"StreamName":"s","Records":[{"Data":"aGk=","PartitionKey":""},{"Data":"aGk="}]})") ==
        "ValidationException: 2 validation errors detected: Value '' at "
        "'records.1.member.partitionKey' "
        "failed to satisfy constraint: Member must have length greater than or equal to 1; Value "
        "null at "
        "'records.2.member.partitionKey' failed to satisfy constraint: Member must not be null");
    CHECK(message_of(R"({"StreamName":"a b","Records":[]})") ==
          "ValidationException: 2 validation errors detected: Value 'a b' at 'streamName' failed "
          "to satisfy "
          "constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+; Value '[]' "
          "at "
          "'records' failed to satisfy constraint: Member must have length greater than or equal "
          "to 1");
    CHECK(message_of(R"({"Records":[{"Data":"","PartitionKey":"p",)"
                     R"("ExplicitHashKey":"340282366920938463463374607431768211456"}]})") ==
          "InvalidArgumentException: Invalid ExplicitHashKey. ExplicitHashKey must be in the "
          "range: [0, "
          "2^128-1]. Specified value was 340282366920938463463374607431768211456");
}

TEST_CASE("mutations of a valid body never let the fast way accept what the thorough one refuses") {
    Random random(20261122);
    int accepted = 0;
    for (int round = 0; round < 20000; ++round) {
        std::string text(kPlain);
        for (std::uint64_t edits = random.below(3) + 1; edits > 0; --edits) {
            const std::size_t at = random.below(text.size());
            switch (random.below(3)) {
                case 0:
                    text[at] = static_cast<char>(random.next());
                    break;
                case 1:
                    text.erase(at, random.below(4));
                    break;
                default:
                    text.insert(at, 1, text[random.below(text.size())]);
                    break;
            }
            if (text.empty()) text = "{";
        }
        const Body body(text);
        const auto fast = decode_put_records_fast(body.view());
        if (!fast) continue;
        ++accepted;
        const auto thorough = decode_put_records_thorough(body.view());
        CAPTURE(text);
        REQUIRE(thorough);
        check_same(*fast, *thorough);
    }
    CHECK(accepted > 100);
}
