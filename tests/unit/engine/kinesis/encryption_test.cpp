#include <doctest/doctest.h>
#include <fmt/format.h>

#include "tests/unit/engine/kinesis/kinesis_fixture.h"

using namespace tidemill;
using namespace tidemill::kinesis;

namespace {

EncryptionOptions with_key() {
    EncryptionOptions options;
    const std::vector<std::byte> key(32, std::byte{7});
    options.keys = std::make_shared<const KeyRing>(MasterKey(Secret(key)));
    return options;
}

constexpr const char* kStart =
    R"({"StreamName":"s","EncryptionType":"KMS","KeyId":"alias/aws/kinesis"})";
constexpr const char* kPut = R"({"StreamName":"s","Data":"aGk=","PartitionKey":"k"})";

}  // namespace

TEST_CASE("answers and records say whether they were encrypted") {
    KinesisFixture f(with_key());
    f.create("s");
    CHECK(f.call("PutRecord", kPut).text_or("EncryptionType", "") == "NONE");
    CHECK(*f.summary("EncryptionType").text() == "NONE");
    CHECK(f.summary("KeyId").is_null());
    f.call("StartStreamEncryption", kStart);
    CHECK(*f.summary("EncryptionType").text() == "KMS");
    CHECK(*f.summary("KeyId").text() == "alias/aws/kinesis");
    CHECK(f.call("PutRecord", kPut).text_or("EncryptionType", "") == "KMS");
    CHECK(f.call("PutRecords", R"({"StreamName":"s","Records":[{"Data":"","PartitionKey":"k"}]})")
              .text_or("EncryptionType", "") == "KMS");
    f.restart();
    f.call("StopStreamEncryption", kStart);
    CHECK(f.call("PutRecord", kPut).text_or("EncryptionType", "") == "NONE");
    std::string types;
    for (const Value& record : f.read())
        types += std::string(record.text_or("EncryptionType", "-")) + " ";
    CHECK(types == "NONE KMS KMS NONE ");
}

TEST_CASE("without a master key encryption is refused as a key that is not there") {
    KinesisFixture f;
    f.create("s");
    CHECK(f.answer("StartStreamEncryption", kStart).type() == "KMSNotFoundException");
    CHECK(*f.summary("EncryptionType").text() == "NONE");
    CHECK(f.answer("StartStreamEncryption",
                   R"({"StreamName":"s","EncryptionType":"NONE","KeyId":"k"})")
              .type() == "InvalidArgumentException");
    f.refused("ResourceNotFoundException", "Stream none under account 000000000000 not found.",
              "StopStreamEncryption",
              R"({"StreamName":"none","EncryptionType":"KMS","KeyId":"k"})");
}
