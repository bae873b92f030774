#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "engine/aws/document.h"
#include "engine/kinesis/kinesis_api.h"
#include "tests/unit/engine/service/service_fixture.h"

namespace tidemill::kinesis {

/// The whole API over the real service: requests and answers as documents in JSON.
struct KinesisFixture : ServiceFixture {
    struct Answer {
        unsigned status = 0;
        std::string body;
        Value document;  ///< null when the body is empty

        std::string type() const { return std::string(document.text_or("__type", "")); }
        std::string message() const { return std::string(document.text_or("message", "")); }
    };

    std::unique_ptr<KinesisApi> api;

    explicit KinesisFixture(EncryptionOptions options = {}) : ServiceFixture(std::move(options)) {
        start_api();
    }
    void start_api() {
        auto started = reactor.run(KinesisApi::start({&reactor}, *service));
        REQUIRE(started);
        api = std::move(*started);
    }
    void restart() {
        ServiceFixture::restart();
        start_api();
    }

    Answer answer(std::string_view operation, std::string_view json) {
        const std::string padded = std::string(json) + std::string(kBodyPadding, '\0');
        HttpRequest http;
        http.method = "POST";
        http.path = "/";
        const std::string target = "Kinesis_20131202." + std::string(operation);
        http.headers = {{"Content-Type", "application/x-amz-json-1.1"}, {"X-Amz-Target", target}};
        http.body = std::string_view(padded).substr(0, json.size());
        const ApiRequest request{http, operation, {}, "id"};
        HttpResponse response = reactor.run(api->call(request));
        Answer answer{response.status, response.body, {}};
        response.body.resize(answer.body.size() + kBodyPadding);
        if (!answer.body.empty()) {
            auto document = parse_document(
                std::string_view(response.body).substr(0, answer.body.size()), Encoding::Json);
            REQUIRE(document);
            answer.document = std::move(*document);
        }
        return answer;
    }
    /// The answer of a call that succeeds; null when it has none.
    Value call(std::string_view operation, std::string_view json) {
        Answer got = answer(operation, json);
        INFO(operation, " ", json, "\n", got.body);
        REQUIRE(got.status == 200);
        return std::move(got.document);
    }
    void refused(std::string_view type, std::string_view message, std::string_view operation,
                 std::string_view json) {
        const Answer got = answer(operation, json);
        INFO(operation, " ", json);
        CHECK(got.status == 400);
        CHECK(got.type() == type);
        CHECK(got.message() == message);
    }
    /// All records of a shard of stream s.
    std::vector<Value> read(std::string_view shard = "shardId-000000000000") {
        const Value begin = call(
            "GetShardIterator",
            fmt::format(R"({{"StreamName":"s","ShardId":"{}","ShardIteratorType":"TRIM_HORIZON"}})",
                        shard));
        std::string next(begin.text_or("ShardIterator", ""));
        std::vector<Value> records;
        while (true) {
            const Value page = call("GetRecords", fmt::format(R"({{"ShardIterator":"{}"}})", next));
            for (const Value& record : *page.find("Records")->list())
                records.push_back(record);
            next = page.text_or("NextShardIterator", "");
            if (next.empty() || page.integer_or("MillisBehindLatest", 1) == 0) return records;
        }
    }
    /// The member of a description of stream s.
    Value summary(std::string_view member) {
        const Value found = call("DescribeStreamSummary", R"({"StreamName":"s"})");
        const Value* value = found.find("StreamDescriptionSummary")->find(member);
        return value == nullptr ? Value{} : *value;
    }
};

constexpr std::string_view kStreamArn = "arn:aws:kinesis:us-east-1:000000000000:stream/s";

}  // namespace tidemill::kinesis
