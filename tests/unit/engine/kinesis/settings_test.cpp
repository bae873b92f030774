#include <set>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "engine/kinesis/put_request.h"
#include "engine/security/base64.h"
#include "tests/unit/engine/kinesis/kinesis_fixture.h"

using namespace tidemill;
using namespace tidemill::kinesis;

namespace {

std::string of_arn(std::string_view more) {
    return fmt::format(R"({{"StreamARN":"{}",{}}})", kStreamArn, more);
}

std::string put(std::size_t bytes, std::string_view more = R"(,"PartitionKey":"k")") {
    const std::string data(bytes, 'x');
    return fmt::format(R"({{"StreamName":"s","Data":"{}"{}}})", base64_encode(as_bytes(data)),
                       more);
}

}  // namespace

TEST_CASE("a stream's mode is changed, and what only ON_DEMAND has goes with it") {
    KinesisFixture f;
    f.create("s", 2);
    f.refused("InvalidArgumentException",
              "RecordDistributionStrategy AUTO is not supported for a stream in PROVISIONED mode.",
              "UpdateStreamRecordDistributionStrategy",
              of_arn(R"("RecordDistributionStrategy":"AUTO")"));
    f.call("UpdateStreamMode", of_arn(R"("StreamModeDetails":{"StreamMode":"ON_DEMAND"})"));
    CHECK(f.summary("StreamModeDetails").text_or("StreamMode", "") == "ON_DEMAND");
    CHECK(f.summary("RecordDistributionStrategy").text()[0] == "USER_PARTITION_KEY");
    CHECK(f.answer("UpdateShardCount", R"({"StreamName":"s","TargetShardCount":4,)"
                                       R"("ScalingType":"UNIFORM_SCALING"})")
              .type() == "ValidationException");
    f.call("UpdateStreamRecordDistributionStrategy",
           of_arn(R"("RecordDistributionStrategy":"AUTO")"));
    f.restart();
    CHECK(f.summary("RecordDistributionStrategy").text()[0] == "AUTO");
    f.call("UpdateStreamMode", of_arn(R"("StreamModeDetails":{"StreamMode":"PROVISIONED"})"));
    CHECK(f.summary("RecordDistributionStrategy").text()[0] == "USER_PARTITION_KEY");
}

TEST_CASE("a stream that distributes records by itself needs no partition key") {
    KinesisFixture f;
    f.call("CreateStream", R"({"StreamName":"s","StreamModeDetails":{"StreamMode":"ON_DEMAND"}})");
    const auto* const no_key =
        "1 validation error detected: Value null at 'partitionKey' failed to satisfy constraint: "
        "Member must not be null";
    f.refused("ValidationException", no_key, "PutRecord", put(1, ""));
    f.refused("ValidationException",
              "1 validation error detected: Value null at 'records.2.member.partitionKey' failed "
              "to satisfy constraint: Member must not be null",
              "PutRecords",
              R"({"StreamName":"s","Records":[{"Data":"","PartitionKey":"k"},{"Data":""}]})");
    f.call("UpdateStreamRecordDistributionStrategy",
           of_arn(R"("RecordDistributionStrategy":"AUTO")"));
    const Value one = f.call("PutRecord", put(1, ""));
    CHECK(one.text_or("SequenceNumber", "").size() == 56);
    const Value many = f.call("PutRecords", R"({"StreamName":"s","Records":[{"Data":""},)"
                                            R"({"Data":"","PartitionKey":"k"},{"Data":""},)"
                                            R"({"Data":"","PartitionKey":"k"}]})");
    std::set<std::string, std::less<>> shards;
    for (const Value& entry : *many.find("Records")->list())
        shards.emplace(entry.text_or("ShardId", ""));
    CHECK(shards.size() == 4);  // evenly over the shards, whatever the key
    // A record without a key is read without one.
    CHECK(f.read(one.text_or("ShardId", "")).front().find("PartitionKey") == nullptr);
}

TEST_CASE("a record is as large as its stream allows") {
    KinesisFixture f;
    f.create("s");
    const auto too_large = [](std::size_t bytes, std::size_t most) {
        return fmt::format(
            "1 validation error detected: Value 'java.nio.HeapByteBuffer[pos=0 "
            "lim={} cap={}]' at 'data' failed to satisfy constraint: Member must "
            "have length less than or equal to {}",
            bytes, bytes, most);
    };
    f.call("PutRecord", put(1_MiB));
    f.refused("ValidationException", too_large(1_MiB + 1, 1_MiB), "PutRecord", put(1_MiB + 1));
    f.call("UpdateMaxRecordSize", of_arn(R"("MaxRecordSizeInKiB":2048)"));
    CHECK(*f.summary("MaxRecordSizeInKiB").integer() == 2048);
    const Value large = f.call("PutRecord", put(2_MiB));
    f.refused("ValidationException", too_large(2_MiB + 1, 2_MiB), "PutRecord", put(2_MiB + 1));
    f.restart();
    f.refused("ValidationException", too_large(2_MiB + 1, 2_MiB), "PutRecord", put(2_MiB + 1));
    f.call("UpdateMaxRecordSize", of_arn(R"("MaxRecordSizeInKiB":10240)"));
    f.call("PutRecord", put(10_MiB));
    const std::string data = base64_encode(as_bytes(std::string(3_MiB, 'y')));
    f.call("PutRecords",
           fmt::format(R"({{"StreamName":"s","Records":[{{"Data":"{}",)"
                       R"("PartitionKey":"k"}},{{"Data":"{}","PartitionKey":"k"}}]}})",
                       data, data));
    // What was written stays readable when the bound goes down.
    f.call("UpdateMaxRecordSize", of_arn(R"("MaxRecordSizeInKiB":1024)"));
    std::vector<std::size_t> sizes;
    for (const Value& record : f.read())
        sizes.push_back(record.text_or("Data", "").size() / 4 * 3 / 1_MiB);
    CHECK(sizes == std::vector<std::size_t>{1, 2, 10, 3, 3});
    f.refused("ValidationException",
              "1 validation error detected: Value '1' at 'maxRecordSizeInKiB' failed to satisfy "
              "constraint: Member must have value greater than or equal to 1024",
              "UpdateMaxRecordSize", of_arn(R"("MaxRecordSizeInKiB":1)"));
    f.refused("InvalidArgumentException", "StreamARN must be specified.", "UpdateMaxRecordSize",
              R"({"MaxRecordSizeInKiB":1024})");
}

TEST_CASE("warm throughput is for committed accounts and on-demand streams") {
    KinesisFixture f;
    f.call("CreateStream", R"({"StreamName":"s","StreamModeDetails":{"StreamMode":"ON_DEMAND"}})");
    const std::string warm = R"({"StreamName":"s","WarmThroughputMiBps":8})";
    f.refused("ValidationException",
              "Warm throughput is only supported in accounts that have "
              "MinimumThroughputBillingCommitment enabled.",
              "UpdateStreamWarmThroughput", warm);
    CHECK(f.call("DescribeAccountSettings", "{}")
              .find("MinimumThroughputBillingCommitment")
              ->text_or("Status", "") == "DISABLED");
    const Value committed = f.call(
        "UpdateAccountSettings", R"({"MinimumThroughputBillingCommitment":{"Status":"ENABLED"}})");
    CHECK(committed.find("MinimumThroughputBillingCommitment")->text_or("Status", "") == "ENABLED");
    CHECK(committed.find("MinimumThroughputBillingCommitment")->find("EarliestAllowedEndAt") !=
          nullptr);
    const Value answer = f.call("UpdateStreamWarmThroughput", warm);
    CHECK(answer.text_or("StreamARN", "") == kStreamArn);
    CHECK(answer.find("WarmThroughput")->integer_or("TargetMiBps", 0) == 8);
    CHECK(answer.find("WarmThroughput")->integer_or("CurrentMiBps", 0) == 8);
    CHECK(*f.summary("OpenShardCount").integer() == 8);
    f.restart();
    CHECK(f.summary("WarmThroughput").integer_or("TargetMiBps", 0) == 8);
    CHECK(f.call("UpdateAccountSettings",
                 R"({"MinimumThroughputBillingCommitment":{"Status":"DISABLED"}})")
              .find("MinimumThroughputBillingCommitment")
              ->text_or("Status", "") == "ENABLED_UNTIL_EARLIEST_ALLOWED_END");
}

TEST_CASE("a stream is created with all its settings") {
    KinesisFixture f;
    f.call("CreateStream",
           R"({"StreamName":"s","StreamModeDetails":{"StreamMode":"ON_DEMAND"},)"
           R"("MaxRecordSizeInKiB":4096,"RecordDistributionStrategy":"AUTO","Tags":{"a":"b"}})");
    CHECK(*f.summary("MaxRecordSizeInKiB").integer() == 4096);
    CHECK(*f.summary("RecordDistributionStrategy").text() == "AUTO");
    CHECK(*f.summary("OpenShardCount").integer() == 4);
    CHECK(f.answer("CreateStream", R"({"StreamName":"p","ShardCount":1,"WarmThroughputMiBps":5})")
              .type() == "ValidationException");
    CHECK(f.answer("CreateStream", R"({"StreamName":"p","ShardCount":1,)"
                                   R"("RecordDistributionStrategy":"AUTO"})")
              .type() == "InvalidArgumentException");
    CHECK(f.answer("DescribeStream", R"({"StreamName":"p"})").type() ==
          "ResourceNotFoundException");
}

TEST_CASE("metrics of single shards are chosen by name, and all at once") {
    KinesisFixture f;
    f.create("s");
    const auto names = [](const Value& answer, std::string_view member) {
        std::string all;
        for (const Value& name : *answer.find(member)->list())
            all += *name.text() + " ";
        return all;
    };
    Value answer =
        f.call("EnableEnhancedMonitoring",
               R"({"StreamName":"s","ShardLevelMetrics":["OutgoingBytes","IncomingBytes"]})");
    CHECK(names(answer, "CurrentShardLevelMetrics").empty());
    CHECK(names(answer, "DesiredShardLevelMetrics") == "IncomingBytes OutgoingBytes ");
    CHECK(answer.text_or("StreamARN", "") == kStreamArn);
    f.restart();
    answer = f.call("DisableEnhancedMonitoring",
                    R"({"StreamName":"s","ShardLevelMetrics":["OutgoingBytes"]})");
    CHECK(names(answer, "CurrentShardLevelMetrics") == "IncomingBytes OutgoingBytes ");
    CHECK(names(answer, "DesiredShardLevelMetrics") == "IncomingBytes ");
    const Value shown = f.summary("EnhancedMonitoring");
    CHECK(names(shown.list()->front(), "ShardLevelMetrics") == "IncomingBytes ");
    answer =
        f.call("EnableEnhancedMonitoring", R"({"StreamName":"s","ShardLevelMetrics":["ALL"]})");
    CHECK(answer.find("DesiredShardLevelMetrics")->list()->size() == 7);
    answer =
        f.call("DisableEnhancedMonitoring", R"({"StreamName":"s","ShardLevelMetrics":["ALL"]})");
    CHECK(names(answer, "DesiredShardLevelMetrics").empty());
    CHECK(f.answer("EnableEnhancedMonitoring", R"({"StreamName":"s","ShardLevelMetrics":["x"]})")
              .type() == "ValidationException");
}

TEST_CASE("what goes in and out of single shards is counted while somebody wants to see it") {
    KinesisFixture f;
    f.create("s");
    f.call("PutRecord", put(100));
    CHECK(f.reactor.run(f.service->collect_shard_counts()).empty());
    f.call("EnableEnhancedMonitoring", R"({"StreamName":"s","ShardLevelMetrics":["ALL"]})");
    f.call("PutRecord", put(100));
    f.call("PutRecords", R"({"StreamName":"s","Records":[{"Data":"aGk=","PartitionKey":"key"}]})");
    f.reactor.advance(std::chrono::seconds(5));
    CHECK(f.read().size() == 3);
    const auto all = f.reactor.run(f.service->collect_shard_counts());
    REQUIRE(all.size() == 1);
    const ShardCounts& counts = all.begin()->second;
    CHECK(counts.incoming_records == 2);
    CHECK(counts.incoming_bytes == 101 + 5);
    CHECK(counts.outgoing_records == 3);
    CHECK(counts.outgoing_bytes == 101 + 101 + 5);
    CHECK(counts.iterator_age == std::chrono::seconds(5));
    f.call("DisableEnhancedMonitoring", R"({"StreamName":"s","ShardLevelMetrics":["ALL"]})");
    f.read();
    CHECK(f.reactor.run(f.service->collect_shard_counts()).empty());
}

TEST_CASE("channels are refused by an error that the model has for them") {
    KinesisFixture f;
    for (const auto* operation :
         {"CreateChannel", "DeleteChannel", "DescribeChannel", "ListChannels", "UpdateChannel"})
        f.refused("ValidationException",
                  "Channels are not supported: this endpoint does not deliver streams to S3.",
                  operation, "{}");
}
