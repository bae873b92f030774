#include "engine/native/native_door.h"

#include <doctest/doctest.h>

#include "tests/unit/engine/native/door_fixture.h"
#include "tests/unit/engine/native/raw_client.h"
#include "tests/unit/proto/forged_batch.h"

using namespace tidemill;

namespace {

wire::FetchReply fetch_head(const RawClient::Frame& frame) {
    return *wire::read_struct<wire::FetchReply>(frame.envelope);
}

std::vector<Ordinal> ordinals(Bytes batches) {
    std::vector<Ordinal> all;
    while (!batches.empty()) {
        const auto batch = RecordBatchView::parse_stamped(batches);
        REQUIRE(batch.has_value());
        CHECK(batch->payload_is_intact());
        for (Ordinal i = batch->first_ordinal(); i < batch->end_ordinal(); ++i)
            all.push_back(i);
        batches = batches.subspan(batch->bytes().size());
    }
    return all;
}

}  // namespace

TEST_SUITE("native/door") {
    TEST_CASE("a batch that was produced is fetched byte for byte, stamped") {
        DoorFixture fixture;
        const ShardUid shard = fixture.make_stream("s");
        RawClient client(fixture.port());
        const auto batch = make_batch("k", 3);
        client.produce(7, shard, batch);
        const auto reply = client.receive();
        REQUIRE(reply.has_value());
        CHECK_EQ(reply->id, 7);
        CHECK_FALSE(reply->is_error);
        const auto outcome = wire::read_struct<wire::ProduceReply>(reply->envelope);
        CHECK_EQ(outcome->first_ordinal(), 0);
        CHECK_EQ(outcome->arrival_ms(), 1'700'000'000'000);

        const wire::FetchRequest wish(0, shard.value, 1 << 20, 0, 0);
        client.send(wire::Kind::Fetch, 8, wire::struct_bytes(wish));
        const auto fetched = client.receive();
        REQUIRE(fetched.has_value());
        CHECK_EQ(fetch_head(*fetched).next(), 3);
        CHECK_EQ(ordinals(fetched->attachment), std::vector<Ordinal>{0, 1, 2});
        REQUIRE_EQ(fetched->attachment.size(), batch.size());
        CHECK(std::equal(batch.begin() + 64, batch.end(), fetched->attachment.begin() + 64));
    }

    TEST_CASE("many requests in one write are answered, each under its id") {
        DoorFixture fixture;
        const ShardUid shard = fixture.make_stream("s");
        RawClient client(fixture.port());
        std::vector<std::byte> bytes;
        const auto batch = make_batch("k", 2);
        const wire::ProduceRequest request(shard.value, 0);
        for (std::uint32_t id = 100; id < 400; ++id) {
            const auto frame =
                RawClient::frame(wire::Kind::Produce, id, wire::struct_bytes(request), batch);
            bytes.insert(bytes.end(), frame.begin(), frame.end());
        }
        client.send_bytes(bytes);
        for (std::uint32_t id = 100; id < 400; ++id) {
            const auto reply = client.receive();
            REQUIRE(reply.has_value());
            CHECK_EQ(reply->id, id);
            CHECK_EQ(wire::read_struct<wire::ProduceReply>(reply->envelope)->first_ordinal(),
                     (id - 100) * 2);
        }
    }

    TEST_CASE("a frame may arrive byte by byte") {
        DoorFixture fixture;
        const ShardUid shard = fixture.make_stream("s");
        RawClient client(fixture.port(), false);
        std::vector<std::byte> bytes;
        const auto add = [&](Bytes part) { bytes.insert(bytes.end(), part.begin(), part.end()); };
        add(as_bytes(wire::kPreface));
        flatbuffers::FlatBufferBuilder builder;
        builder.Finish(wire::CreateHelloRequest(builder, wire::kProtocolVersion));
        add(RawClient::frame(wire::Kind::Hello, 1, wire::finished_bytes(builder)));
        const wire::ProduceRequest request(shard.value, 0);
        add(RawClient::frame(wire::Kind::Produce, 2, wire::struct_bytes(request),
                             make_batch("k", 1)));
        for (const std::byte byte : bytes)
            client.send_bytes({&byte, 1});
        CHECK_EQ(client.receive()->id, 1);
        const auto reply = client.receive();
        CHECK_EQ(reply->id, 2);
        CHECK_FALSE(reply->is_error);
    }

    TEST_CASE("a batch whose bytes were damaged is refused and the connection stays") {
        DoorFixture fixture;
        const ShardUid shard = fixture.make_stream("s");
        RawClient client(fixture.port());
        auto batch = make_batch("k", 3);
        batch.back() ^= std::byte{1};
        client.produce(1, shard, batch);
        const auto refused = client.receive();
        REQUIRE(refused->is_error);
        CHECK_EQ(refused->error_code(), "corrupt");
        client.produce(2, shard, make_batch("k", 3));
        CHECK_FALSE(client.receive()->is_error);
        std::size_t appended = 0;
        fixture.on_core([&] { appended = fixture.service().append_count; });
        CHECK_EQ(appended, 1);
    }

    TEST_CASE("an unknown shard is refused by name") {
        DoorFixture fixture;
        RawClient client(fixture.port());
        client.produce(1, ShardUid{999}, make_batch("k", 1));
        CHECK_EQ(client.receive()->error_code(), "not_found");
        const wire::FetchRequest wish(0, 999, 100, 0, 0);
        client.send(wire::Kind::Fetch, 2, wire::struct_bytes(wish));
        CHECK_EQ(client.receive()->error_code(), "not_found");
    }

    TEST_CASE("what breaks the frame is answered with an error and ends the connection") {
        DoorFixture fixture;
        const ShardUid shard = fixture.make_stream("s");
        const wire::ProduceRequest request(shard.value, 0);
        auto frame = RawClient::frame(wire::Kind::Produce, 5, wire::struct_bytes(request),
                                      make_batch("k", 1));
        std::string expected = "corrupt";
        SUBCASE("a flipped bit in the envelope") { frame[17] ^= std::byte{4}; }
        SUBCASE("a flipped bit in the header") { frame[9] ^= std::byte{1}; }
        SUBCASE("an unknown flag") { frame[5] |= std::byte{0x80}; }
        SUBCASE("a length shorter than the header") { store_le(frame.data(), std::uint32_t{3}); }
        SUBCASE("a length beyond the limit") {
            store_le(frame.data(), std::uint32_t{0xfffffff0});
            expected = "too_large";
        }
        SUBCASE("a kind nobody knows") {
            frame = RawClient::frame(static_cast<wire::Kind>(250), 5, {});
            expected = "unsupported";
        }
        RawClient client(fixture.port());
        client.send_bytes(frame);
        const auto reply = client.receive();
        REQUIRE(reply.has_value());
        CHECK(reply->is_error);
        CHECK_EQ(reply->kind, 0);
        CHECK_EQ(reply->error_code(), expected);
        CHECK_FALSE(client.receive().has_value());
        std::size_t appended = 1;
        fixture.on_core([&] { appended = fixture.service().append_count; });
        CHECK_EQ(appended, 0);
    }

    TEST_CASE("a connection begins with the preface and Hello of a known version") {
        DoorFixture fixture;
        RawClient stranger(fixture.port(), false);
        stranger.send_bytes(as_bytes("GET / HTTP/1.1\r\n"));
        CHECK_EQ(stranger.receive()->error_code(), "corrupt");
        RawClient hasty(fixture.port(), false);
        hasty.send_bytes(as_bytes(wire::kPreface));
        hasty.send(wire::Kind::Ping, 1, {});
        CHECK_EQ(hasty.receive()->error_code(), "invalid_argument");
        RawClient future(fixture.port(), false);
        future.send_bytes(as_bytes(wire::kPreface));
        future.send_hello(77);
        CHECK_EQ(future.receive()->error_code(), "unsupported");
    }

    TEST_CASE("a batch of an unknown codec is refused in words, and the connection goes on") {
        DoorFixture fixture;
        const ShardUid shard = fixture.make_stream("s");
        RawClient client(fixture.port());
        client.produce(1, shard, forged_batch(Codec{3}, 1, 10, as_bytes("0123456789")));
        const auto refused = client.receive();
        CHECK_EQ(refused->error_code(), "unsupported");
        // More than any reader would open, and more than LZ4 can hold.
        client.produce(2, shard, forged_batch(Codec::Zstd, 1, 13 << 20, as_bytes("0123456789")));
        CHECK_EQ(client.receive()->error_code(), "corrupt");
        client.produce(3, shard, forged_batch(Codec::Lz4, 1, 3000, as_bytes("0123456789")));
        CHECK_EQ(client.receive()->error_code(), "corrupt");
        std::size_t appended = 1;
        fixture.on_core([&] { appended = fixture.service().append_count; });
        CHECK_EQ(appended, 0);
        client.produce(4, shard, compressed_batch({std::string(1000, 'a')}, {Codec::Lz4, 0}));
        CHECK_FALSE(client.receive()->is_error);
    }

    TEST_CASE("what was accepted is answered although the peer has stopped writing") {
        DoorFixture fixture;
        const ShardUid shard = fixture.make_stream("s");
        fixture.on_core([&] { fixture.service().completes_at_once = false; });
        RawClient client(fixture.port());
        client.produce(1, shard, make_batch("k", 1));
        client.produce(2, shard, make_batch("k", 1));
        client.finish_writing();
        std::size_t held = 0;
        while (held < 2)
            fixture.on_core([&] { held = fixture.service().held.size(); });
        fixture.on_core([&] { fixture.service().complete_held(); });
        CHECK_EQ(client.receive()->id, 1);
        CHECK_EQ(client.receive()->id, 2);
        CHECK_FALSE(client.receive().has_value());
    }

    TEST_CASE("the door reads no more while its bytes in flight are at the limit") {
        NativeLimits limits;
        limits.requests_in_flight_max = 4;
        DoorFixture fixture(limits);
        const ShardUid shard = fixture.make_stream("s");
        fixture.on_core([&] { fixture.service().completes_at_once = false; });
        RawClient client(fixture.port());
        for (std::uint32_t id = 1; id <= 20; ++id)
            client.produce(id, shard, make_batch("k", 1));
        std::size_t held = 0;
        while (held < 4)
            fixture.on_core([&] { held = fixture.service().held.size(); });
        for (int i = 0; i < 100; ++i)
            fixture.on_core([&] { held = fixture.service().held.size(); });
        CHECK_EQ(held, 4);
        fixture.on_core([&] {
            fixture.service().completes_at_once = true;
            fixture.service().complete_held();
        });
        for (std::uint32_t id = 1; id <= 20; ++id)
            CHECK_EQ(client.receive()->id, id);
    }

    TEST_CASE(
        "a subscription pushes up to its credit, goes on when credit returns, and ends on "
        "request") {
        DoorFixture fixture;
        const ShardUid shard = fixture.make_stream("s");
        RawClient producer(fixture.port()), consumer(fixture.port());
        const auto batch = make_batch("k", 1, 1000);
        for (std::uint32_t id = 1; id <= 6; ++id) {
            producer.produce(id, shard, batch);
            REQUIRE_FALSE(producer.receive()->is_error);
        }
        const wire::SubscribeRequest wish(2, 2 * batch.size(), shard.value, 0);
        consumer.send(wire::Kind::Subscribe, 9, wire::struct_bytes(wish));
        auto push = consumer.receive();
        CHECK_EQ(push->id, 9);
        CHECK_EQ(ordinals(push->attachment), std::vector<Ordinal>{2, 3});
        // Nothing more may come: the answer to a ping overtakes what has no credit.
        consumer.send(wire::Kind::Ping, 10, {});
        CHECK_EQ(consumer.receive()->id, 10);
        const wire::CreditReturn credit(10 * batch.size());
        consumer.send(wire::Kind::Credit, 9, wire::struct_bytes(credit));
        push = consumer.receive();
        CHECK_EQ(ordinals(push->attachment), std::vector<Ordinal>{4, 5});
        producer.produce(7, shard, batch);
        push = consumer.receive();
        CHECK_EQ(ordinals(push->attachment), std::vector<Ordinal>{6});
        consumer.send(wire::Kind::Unsubscribe, 9, {});
        const auto last = consumer.receive();
        CHECK(last->is_end);
        CHECK_EQ(last->id, 9);
    }

    TEST_CASE("a peer that does not read keeps no block of the log, and reads all of it later") {
        NativeLimits limits;
        limits.share_max = std::chrono::milliseconds{10};
        DoorFixture fixture(limits);
        const ShardUid shard = fixture.make_stream("s");
        RawClient producer(fixture.port()), consumer(fixture.port());
        constexpr std::uint32_t kBatches = 200;  // 20 MB: more than sockets take
        for (std::uint32_t id = 1; id <= kBatches; ++id) {
            producer.produce(id, shard, make_batch("k", 1, 100'000));
            REQUIRE_FALSE(producer.receive()->is_error);
        }
        for (std::uint32_t id = 1; id <= 3; ++id) {
            const wire::SubscribeRequest wish(0, 1 << 30, shard.value, 0);
            consumer.send(wire::Kind::Subscribe, id, wire::struct_bytes(wish));
        }
        consumer.send(wire::Kind::Ping, 9, {});
        std::size_t shared = 0, pushed = 0;
        const auto look = [&] {
            fixture.on_core([&] {
                shared = 0;
                pushed = fixture.service().furthest_read;
                for (const auto& slice : fixture.service().batches(shard))
                    shared += slice.buffer.is_sole_owner() ? 0 : 1;
            });
        };
        for (std::size_t before = 0; pushed == 0 || pushed != before || shared != 0;) {
            before = pushed;
            for (int i = 0; i < 50; ++i)
                look();
        }
        CHECK_LT(pushed, kBatches);  // it was held back, whatever its credit
        std::vector<std::vector<Ordinal>> seen(4);
        for (bool has_ponged = false;
             !has_ponged || seen[1].size() + seen[2].size() + seen[3].size() < 3 * kBatches;) {
            const auto frame = consumer.receive();
            REQUIRE(frame.has_value());
            if (frame->id == 9) {
                has_ponged = true;
                continue;
            }
            for (const Ordinal ordinal : ordinals(frame->attachment))
                seen[frame->id].push_back(ordinal);
        }
        for (std::uint32_t id = 1; id <= 3; ++id)
            for (Ordinal ordinal = 0; ordinal < kBatches; ++ordinal)
                CHECK_EQ(seen[id][ordinal], ordinal);
    }

    TEST_CASE("a peer that does not read its fetches holds the broker back by the output's limit") {
        NativeLimits limits;
        limits.output_bytes_max = 1_MiB;
        DoorFixture fixture(limits);
        const ShardUid shard = fixture.make_stream("s");
        RawClient client(fixture.port());
        client.produce(1, shard, make_batch("k", 1, 500'000));
        REQUIRE_FALSE(client.receive()->is_error);
        constexpr std::uint32_t kFetches = 100;  // 50 MB of answers
        for (std::uint32_t id = 2; id < 2 + kFetches; ++id) {
            const wire::FetchRequest wish(0, shard.value, 1 << 20, 0, 0);
            client.send(wire::Kind::Fetch, id, wire::struct_bytes(wish));
        }
        std::size_t reads = 0, before = 1;
        while (reads == 0 || reads != before) {
            before = reads;
            for (int i = 0; i < 100; ++i)
                fixture.on_core([&] { reads = fixture.service().read_count; });
        }
        CHECK_LT(reads, kFetches);
        for (std::uint32_t id = 2; id < 2 + kFetches; ++id)
            CHECK_EQ(client.receive()->attachment.size(), make_batch("k", 1, 500'000).size());
    }

    TEST_CASE("the door stops at once although subscriptions wait for records") {
        NativeLimits limits;
        limits.wait_slice = std::chrono::hours{1};
        DoorFixture fixture(limits);
        const ShardUid shard = fixture.make_stream("s");
        RawClient client(fixture.port());
        for (std::uint32_t id = 1; id <= 20; ++id) {
            const wire::SubscribeRequest wish(0, 1 << 20, shard.value, 0);
            client.send(wire::Kind::Subscribe, id, wire::struct_bytes(wish));
        }
        client.send(wire::Kind::Ping, 99, {});
        CHECK_EQ(client.receive()->id, 99);
        // The fixture's end waits for the door.
    }

    TEST_CASE("a subscription to a closed shard ends after its last record") {
        DoorFixture fixture;
        const ShardUid shard = fixture.make_stream("s");
        RawClient client(fixture.port());
        client.produce(1, shard, make_batch("k", 2));
        REQUIRE_FALSE(client.receive()->is_error);
        const wire::SubscribeRequest wish(0, 1 << 20, shard.value, 0);
        client.send(wire::Kind::Subscribe, 2, wire::struct_bytes(wish));
        CHECK_EQ(ordinals(client.receive()->attachment), std::vector<Ordinal>{0, 1});
        fixture.on_core([&] { fixture.service().seal(shard); });
        const auto last = client.receive();
        CHECK(last->is_end);
        CHECK_EQ(fetch_head(*last).is_sealed(), 1);
        client.produce(3, shard, make_batch("k", 1));
        CHECK_EQ(client.receive()->error_code(), "shard_closed");
    }

    TEST_CASE("a fetch waits for the next record and returns empty at its deadline") {
        DoorFixture fixture;
        const ShardUid shard = fixture.make_stream("s");
        RawClient reader(fixture.port()), writer(fixture.port());
        const wire::FetchRequest patient(0, shard.value, 1 << 20, 60'000, 0);
        reader.send(wire::Kind::Fetch, 1, wire::struct_bytes(patient));
        reader.send(wire::Kind::Ping, 2, {});
        CHECK_EQ(reader.receive()->id, 2);
        writer.produce(1, shard, make_batch("k", 1));
        CHECK_EQ(ordinals(reader.receive()->attachment), std::vector<Ordinal>{0});
        const wire::FetchRequest hasty(1, shard.value, 1 << 20, 1, 0);
        reader.send(wire::Kind::Fetch, 3, wire::struct_bytes(hasty));
        const auto empty = reader.receive();
        CHECK(empty->attachment.empty());
        CHECK_EQ(fetch_head(*empty).next(), 1);
    }

    TEST_CASE("an extension answers its kinds in as many frames as it likes") {
        DoorFixture fixture;
        fixture.door().set_extension(64, 95,
                                     [](NativeRequest request, NativeReply& reply) -> Task<void> {
                                         for (int i = 0; i < 3; ++i) {
                                             co_await reply.wait_for_room();
                                             reply.send(request.message.bytes(), i == 2);
                                         }
                                     });
        RawClient client(fixture.port());
        client.send(wire::Kind::SqlRun, 4, as_bytes("select 1"));
        for (int i = 0; i < 3; ++i) {
            const auto frame = client.receive();
            CHECK_EQ(frame->id, 4);
            CHECK_EQ(as_text(frame->envelope), "select 1");
            CHECK_EQ(frame->is_end, i == 2);
        }
    }
}
