#include "engine/kinesis/put_request.h"

#include <doctest/doctest.h>

#include "engine/aws/document_writer.h"
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

/// The same request as kPlain in CBOR, as the Java SDKs write it.
std::string plain_cbor() {
    std::string body;
    DocumentWriter out(body, Encoding::Cbor);
    out.begin_object().member("StreamName", std::string_view("s")).key("Records").begin_array();
    out.begin_object().key("Data").blob(as_bytes("hi"));
    out.member("PartitionKey", std::string_view("p")).end_object();
    out.begin_object().member("PartitionKey", std::string_view("kü"));
    out.member("ExplicitHashKey", std::string_view("7")).key("Data").blob({}).end_object();
    out.end_array().end_object();
    return body;
}

std::string message_of(std::string_view text) {
    const Body body(text);
    const auto request = decode_put_records(body.view(), Encoding::Json);
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
    const auto request = decode_put_records(body.view(), Encoding::Json);
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
            R"({"StreamName":"s","Records":[{"Data":"aGk=","PartitionKey":""},{"PartitionKey":"k"}]})") ==
        "ValidationException: 2 validation errors detected: Value '' at "
        "'records.1.member.partitionKey' "
        "failed to satisfy constraint: Member must have length greater than or equal to 1; Value "
        "null at "
        "'records.2.member.data' failed to satisfy constraint: Member must not be null");
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

TEST_CASE("a plain CBOR body goes the fast way and gives what JSON gives") {
    const std::string body = plain_cbor();
    const auto fast = decode_put_records_fast_cbor(body);
    REQUIRE(fast);
    const auto thorough = decode_put_records_thorough(body, Encoding::Cbor);
    REQUIRE(thorough);
    check_same(*fast, *thorough);
    const Body json(kPlain);
    const auto same = decode_put_records(json.view(), Encoding::Json);
    REQUIRE(same);
    check_same(*fast, *same);
}

TEST_CASE("CBOR that the fast way passes on is understood by the thorough one") {
    const auto decoded = [](std::string_view from, std::string_view to) {
        std::string body = plain_cbor();
        const auto at = body.find(from);
        REQUIRE(at != std::string::npos);
        body.replace(at, from.size(), to);
        CHECK_FALSE(decode_put_records_fast_cbor(body));
        auto request = decode_put_records(body, Encoding::Cbor);
        const std::string said = request ? "" : request.error().message;
        return std::pair(request ? as_text(request->records[0].data) == "hi" : false, said);
    };
    // In pieces; with a member of a newer model; with a null; in base64.
    CHECK(decoded("\x42hi", "\x5f\x41h\x41i\xff").first);
    CHECK(decoded("\x6aStreamName", "\x63New\x81\x01\x6aStreamName").first);
    CHECK(decoded("\x67Records", "\x69StreamARN\xf6\x67Records").first);
    CHECK(decoded("\x42hi",
                  "\x64"
                  "aGk=")
              .first);
    CHECK(decoded("\x42hi", "\x18\x2a").second ==
          "class java.lang.Integer can not be converted to a Blob");
    CHECK(decoded("\x61p", "\x42hi").second ==
          "class java.nio.HeapByteBuffer can not be converted to an String");
    CHECK(decoded("\x61p", "\x60").second ==
          "1 validation error detected: Value '' at 'records.1.member.partitionKey' failed to "
          "satisfy constraint: Member must have length greater than or equal to 1");
    CHECK(decoded("\x42hi", "\x42h").second.empty());
}

TEST_CASE("mutations of valid CBOR never let the fast way accept what the thorough one refuses") {
    Random random(20261123);
    int accepted = 0;
    const std::string plain = plain_cbor();
    for (int round = 0; round < 20000; ++round) {
        std::string body = plain;
        for (std::uint64_t edits = random.below(3) + 1; edits > 0 && !body.empty(); --edits) {
            const std::size_t at = random.below(body.size());
            if (random.chance(0.5))
                body[at] = static_cast<char>(random.next());
            else if (random.chance(0.5))
                body.erase(at, random.below(4));
            else
                body.insert(at, 1, body[random.below(body.size())]);
        }
        const auto fast = decode_put_records_fast_cbor(body);
        if (!fast) continue;
        ++accepted;
        const auto thorough = decode_put_records_thorough(body, Encoding::Cbor);
        REQUIRE(thorough);
        check_same(*fast, *thorough);
    }
    CHECK(accepted > 100);
}
