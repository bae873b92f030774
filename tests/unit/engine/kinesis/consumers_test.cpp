#include <doctest/doctest.h>
#include <fmt/format.h>

#include "tests/unit/engine/kinesis/kinesis_fixture.h"

using namespace tidemill;
using namespace tidemill::kinesis;

namespace {

std::string of_stream(std::string_view more = "") {
    return fmt::format(R"({{"StreamARN":"{}"{}}})", kStreamArn, more);
}
std::string by_arn(std::string_view arn, std::string_view more = "") {
    return fmt::format(R"({{"ConsumerARN":"{}"{}}})", arn, more);
}

std::string register_consumer(KinesisFixture& f, std::string_view name) {
    const Value made =
        f.call("RegisterStreamConsumer", of_stream(fmt::format(R"(,"ConsumerName":"{}")", name)));
    return std::string(made.find("Consumer")->text_or("ConsumerARN", ""));
}

}  // namespace

TEST_CASE("a consumer is described by its ARN, by its name, or by both") {
    KinesisFixture f;
    f.create("s");
    const std::string arn = register_consumer(f, "c");
    const auto created = to_millis(f.find("s")->consumers.front().created);
    CHECK(arn == fmt::format("{}/consumer/c:{}", kStreamArn, created / 1000));
    for (const auto& request :
         {by_arn(arn), of_stream(R"(,"ConsumerName":"c")"),
          by_arn(arn, fmt::format(R"(,"ConsumerName":"c","StreamARN":"{}")", kStreamArn))}) {
        const Value answer = f.call("DescribeStreamConsumer", request);
        const Value* consumer = answer.find("ConsumerDescription");
        REQUIRE(consumer != nullptr);
        CHECK(consumer->text_or("ConsumerARN", "") == arn);
        CHECK(consumer->text_or("ConsumerName", "") == "c");
        CHECK(consumer->text_or("ConsumerStatus", "") == "ACTIVE");
        CHECK(consumer->text_or("StreamARN", "") == kStreamArn);
        CHECK(consumer->find("ConsumerCreationTimestamp")->number() ==
              static_cast<double>(created) / 1000);
    }
    CHECK(*f.summary("ConsumerCount").integer() == 1);
    f.restart();
    CHECK(f.answer("DescribeStreamConsumer", by_arn(arn)).status == 200);
}

TEST_CASE("what names no consumer, or two, is refused") {
    KinesisFixture f;
    f.create("s");
    const std::string arn = register_consumer(f, "c");
    for (const auto* operation : {"DescribeStreamConsumer", "DeregisterStreamConsumer"}) {
        f.refused("ResourceNotFoundException",
                  "Consumer d under stream s under account 000000000000 not found.", operation,
                  of_stream(R"(,"ConsumerName":"d")"));
        // Another consumer of that name: the number in the ARN says which.
        f.refused("ResourceNotFoundException",
                  "Consumer c under stream s under account 000000000000 not found.", operation,
                  by_arn(fmt::format("{}/consumer/c:1", kStreamArn)));
        f.refused("ResourceNotFoundException", "Stream none under account 000000000000 not found.",
                  operation,
                  by_arn("arn:aws:kinesis:us-east-1:000000000000:stream/none/consumer/c:1"));
        f.refused("InvalidArgumentException",
                  "Either ConsumerARN or both StreamARN and ConsumerName must be specified.",
                  operation, of_stream());
        CHECK(f.answer(operation, by_arn(arn, R"(,"ConsumerName":"d")")).type() ==
              "InvalidArgumentException");
        CHECK(f.answer(operation, by_arn(kStreamArn)).type() == "ValidationException");
    }
    f.refused("ResourceInUseException",
              "Consumer c under stream s under account 000000000000 already exists.",
              "RegisterStreamConsumer", of_stream(R"(,"ConsumerName":"c")"));
}

TEST_CASE("a consumer registered again is another one") {
    KinesisFixture f;
    f.create("s");
    const std::string first = register_consumer(f, "c");
    CHECK(f.call("DeregisterStreamConsumer", by_arn(first)).is_null());
    CHECK(f.answer("DescribeStreamConsumer", by_arn(first)).type() == "ResourceNotFoundException");
    const std::string second = register_consumer(f, "c");
    CHECK(second != first);
    CHECK(f.answer("DescribeStreamConsumer", by_arn(first)).type() == "ResourceNotFoundException");
    CHECK(f.answer("DescribeStreamConsumer", by_arn(second)).status == 200);
}

TEST_CASE("consumers are listed in pages, by tokens that belong to their stream and expire") {
    KinesisFixture f;
    f.create("s");
    f.create("other");
    for (const auto* name : {"b", "d", "a", "c"})
        register_consumer(f, name);
    std::string names, token;
    do {
        const std::string more = token.empty() ? "" : fmt::format(R"(,"NextToken":"{}")", token);
        const Value page = f.call("ListStreamConsumers", of_stream(R"(,"MaxResults":3)" + more));
        for (const Value& consumer : *page.find("Consumers")->list())
            names += consumer.text_or("ConsumerName", "");
        token = page.text_or("NextToken", "");
    } while (!token.empty());
    CHECK(names == "abcd");

    const Value page = f.call("ListStreamConsumers", of_stream(R"(,"MaxResults":1)"));
    const std::string with_token =
        fmt::format(R"(,"NextToken":"{}")", page.text_or("NextToken", ""));
    f.refused(
        "InvalidArgumentException", "NextToken is not valid.", "ListStreamConsumers",
        R"({"StreamARN":"arn:aws:kinesis:us-east-1:000000000000:stream/other")" + with_token + "}");
    f.refused("InvalidArgumentException",
              "NextToken and StreamCreationTimestamp cannot be provided together.",
              "ListStreamConsumers", of_stream(with_token + R"(,"StreamCreationTimestamp":1)"));
    f.reactor.advance(std::chrono::seconds(301));
    CHECK(f.answer("ListStreamConsumers", of_stream(with_token)).type() ==
          "ExpiredNextTokenException");
    CHECK(f.answer("ListStreamConsumers", of_stream(R"(,"StreamCreationTimestamp":1)")).type() ==
          "ResourceNotFoundException");
}

TEST_CASE("a stream with consumers is deleted by force only") {
    KinesisFixture f;
    f.create("s");
    register_consumer(f, "c");
    f.refused("ResourceInUseException",
              "DeleteStream can't delete arn:aws:kinesis:us-east-1:000000000000:stream/s because "
              "there are consumers associated with this data stream. To delete s anyway, set the "
              "EnforceConsumerDeletion parameter to true to force the deletion of all the "
              "consumers that are associated with it.",
              "DeleteStream", R"({"StreamName":"s"})");
    f.call("DeleteStream", R"({"StreamName":"s","EnforceConsumerDeletion":true})");
    f.create("s");
    CHECK(f.find("s")->consumers.empty());
}
