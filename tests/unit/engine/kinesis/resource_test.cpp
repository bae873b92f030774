#include <doctest/doctest.h>
#include <fmt/format.h>

#include "tests/unit/engine/kinesis/kinesis_fixture.h"

using namespace tidemill;
using namespace tidemill::kinesis;

namespace {

std::string of(std::string_view arn, std::string_view more = "") {
    return fmt::format(R"({{"ResourceARN":"{}"{}}})", arn, more);
}

struct Resources : KinesisFixture {
    std::string consumer;

    Resources() {
        create("s");
        const Value made =
            call("RegisterStreamConsumer",
                 fmt::format(R"({{"StreamARN":"{}","ConsumerName":"c","Tags":{{"made":"yes"}}}})",
                             kStreamArn));
        consumer = made.find("Consumer")->text_or("ConsumerARN", "");
    }
    std::string tags(std::string_view arn) {
        std::string all;
        const Value answer = call("ListTagsForResource", of(arn));
        for (const Value& tag : *answer.find("Tags")->list())
            all += fmt::format("{}={};", tag.text_or("Key", ""), tag.text_or("Value", ""));
        return all;
    }
};

}  // namespace

TEST_CASE("streams and consumers have tags of their own, by their ARNs") {
    Resources f;
    f.call("TagResource", of(kStreamArn, R"(,"Tags":{"a":"1","b":"2"})"));
    f.call("TagResource", of(f.consumer, R"(,"Tags":{"x":""})"));
    CHECK(f.tags(kStreamArn) == "a=1;b=2;");
    CHECK(f.tags(f.consumer) == "made=yes;x=;");
    f.call("UntagResource", of(f.consumer, R"(,"TagKeys":["made","never there"])"));
    f.call("AddTagsToStream", R"({"StreamName":"s","Tags":{"a":"3"}})");
    f.restart();
    CHECK(f.tags(kStreamArn) == "a=3;b=2;");
    CHECK(f.tags(f.consumer) == "x=;");
    std::string many;
    for (int i = 0; i < 51; ++i)
        many += fmt::format(R"({}"k{}":"v")", i == 0 ? "" : ",", i);
    CHECK(f.answer("TagResource", of(f.consumer, R"(,"Tags":{)" + many + "}")).type() ==
          "InvalidArgumentException");
}

TEST_CASE("a resource that is not there has neither tags nor policies") {
    Resources f;
    const std::string stream = "arn:aws:kinesis:us-east-1:000000000000:";
    for (const auto* operation :
         {"ListTagsForResource", "GetResourcePolicy", "DeleteResourcePolicy"}) {
        f.refused("ResourceNotFoundException", "Stream none under account 000000000000 not found.",
                  operation, of(stream + "stream/none"));
        f.refused("ResourceNotFoundException",
                  "Consumer d under stream s under account 000000000000 not found.", operation,
                  of(std::string(kStreamArn) + "/consumer/d:1700000000"));
        f.refused("ResourceNotFoundException", "Resource " + stream + "channel/x not found.",
                  operation, of(stream + "channel/x"));
        CHECK(f.answer(operation, of("arn:aws:s3:::bucket")).type() == "ValidationException");
        CHECK(f.answer(operation, of(stream + "stream/")).type() == "ValidationException");
    }
}

TEST_CASE("policies are kept as they were given, and must be policies") {
    Resources f;
    const std::string policy =
        R"({\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",)"
        R"(\"Principal\":{\"AWS\":\"123456789012\"},\"Action\":\"kinesis:GetRecords\",)"
        R"(\"Resource\":\"*\"}]})";
    for (const std::string& arn : {std::string(kStreamArn), f.consumer}) {
        f.refused("ResourceNotFoundException", "No resource policy found for resource ARN " + arn,
                  "GetResourcePolicy", of(arn));
        for (const auto* bad : {"", "{", "[]", "5", R"({\"Version\":\"2012-10-17\"})"})
            CHECK(f.answer("PutResourcePolicy", of(arn, fmt::format(R"(,"Policy":"{}")", bad)))
                      .type() == "InvalidArgumentException");
        f.call("PutResourcePolicy", of(arn, fmt::format(R"(,"Policy":"{}")", policy)));
    }
    f.restart();
    for (const std::string& arn : {std::string(kStreamArn), f.consumer}) {
        const Value got = f.call("GetResourcePolicy", of(arn));
        CHECK(got.text_or("Policy", "").starts_with(R"({"Version":"2012-10-17","Statement")"));
        f.call("DeleteResourcePolicy", of(arn));
        CHECK(f.answer("DeleteResourcePolicy", of(arn)).type() == "ResourceNotFoundException");
    }
}
