#include "engine/query/command_processor.h"

#include <csignal>

#include <doctest/doctest.h>

#include "engine/query/http_post.h"

using namespace tidemill;
using namespace tidemill::query;

namespace {

std::vector<CommandRecord> two_records() {
    return {{"a", "one", "1", "k", "shard", 5}, {"b", "two\"", "2", "k", "shard", 6}};
}

std::string why(std::string_view line) {
    const auto outcomes = decode_answer(line, two_records());
    return outcomes ? "accepted" : outcomes.error().message;
}

/// Answers from a file of lines, one an invocation.
std::string answering(const std::string& lines) {
    return "while read -r x; do printf '%s\\n' '" + lines + "'; done";
}

}  // namespace

TEST_SUITE("command processor") {
    TEST_CASE("an invocation is one line of JSON of the documented form") {
        CHECK_EQ(
            encode_invocation(two_records(), "i", "app", "stream"),
            "{\"invocationId\":\"i\",\"applicationArn\":\"app\",\"streamArn\":\"stream\","
            "\"records\":[{\"recordId\":\"a\",\"data\":\"b25l\",\"kinesisStreamRecordMetadata\":"
            "{\"sequenceNumber\":\"1\",\"partitionKey\":\"k\",\"shardId\":\"shard\","
            "\"approximateArrivalTimestamp\":5}},{\"recordId\":\"b\",\"data\":\"dHdvIg==\","
            "\"kinesisStreamRecordMetadata\":{\"sequenceNumber\":\"2\",\"partitionKey\":\"k\","
            "\"shardId\":\"shard\",\"approximateArrivalTimestamp\":6}}]}\n");
    }

    TEST_CASE("an answer has every id once, in any order") {
        const auto outcomes = decode_answer(R"({"records":[{"recordId":"b","result":"Dropped"},)"
                                            R"({"recordId":"a","result":"Ok","data":"b25l"}]})",
                                            two_records());
        REQUIRE(outcomes.has_value());
        CHECK_EQ((*outcomes)[0].kind, CommandOutcome::Kind::Ok);
        CHECK_EQ((*outcomes)[0].data, "one");
        CHECK_EQ((*outcomes)[1].kind, CommandOutcome::Kind::Dropped);
        CHECK(why(R"({"records":[{"recordId":"a","result":"Dropped"}]})").find("lacks 1 of 2") !=
              std::string::npos);
        const std::pair<const char*, const char*> cases[] = {
            {"", "no JSON"},
            {"[]", "no JSON"},
            {R"({"records":{}})", "no JSON"},
            {R"({"records":[1]})", "no recordId"},
            {R"({"records":[{"recordId":"c","result":"Ok","data":""}]})", "not asked for"},
            {R"({"records":[{"recordId":"a","result":"Dropped"},{"recordId":"a","result":"Ok"}]})",
             "twice"},
            {R"({"records":[{"recordId":"a","result":"OK","data":""}]})", "not OK"},
            {R"({"records":[{"recordId":"a","result":"Ok"}]})", "no data"},
            {R"({"records":[{"recordId":"a","result":"Ok","data":"?"}]})", "no base64"}};
        for (const auto& [line, expected] : cases)
            CHECK_MESSAGE(why(line).find(expected) != std::string::npos, line, ": ", why(line));
    }

    TEST_CASE("a command stays, is started again when it dies, and is ended when it is too slow") {
        std::signal(SIGPIPE, SIG_IGN);
        const std::string both = R"({"records":[{"recordId":"a","result":"Dropped"},)"
                                 R"({"recordId":"b","result":"ProcessingFailed"}]})";
        CommandProcessor stays(answering(both), "app", "stream", std::chrono::seconds(20));
        for (int i = 0; i < 3; ++i) {
            const auto outcomes = stays.process(two_records());
            REQUIRE_MESSAGE(outcomes.has_value(), (outcomes ? "" : outcomes.error().message));
            CHECK_EQ((*outcomes)[1].kind, CommandOutcome::Kind::ProcessingFailed);
        }
        // One answer a life.
        CommandProcessor dies("read -r x; printf '%s\\n' '" + both + "'", "app", "stream",
                              std::chrono::seconds(20));
        CHECK(dies.process(two_records()).has_value());
        const auto dead = dies.process(two_records());
        REQUIRE_FALSE(dead.has_value());
        CHECK_EQ(dead.error().code, Errc::Unavailable);
        CHECK(dies.process(two_records()).has_value());

        CommandProcessor slow("sleep 1000", "app", "stream", std::chrono::milliseconds(20));
        CHECK_EQ(slow.process(two_records()).error().code, Errc::Timeout);
        CommandProcessor wrong(answering("nonsense"), "app", "stream", std::chrono::seconds(20));
        CHECK_EQ(wrong.process(two_records()).error().code, Errc::Corrupt);
        CommandProcessor none("exec /no/such/command 2>/dev/null", "app", "stream",
                              std::chrono::seconds(20));
        CHECK_EQ(none.process(two_records()).error().code, Errc::Unavailable);
        stays.interrupt();
        CHECK_EQ(stays.process(two_records()).error().code, Errc::Cancelled);
    }

    TEST_CASE("URLs of sinks") {
        const auto url = HttpUrl::parse("http://host:81/a?b=c");
        REQUIRE(url.has_value());
        CHECK_EQ(url->host, "host");
        CHECK_EQ(url->port, "81");
        CHECK_EQ(url->path, "/a?b=c");
        CHECK_EQ(HttpUrl::parse("http://[::1]:8080")->host, "::1");
        CHECK_EQ(HttpUrl::parse("http://h")->port, "80");
        for (const auto* text : {"http://", "http://:80/", "http://h:x/", "http://a b/", "h"})
            CHECK_FALSE_MESSAGE(HttpUrl::parse(text).has_value(), text);
    }
}
