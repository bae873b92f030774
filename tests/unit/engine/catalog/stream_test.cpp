#include "engine/catalog/stream.h"

#include <doctest/doctest.h>

#include "engine/base/random.h"
#include "engine/catalog/stream_format.h"

using namespace tidemill;

namespace {

StreamInfo make_stream(std::uint32_t shards) {
    StreamInfo stream;
    stream.uid = StreamUid{3};
    stream.name = "s";
    stream.created = from_millis(1'700'000'000'123);
    stream.tags = {{"team", "a"}};
    const auto ranges = split_evenly(shards);
    for (std::uint32_t i = 0; i < shards; ++i) {
        ShardInfo& shard = stream.shards.emplace_back();
        shard.uid = ShardUid{100 + i};
        shard.index = i;
        shard.range = ranges[i];
    }
    stream.index_open_shards();
    return stream;
}

}  // namespace

TEST_CASE("even ranges cover every hash key once and begin at floor(2^128 / n) * i") {
    for (const std::uint32_t count : {1u, 2u, 3u, 7u, 8u, 1000u, 10000u}) {
        const auto ranges = split_evenly(count);
        CHECK(ranges.front().first == 0);
        CHECK(ranges.back().last == kUint128Max);
        for (std::size_t i = 1; i < ranges.size(); ++i)
            CHECK(ranges[i].first == ranges[i - 1].last + 1);
    }
    CHECK(to_decimal(split_evenly(2)[1].first) == "170141183460469231731687303715884105728");
    CHECK(to_decimal(split_evenly(3)[1].first) == "113427455640312821154458202477256070485");
}

TEST_CASE("every key finds the shard whose range holds it") {
    Random random(42);
    for (const std::uint32_t count : {1u, 5u, 256u}) {
        const StreamInfo stream = make_stream(count);
        for (int i = 0; i < 1000; ++i) {
            const uint128 key = static_cast<uint128>(random.next()) << 64 | random.next();
            CHECK(stream.shard_for(key).range.contains(key));
        }
        for (const auto& shard : stream.shards) {
            CHECK(stream.shard_for(shard.range.first).index == shard.index);
            CHECK(stream.shard_for(shard.range.last).index == shard.index);
        }
    }
}

TEST_CASE("shard ids are read back as they are written, and nothing else is") {
    CHECK(shard_id_text(7) == "shardId-000000000007");
    CHECK(parse_shard_id("shardId-000000000007") == 7u);
    for (const char* text : {"", "shardId-7", "shardId-0000000000007", "shardId-00000000000x",
                             "shardid-000000000007", "shardId-999999999999"})
        CHECK_FALSE(parse_shard_id(text));
}

TEST_CASE("a stream survives its format; any damage is noticed") {
    StreamInfo stream = make_stream(3);
    stream.shards[0].closed = from_millis(1'700'000'100'000);
    stream.shards[0].end_ordinal = 55;
    ShardInfo child;
    child.uid = ShardUid{200};
    child.index = 3;
    child.range = stream.shards[0].range;
    child.parent = 0;
    child.adjacent_parent = 1;
    stream.shards.push_back(child);
    const auto bytes = encode_stream(stream);
    const auto back = decode_stream(bytes);
    REQUIRE(back);
    CHECK(back->name == "s");
    CHECK(back->tags == stream.tags);
    CHECK(back->shards.size() == 4);
    CHECK(back->shards[0].end_ordinal == 55);
    CHECK(back->shards[3].adjacent_parent == 1u);
    CHECK(back->open.size() == 3);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        auto broken = bytes;
        broken[i] ^= std::byte{1};
        CHECK_FALSE(decode_stream(broken));
        CHECK_FALSE(decode_stream(Bytes(bytes).first(i)));
    }
}

TEST_CASE("a stream's keys are kept, and a row whose current key is missing is Corrupt") {
    StreamInfo stream = make_stream(2);
    stream.encryption.key_name = "alias/mine";
    stream.encryption.current = 2;
    for (const std::uint16_t id : {std::uint16_t{1}, std::uint16_t{2}})
        stream.encryption.keys.push_back(
            {id, from_millis(1'700'000'000'000 + id), "0123456789abcdef",
             std::vector<std::byte>(60, static_cast<std::byte>(id)), std::uint64_t{1} << 40});
    auto decoded = decode_stream(encode_stream(stream));
    REQUIRE(decoded);
    CHECK(decoded->encryption.key_name == "alias/mine");
    CHECK(decoded->encryption.current == 2);
    REQUIRE(decoded->encryption.keys.size() == 2);
    const StreamKey& key = *decoded->encryption.find(2);
    CHECK(key.created == from_millis(1'700'000'000'002));
    CHECK(key.master == "0123456789abcdef");
    CHECK(key.wrapped == std::vector<std::byte>(60, std::byte{2}));
    CHECK(key.sealed_bytes == std::uint64_t{1} << 40);
    CHECK(decoded->encryption.find(3) == nullptr);
    stream.encryption.keys.pop_back();
    CHECK(decode_stream(encode_stream(stream)).error().code == Errc::Corrupt);
}

TEST_CASE("what a stream is set to and its consumers survive the format") {
    StreamInfo stream = make_stream(1);
    stream.max_record_bytes = 10 * 1024 * 1024;
    stream.warm_mib_per_second = 77;
    stream.mode = StreamMode::OnDemand;
    stream.distribution = RecordDistribution::Auto;
    stream.shard_metrics = 5;
    stream.owner_account = "123456789012";
    stream.policy = R"({"Version":"2012-10-17"})";
    stream.gone_consumer = from_millis(1'700'000'000'000);
    stream.consumers = {{"a", from_millis(1'700'000'001'000), {{"k", "v"}, {"l", ""}}, "{}"},
                        {"b", from_millis(1'700'000'002'000), {}, ""}};
    const auto bytes = encode_stream(stream);
    const auto back = decode_stream(bytes);
    REQUIRE(back);
    CHECK(back->max_record_bytes == stream.max_record_bytes);
    CHECK(back->warm_mib_per_second == 77);
    CHECK(back->distribution == RecordDistribution::Auto);
    CHECK(back->shard_metrics == 5);
    CHECK(back->owner_account == stream.owner_account);
    CHECK(back->policy == stream.policy);
    CHECK(back->gone_consumer == stream.gone_consumer);
    REQUIRE(back->consumers.size() == 2);
    const ConsumerInfo* consumer = back->find_consumer("a");
    REQUIRE(consumer != nullptr);
    CHECK(consumer->created == stream.consumers[0].created);
    CHECK(consumer->tags == stream.consumers[0].tags);
    CHECK(consumer->policy == "{}");
    CHECK(back->find_consumer("b")->tags.empty());
    CHECK(back->find_consumer("c") == nullptr);
    for (std::size_t i = 0; i < bytes.size(); ++i)
        CHECK_FALSE(decode_stream(Bytes(bytes).first(i)));
}

TEST_CASE("the row of a stream from before consumers and settings is read as one without any") {
    const StreamInfo stream = make_stream(1);
    auto bytes = encode_stream(stream);
    const auto back = decode_stream(bytes);
    REQUIRE(back);
    CHECK(back->max_record_bytes == 1024 * 1024);
    CHECK(back->consumers.empty());
    CHECK(back->distribution == RecordDistribution::ByKey);
    // Nothing of the later fields stands in such a row: an earlier version reads it.
    Bytes body = Bytes(bytes).subspan(4).first(bytes.size() - 8);
    while (!body.empty()) {
        const std::byte* end = body.data() + body.size();
        std::uint64_t id = 0, length = 0;
        const std::byte* at = get_varint(body.data(), end, id);
        REQUIRE(at != nullptr);
        at = get_varint(at, end, length);
        REQUIRE(at != nullptr);
        CHECK((id < 13 || id == 21 || id == 31));
        body = Bytes(at + length, end);
    }
}
