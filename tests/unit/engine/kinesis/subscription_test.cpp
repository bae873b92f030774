#include <doctest/doctest.h>
#include <fmt/format.h>

#include "engine/aws/event_stream.h"
#include "engine/kinesis/shard_subscription.h"
#include "engine/reactor/gate.h"
#include "tests/unit/engine/kinesis/kinesis_fixture.h"

using namespace tidemill;
using namespace tidemill::kinesis;

namespace {

struct Event {
    std::string kind;  // the event's or exception's type
    Value document;

    std::size_t records() const { return document.find("Records")->list()->size(); }
};

/// A client at the other end of an answer: takes what comes, or nothing while `is_slow`.
struct Client final : HttpBodyWriter {
    std::vector<Event> events;
    bool is_slow = false, is_gone = false, has_ended = false;
    Signal reads;

    Task<Status> write(Bytes piece) override {
        while (is_slow && !is_gone)
            co_await reads.wait_until(MonoTime::max());
        if (is_gone) co_return fail(Errc::Cancelled, "the client has gone");
        const auto frame = parse_event_frame(piece);
        REQUIRE(frame);
        REQUIRE(*frame);
        CHECK((*frame)->bytes == piece.size());
        const bool is_event = (*frame)->text(":message-type") == "event";
        Event event{std::string((*frame)->text(is_event ? ":event-type" : ":exception-type")), {}};
        std::string text(as_text((*frame)->payload));
        text.resize(text.size() + kBodyPadding);
        auto document = parse_document(std::string_view(text).substr(0, text.size() - kBodyPadding),
                                       Encoding::Json);
        REQUIRE(document);
        event.document = std::move(*document);
        events.push_back(std::move(event));
        co_return Status{};
    }
    bool is_stopping() const override { return is_gone; }

    const Event& last() const { return events.back(); }
};

struct FanOutFixture : KinesisFixture {
    Gate gate;
    std::string consumer;

    FanOutFixture() {
        create("s");
        consumer = registered("c");
    }
    ~FanOutFixture() { reactor.run(gate.close()); }

    std::string registered(std::string_view name) {
        const Value made =
            call("RegisterStreamConsumer",
                 fmt::format(R"({{"StreamARN":"{}","ConsumerName":"{}"}})", kStreamArn, name));
        return std::string(made.find("Consumer")->text_or("ConsumerARN", ""));
    }
    std::string request(std::string_view from = "LATEST") const {
        return fmt::format(
            R"({{"ConsumerARN":"{}","ShardId":"shardId-000000000000","StartingPosition":{{"Type":"{}"}}}})",
            consumer, from);
    }
    /// Begins a subscription that runs on its own; it must be granted.
    void subscribe(Client& client, std::string_view from = "LATEST") {
        const std::string json = request(from);
        const std::string padded = json + std::string(kBodyPadding, '\0');
        HttpRequest http;
        http.method = "POST";
        http.path = "/";
        http.headers = {{"Content-Type", "application/x-amz-json-1.1"},
                        {"X-Amz-Target", "Kinesis_20131202.SubscribeToShard"}};
        http.body = std::string_view(padded).substr(0, json.size());
        HttpResponse response =
            reactor.run(api->call(ApiRequest{http, "SubscribeToShard", {}, "id"}));
        INFO(response.body);
        REQUIRE(response.status == 200);
        CHECK(response.content_type == kEventStreamType);
        REQUIRE(response.stream != nullptr);
        auto send = [](HttpResponse answer, Client& to) -> Task<void> {
            co_await answer.stream(to);
            to.has_ended = true;
        };
        reactor.run_in_turn([&] { reactor.spawn(gate, send(std::move(response), client)); });
    }
    void put(std::size_t bytes = 10) {
        const std::string data(bytes / 3 * 4, 'A');
        call("PutRecord",
             fmt::format(R"({{"StreamName":"s","Data":"{}","PartitionKey":"k"}})", data));
        reactor.run_until_idle();
    }
    void hang_up(Client& client) {
        client.is_gone = true;
        client.reads.notify_all();
        put();
    }
};

}  // namespace

TEST_CASE("a record is pushed when it is stored: no time passes") {
    FanOutFixture f;
    Client client;
    f.subscribe(client);
    REQUIRE(client.events.size() == 1);
    CHECK(client.last().kind == "initial-response");
    for (std::size_t i = 2; i < 10; ++i) {
        f.put();
        REQUIRE(client.events.size() == i);
        CHECK(client.last().kind == "SubscribeToShardEvent");
        CHECK(client.last().records() == 1);
        CHECK(client.last().document.integer_or("MillisBehindLatest", -1) == 0);
    }
    f.hang_up(client);
    CHECK(client.has_ended);
}

TEST_CASE("an idle subscription has an event every five seconds and ends after five minutes") {
    FanOutFixture f;
    Client client;
    f.subscribe(client);
    for (int i = 1; i < 60; ++i) {
        f.reactor.advance(std::chrono::seconds(5));
        REQUIRE(client.events.size() == static_cast<std::size_t>(1 + i));
        CHECK(client.last().records() == 0);
        CHECK(client.last().document.find("ContinuationSequenceNumber") != nullptr);
        CHECK_FALSE(client.has_ended);
    }
    f.reactor.advance(std::chrono::seconds(5));
    CHECK(client.has_ended);
    CHECK(client.last().kind == "SubscribeToShardEvent");
    Client next;
    f.subscribe(next);
    f.hang_up(next);
}

TEST_CASE("a second subscription is refused for five seconds, then takes over") {
    FanOutFixture f;
    Client first, second;
    f.subscribe(first);
    const std::string words =
        "Another active subscription exists for this consumer: "
        "000000000000:s:c:shardId-000000000000";
    f.refused("ResourceInUseException", words, "SubscribeToShard", f.request());
    f.reactor.advance(std::chrono::milliseconds(4999));
    f.refused("ResourceInUseException", words, "SubscribeToShard", f.request());
    f.reactor.advance(std::chrono::milliseconds(1));
    f.subscribe(second);
    f.put();
    CHECK(first.last().kind == "ResourceInUseException");
    CHECK(first.last().document.text_or("message", "") == words);
    CHECK(first.has_ended);
    CHECK(second.last().records() == 1);
    // The first one's end does not take the second one's claim.
    f.refused("ResourceInUseException", words, "SubscribeToShard", f.request());
    f.hang_up(second);
    // What has ended is in nobody's way.
    Client third;
    f.subscribe(third);
    f.hang_up(third);
}

TEST_CASE("a slow reader is read one event ahead for, and misses nothing") {
    FanOutFixture f;
    Client client;
    f.subscribe(client, "TRIM_HORIZON");
    client.is_slow = true;
    constexpr std::size_t kRecords = 40, kBytes = 120'000;
    for (std::size_t i = 0; i < kRecords; ++i)
        f.put(kBytes);
    CHECK(client.events.size() == 1);
    client.is_slow = false;
    client.reads.notify_all();
    f.reactor.run_until_idle();
    std::size_t records = 0;
    for (const Event& event : client.events) {
        if (event.kind != "SubscribeToShardEvent") continue;
        records += event.records();
        CHECK(event.records() * kBytes <= ShardSubscription::kEventMost.bytes);
    }
    CHECK(records == kRecords);
    f.hang_up(client);
}

TEST_CASE("a deleted stream and a gone consumer end subscriptions with an exception") {
    for (const bool is_stream : {true, false}) {
        FanOutFixture f;
        Client client;
        f.subscribe(client);
        if (is_stream)
            f.call("DeleteStream", R"({"StreamName":"s","EnforceConsumerDeletion":true})");
        else
            f.call("DeregisterStreamConsumer",
                   fmt::format(R"({{"ConsumerARN":"{}"}})", f.consumer));
        f.reactor.advance(std::chrono::seconds(1));
        CHECK(client.last().kind == "ResourceNotFoundException");
        CHECK(client.has_ended);
    }
}
