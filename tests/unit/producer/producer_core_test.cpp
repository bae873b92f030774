#include "producer/producer_core.h"

#include <doctest/doctest.h>

#include "engine/base/hash_key.h"
#include "engine/base/random.h"
#include "engine/log/producer_table.h"

using namespace tidemill;
using namespace tidemill::client;

namespace {

struct World {
    explicit World(ProducerOptions wanted = {}) : core(wanted, 99) {}

    MonoTime now{std::chrono::hours{1}};
    ProducerCore core;
    std::vector<std::string>
        results;  // "<data>:ok@<ordinal>" or "<data>:<code>", in the order they came

    void put(std::string_view key, std::string data, std::string_view hash_key = {}) {
        PutWaiter waiter;
        waiter.callback = [this, data](const PutResult& result) {
            results.push_back(
                data + ":" +
                (result ? "ok@" + std::to_string(result.ordinal()) : result.failure().code));
        };
        const auto taken = core.put("s", key, as_bytes(data), hash_key, waiter, now);
        REQUIRE(taken.has_value());
    }
    std::vector<ProducerRequest> requests() {
        core.expire(now);
        auto found = core.take_requests(now);
        hand_out();
        return found;
    }
    void hand_out() {
        for (auto& put : core.take_finished())
            put.hand_out();
    }
    void acknowledge(const ProducerRequest& request, std::uint64_t ordinal) {
        core.acknowledged(request.id, ordinal, 0, false);
        hand_out();
    }
    void refuse(const ProducerRequest& request, Errc code) {
        core.refused(request.id, Error(code, "because"), now);
        hand_out();
    }
    /// Open shards with these uids, evenly.
    static StreamDescription stream(std::vector<std::uint32_t> open) {
        StreamDescription description;
        const uint128 width = kUint128Max / open.size();
        for (std::size_t i = 0; i < open.size(); ++i) {
            ShardDescription shard;
            shard.uid = open[i];
            shard.index = static_cast<std::uint32_t>(i);
            shard.first_hash_key = to_decimal(width * i);
            shard.last_hash_key =
                to_decimal(i + 1 == open.size() ? kUint128Max : width * (i + 1) - 1);
            description.shards.push_back(shard);
        }
        return description;
    }
    void answer_describe(std::vector<std::uint32_t> open) {
        const auto asked = requests();
        REQUIRE_EQ(asked.size(), 1);
        REQUIRE(asked[0].kind == ProducerRequest::Kind::Describe);
        core.described(asked[0].id, stream(std::move(open)), now);
    }
};

std::vector<std::string> data_of(Bytes batch) {
    std::vector<std::string> all;
    const auto view = RecordBatchView::parse(batch);
    REQUIRE(view.has_value());
    BatchOpener opener;
    RecordCursor cursor = opener.open(*view);
    for (RecordView record; cursor.next(record);)
        all.emplace_back(as_text(record.data));
    return all;
}

using Texts = std::vector<std::string>;

RecordBatchHeader header_of(const ProducerRequest& request) {
    return load_le<RecordBatchHeader>(request.batch.data());
}

/// A broker that stores each batch once, as the log does.
struct ModelBroker {
    struct Shard {
        ProducerTable table{config_of()};
        bool is_open = true;
        Ordinal end = 0;
        static const LogConfig& config_of() {
            static const LogConfig config;
            return config;
        }
    };
    std::map<std::uint32_t, Shard> shards;
    std::map<std::string, std::vector<int>> stored;  // numbers by key, in the order stored

    /// The error, or whether it was a duplicate.
    std::variant<Errc, bool> produce(std::uint32_t uid, Bytes bytes) {
        Shard& shard = shards.at(uid);
        const auto batch = *RecordBatchView::parse(bytes);
        const auto& header = batch.header();
        const auto judged = shard.table.judge(ShardUid{uid}, header);
        if (judged.verdict == SequenceVerdict::Committed) return true;
        if (judged.verdict == SequenceVerdict::Refused) return judged.error.code;
        if (!shard.is_open) return Errc::ShardClosed;
        shard.table.learn({header.producer_id, shard.end, 0, uid, header.producer_sequence,
                           header.record_count, header.payload_crc});
        shard.end += header.record_count;
        for (const auto& text : data_of(bytes))
            stored[text.substr(0, 1)].push_back(std::stoi(text.substr(1)));
        return false;
    }
};

}  // namespace

TEST_SUITE("producer/core") {
    TEST_CASE("records linger together and leave as one batch") {
        World world;
        world.put("a", "1");
        world.answer_describe({7});
        world.put("b", "2");
        CHECK(world.requests().empty());
        CHECK_EQ(world.core.next_due(), world.now + 2ms);
        world.now += 2ms;
        const auto sent = world.requests();
        REQUIRE_EQ(sent.size(), 1);
        CHECK_EQ(sent[0].shard, 7);
        CHECK_EQ(data_of(sent[0].batch), Texts{"1", "2"});
        world.acknowledge(sent[0], 40);
        CHECK_EQ(world.results, Texts{"1:ok@40", "2:ok@41"});
        CHECK_FALSE(world.core.has_work());
        CHECK_EQ(world.core.metrics().memory_bytes, 0);
    }

    TEST_CASE("a full batch does not wait, and a shard has one batch under way at a time") {
        ProducerOptions options;
        options.batch_bytes_max = 200;
        World world(options);
        world.put("k", std::string(200, 'x'));
        world.answer_describe({1});
        const auto first = world.requests();
        REQUIRE_EQ(first.size(), 1);
        world.put("k", std::string(200, 'y'));
        CHECK(world.requests().empty());
        world.acknowledge(first[0], 0);
        CHECK_EQ(world.requests().size(), 1);
    }

    TEST_CASE(
        "a refused batch goes again unchanged, before anything newer, after a growing pause") {
        ProducerOptions options;
        options.linger = 0us;
        World world(options);
        world.put("k", "old");
        world.answer_describe({1});
        auto sent = world.requests();
        const Texts bytes{std::string(as_text(sent[0].batch))};
        world.put("k", "new");
        for (const auto pause : {20ms, 40ms, 80ms}) {
            world.refuse(sent[0], Errc::Throttled);
            CHECK(world.requests().empty());
            CHECK_EQ(world.core.next_due(), world.now + pause);
            world.now += pause;
            sent = world.requests();
            REQUIRE_EQ(sent.size(), 1);
            CHECK_EQ(as_text(sent[0].batch), bytes[0]);
        }
        world.acknowledge(sent[0], 0);
        sent = world.requests();
        CHECK_EQ(data_of(sent.at(0).batch), Texts{"new"});
        CHECK_EQ(world.core.metrics().batches_retried, 3);
    }

    TEST_CASE("a record that is not stored in time fails, and says why it could not be") {
        World world;
        world.put("k", "1");
        world.core.disconnected(Error(Errc::Unavailable, "h:1: cannot connect"), world.now);
        world.now += 30s;
        world.core.expire(world.now);
        auto finished = world.core.take_finished();
        REQUIRE_EQ(finished.size(), 1);
        CHECK_EQ(finished[0].result.failure().code, "timeout");
        CHECK(finished[0].result.failure().message.find("h:1: cannot connect") !=
              std::string::npos);
        CHECK_FALSE(world.core.has_work());
    }

    TEST_CASE(
        "a stream that does not exist fails its records at once, and is asked for again later") {
        World world;
        world.put("k", "1");
        world.refuse(world.requests().at(0), Errc::NotFound);
        CHECK_EQ(world.results, Texts{"1:not_found"});
        world.put("k", "2");
        world.answer_describe({3});
        world.now += 2ms;
        CHECK_EQ(world.requests().at(0).shard, 3);
    }

    TEST_CASE("records of a closed shard go to its children in order, before newer ones") {
        ProducerOptions options;
        options.linger = 0us;
        World world(options);
        // Hash keys 1 and the largest fall into different children.
        const std::string high = to_decimal(kUint128Max);
        world.put("a", "a1", "1");
        world.put("b", "b1", high);
        world.answer_describe({1});
        const auto sent = world.requests();
        world.put("a", "a2", "1");
        world.put("b", "b2", high);
        world.refuse(sent.at(0), Errc::ShardClosed);
        world.put("a", "a3", "1");
        world.now += 1s;
        world.answer_describe({2, 3});
        world.put("a", "a4", "1");
        auto children = world.requests();
        REQUIRE_EQ(children.size(), 2);
        Texts left, right;
        for (int turn = 0; turn < 5 && !children.empty(); ++turn) {
            for (const auto& request : children) {
                auto& side = request.shard == 2 ? left : right;
                for (auto& text : data_of(request.batch))
                    side.push_back(text);
                world.acknowledge(request, 0);
            }
            children = world.requests();
        }
        CHECK_EQ(left, Texts{"a1", "a2", "a3", "a4"});
        CHECK_EQ(right, Texts{"b1", "b2"});
    }

    TEST_CASE("a compressed batch goes again as it was, and on to a child from its records") {
        ProducerOptions options;
        options.linger = 0us;
        World world(options);
        BatchCompressor compressor({Codec::Zstd, 1});
        const std::string text(5000, 'x');
        world.put("a", text, "1");
        world.answer_describe({1});
        auto sent = world.requests();
        REQUIRE_EQ(sent.size(), 1);
        const std::size_t plain_bytes = sent[0].batch.size();
        sent[0].compress(compressor);
        CHECK_LT(sent[0].batch.size(), plain_bytes / 10);
        CHECK_EQ(data_of(sent[0].batch), Texts{text});
        const std::string bytes(as_text(sent[0].batch));
        world.refuse(sent[0], Errc::Throttled);
        world.now += 1s;
        sent = world.requests();
        REQUIRE_EQ(sent.size(), 1);
        sent[0].compress(compressor);
        CHECK_EQ(as_text(sent[0].batch), bytes);
        world.refuse(sent[0], Errc::ShardClosed);
        world.now += 1s;
        world.answer_describe({2});
        sent = world.requests();
        REQUIRE_EQ(sent.size(), 1);
        CHECK_EQ(sent[0].shard, 2);
        CHECK_EQ(data_of(sent[0].batch), Texts{text});
        sent[0].compress(compressor);
        world.acknowledge(sent[0], 0);
        const auto metrics = world.core.metrics();
        CHECK_EQ(metrics.bytes_stored, 5001);
        CHECK_LT(metrics.batch_bytes_stored, 500);
    }

    TEST_CASE("a new map waits while a closed shard still has a batch under way") {
        ProducerOptions options;
        options.linger = 0us;
        World world(options);
        world.put("a", "a1", "1");
        world.put("b", "b1", to_decimal(kUint128Max));
        world.answer_describe({1, 2});
        const auto sent = world.requests();
        REQUIRE_EQ(sent.size(), 2);
        const auto& to_first = sent[0].shard == 1 ? sent[0] : sent[1];
        const auto& to_second = sent[0].shard == 1 ? sent[1] : sent[0];
        world.refuse(to_second, Errc::ShardClosed);
        world.put("a", "a2", "1");
        world.now += 1s;
        world.answer_describe({5});  // a merge: shard 1 is gone too, its batch not yet refused
        CHECK(world.requests().empty());
        world.refuse(to_first, Errc::ShardClosed);
        world.now += 1s;
        world.answer_describe({5});
        Texts all;
        for (auto requests = world.requests(); !requests.empty(); requests = world.requests())
            for (const auto& request : requests) {
                for (auto& text : data_of(request.batch))
                    all.push_back(text);
                world.acknowledge(request, 0);
            }
        std::erase(all, "b1");
        CHECK_EQ(all, Texts{"a1", "a2"});
    }

    TEST_CASE("a flush ends when what was put before it is done, whatever comes after") {
        World world;
        world.put("k", "1");
        world.answer_describe({1});
        const auto epoch = world.core.begin_flush();
        CHECK_FALSE(world.core.is_flushed(epoch));
        const auto sent = world.requests();  // no lingering
        REQUIRE_EQ(sent.size(), 1);
        world.put("k", "2");
        world.acknowledge(sent[0], 0);
        CHECK(world.core.is_flushed(epoch));
        CHECK(world.core.has_work());
    }

    TEST_CASE("memory is bounded by what is pending, and a lone giant is let in") {
        ProducerOptions options;
        options.memory_bytes_max = 1000;
        World world(options);
        CHECK(world.core.has_room(5000));
        world.put("k", std::string(700, 'x'));
        CHECK_FALSE(world.core.has_room(300));
    }

    TEST_CASE("bad arguments take nothing") {
        World world;
        PutWaiter waiter;
        CHECK_EQ(world.core.put("s", "", {}, {}, waiter, world.now).error().code,
                 Errc::InvalidArgument);
        CHECK_EQ(world.core.put("s", "k", {}, "-1", waiter, world.now).error().code,
                 Errc::InvalidArgument);
        CHECK_FALSE(world.core.has_work());
    }

    TEST_CASE("each shard's records are numbered from 0, under one random id") {
        ProducerOptions options;
        options.linger = 0us;
        World world(options);
        world.put("a", "a1", "1");
        world.put("a", "a2", "1");
        world.put("b", "b1", to_decimal(kUint128Max));
        world.answer_describe({1, 2});
        auto sent = world.requests();
        REQUIRE_EQ(sent.size(), 2);
        for (const auto& request : sent) {
            CHECK_EQ(header_of(request).producer_id, 99);
            CHECK_EQ(header_of(request).producer_sequence, 0);
            world.acknowledge(request, 0);
        }
        world.put("a", "a3", "1");
        CHECK_EQ(header_of(world.requests().at(0)).producer_sequence, 2);

        options.is_idempotent = false;
        World plain(options);
        plain.put("a", "a1");
        plain.answer_describe({1});
        CHECK_EQ(header_of(plain.requests().at(0)).producer_id, 0);
    }

    TEST_CASE("after a batch was given up the next ones are numbered anew, under another id") {
        ProducerOptions options;
        options.linger = 0us;
        World world(options);
        world.put("k", "1");
        world.answer_describe({1});
        const auto first = world.requests().at(0);
        const auto id = header_of(first).producer_id;
        world.core.disconnected(Error(Errc::Unavailable, "broken"), world.now);
        world.now += 31s;
        CHECK(world.requests().empty());
        CHECK_EQ(world.results, Texts{"1:timeout"});
        world.put("k", "2");
        const auto second = world.requests().at(0);
        CHECK_NE(header_of(second).producer_id, id);
        CHECK_EQ(header_of(second).producer_sequence, 0);
        world.acknowledge(second, 0);
        world.put("k", "3");
        const auto third = world.requests().at(0);
        CHECK_EQ(header_of(third).producer_id, header_of(second).producer_id);
        CHECK_EQ(header_of(third).producer_sequence, 1);
        CHECK_EQ(world.core.metrics().sequences_begun_anew, 1);
    }

    TEST_CASE("a gap in the log, or other records under our numbers, begin the numbers anew") {
        for (const auto code : {Errc::SequenceGap, Errc::SequenceConflict, Errc::SequenceStale}) {
            ProducerOptions options;
            options.linger = 0us;
            World world(options);
            world.put("k", "1");
            world.answer_describe({1});
            world.acknowledge(world.requests().at(0), 0);
            world.put("k", "2");
            const auto refused = world.requests().at(0);
            const auto before = header_of(refused);  // the batch is numbered anew in its place
            CHECK_EQ(before.producer_sequence, 1);
            world.refuse(refused, code);
            world.now += 1s;
            const auto again = world.requests().at(0);
            CHECK_NE(header_of(again).producer_id, before.producer_id);
            CHECK_EQ(header_of(again).producer_sequence, 0);
            CHECK_EQ(data_of(again.batch), Texts{"2"});
            world.acknowledge(again, 1);
            CHECK_EQ(world.results, Texts{"1:ok@0", "2:ok@1"});
        }
    }

    TEST_CASE("a producer with an id of its own goes on where the broker says that it stands") {
        ProducerOptions options;
        options.linger = 0us;
        options.producer_id = 1234;
        World world(options);
        world.put("k", "1");
        world.answer_describe({1});
        auto asked = world.requests();
        REQUIRE_EQ(asked.size(), 1);
        CHECK(asked[0].kind == ProducerRequest::Kind::Position);
        CHECK_EQ(asked[0].producer_id, 1234);
        CHECK(world.requests().empty());
        world.refuse(asked[0], Errc::Unavailable);
        world.now += 1s;
        asked = world.requests();
        world.core.disconnected(Error(Errc::Unavailable, "broken"), world.now);
        world.now += 1s;
        asked = world.requests();
        REQUIRE_EQ(asked.size(), 1);
        world.core.position_is(asked[0].id, 777);
        auto sent = world.requests();
        REQUIRE_EQ(sent.size(), 1);
        CHECK_EQ(header_of(sent[0]).producer_id, 1234);
        CHECK_EQ(header_of(sent[0]).producer_sequence, 777);
        // Somebody else has used the id meanwhile: the place is asked for again.
        world.refuse(sent[0], Errc::SequenceConflict);
        world.now += 1s;
        asked = world.requests();
        REQUIRE_EQ(asked.size(), 1);
        CHECK(asked[0].kind == ProducerRequest::Kind::Position);
        world.core.position_is(asked[0].id, 780);
        sent = world.requests();
        CHECK_EQ(header_of(sent.at(0)).producer_sequence, 780);
        CHECK_EQ(header_of(sent.at(0)).producer_id, 1234);
    }

    TEST_CASE(
        "what a closed shard may hold already is asked there before it goes to the children") {
        ProducerOptions options;
        options.linger = 0us;
        World world(options);
        world.put("a", "a1", "1");
        world.put("b", "b1", to_decimal(kUint128Max));
        world.answer_describe({1, 2});
        auto sent = world.requests();
        REQUIRE_EQ(sent.size(), 2);
        if (sent[0].shard != 1) std::swap(sent[0], sent[1]);
        const std::string bytes(as_text(sent[0].batch));
        world.refuse(sent[1], Errc::Unknown);  // b1 may be in shard 2
        world.refuse(sent[0], Errc::ShardClosed);
        world.now += 1s;
        auto asked = world.requests();  // the map, and b1 again where it may be
        REQUIRE_EQ(asked.size(), 2);
        if (asked[0].kind != ProducerRequest::Kind::Describe) std::swap(asked[0], asked[1]);
        CHECK_EQ(asked[1].shard, 2);
        world.core.described(asked[0].id, World::stream({5}), world.now);
        CHECK(world.requests().empty());  // b1 has no answer yet
        world.core.acknowledged(asked[1].id, 7, 0, true);
        world.now += 1s;
        world.answer_describe({5});
        sent = world.requests();
        REQUIRE_EQ(sent.size(), 1);
        CHECK_EQ(sent[0].shard, 5);
        CHECK_EQ(data_of(sent[0].batch), Texts{"a1"});
        world.acknowledge(sent[0], 0);
        CHECK_EQ(world.results, Texts{"b1:ok@7", "a1:ok@0"});
        CHECK_EQ(world.core.metrics().batches_duplicate, 1);
    }

    TEST_CASE(
        "under random losses, refusals, late arrivals and splits each record is stored exactly "
        "once, each key's in order") {
        std::uint64_t duplicates = 0;
        for (std::uint64_t seed = 1; seed <= 300; ++seed) {
            CAPTURE(seed);
            Random random(seed);
            ProducerOptions options;
            options.record_ttl = 24h;
            options.batch_bytes_max = 150;
            World world(options);
            ModelBroker broker;
            std::vector<std::uint32_t> open{1, 2};
            for (const auto uid : open)
                broker.shards[uid];
            std::uint32_t last_uid = 2;
            std::vector<std::uint32_t> described = open;  // differs while the stream is updating
            bool is_updating = false;
            std::map<std::string, int> next;
            std::vector<ProducerRequest> asked;
            struct Late {
                std::uint32_t shard;
                std::vector<std::byte> bytes;
            };
            std::vector<Late> late;  // left in a broken connection, not read by the broker yet
            for (int step = 0; step < 400 || world.core.has_work(); ++step) {
                REQUIRE_LT(step, 20'000);
                world.now += std::chrono::milliseconds(random.below(30));
                if (step < 400) {
                    const std::string key(1, static_cast<char>('a' + random.below(5)));
                    world.put(key, key + std::to_string(next[key]++));
                }
                for (auto& request : world.requests())
                    asked.push_back(request);
                if (is_updating && random.chance(0.3)) {
                    is_updating = false;
                    described = open;
                }
                // All shards are replaced; half of the time it takes a while until it shows.
                if (!is_updating && random.chance(0.02) && step < 400) {
                    is_updating = random.chance(0.5);
                    for (const auto uid : open)
                        broker.shards.at(uid).is_open = false;
                    open = {++last_uid, ++last_uid, ++last_uid};
                    for (const auto uid : open)
                        broker.shards[uid];
                    if (!is_updating) described = open;
                }
                while (!late.empty() && random.chance(0.3)) {
                    (void)broker.produce(late.front().shard, late.front().bytes);
                    late.erase(late.begin());
                }
                if (random.chance(0.03)) {
                    for (const auto& request : asked) {
                        if (request.kind != ProducerRequest::Kind::Produce) continue;
                        if (random.chance(0.4))  // arrived before the connection broke
                            (void)broker.produce(request.shard, request.batch);
                        else if (random.chance(0.5))
                            late.push_back(
                                {request.shard, {request.batch.begin(), request.batch.end()}});
                    }
                    asked.clear();
                    world.core.disconnected(Error(Errc::Unavailable, "broken"), world.now);
                    continue;
                }
                if (asked.empty() || random.chance(0.3)) continue;
                const auto at =
                    asked.begin() + static_cast<std::ptrdiff_t>(random.below(asked.size()));
                const ProducerRequest request = *at;
                asked.erase(at);
                if (request.kind == ProducerRequest::Kind::Describe) {
                    auto stream = World::stream(described);
                    stream.status = is_updating ? "updating" : "active";
                    world.core.described(request.id, stream, world.now);
                    continue;
                }
                if (random.chance(0.1)) {
                    world.refuse(request, Errc::Throttled);
                    continue;
                }
                const auto answer = broker.produce(request.shard, request.batch);
                if (const auto* code = std::get_if<Errc>(&answer)) {
                    REQUIRE_EQ(*code, Errc::ShardClosed);
                    world.refuse(request, *code);
                } else if (random.chance(0.1)) {
                    world.refuse(request, Errc::Unknown);
                } else {
                    duplicates += std::get<bool>(answer) ? 1 : 0;
                    world.core.acknowledged(request.id, 0, 0, std::get<bool>(answer));
                    world.hand_out();
                }
            }
            for (const auto& [key, count] : next) {
                const auto& stored = broker.stored[key];
                REQUIRE_EQ(stored.size(), static_cast<std::size_t>(count));
                for (int i = 0; i < count; ++i)
                    REQUIRE_EQ(stored[static_cast<std::size_t>(i)], i);
            }
            CHECK_EQ(world.core.metrics().records_failed, 0);
            CHECK_EQ(world.core.metrics().sequences_begun_anew, 0);
        }
        CHECK_GT(duplicates, 300);
    }

    TEST_CASE("only the range of a closed shard waits for the new map") {
        ProducerOptions options;
        options.linger = 0us;
        World world(options);
        const std::string high = to_decimal(kUint128Max);
        world.put("a", "a1", "1");
        world.answer_describe({1, 2});
        world.refuse(world.requests().at(0), Errc::ShardClosed);
        world.put("b", "b1", high);
        world.now += 5ms;
        const auto sent = world.requests();
        REQUIRE_EQ(sent.size(), 2);
        REQUIRE_NE((sent[0].kind == ProducerRequest::Kind::Describe),
                   (sent[1].kind == ProducerRequest::Kind::Describe));
        const auto& batch = sent[0].kind == ProducerRequest::Kind::Describe ? sent[1] : sent[0];
        CHECK_EQ(batch.shard, 2);
        CHECK_EQ(data_of(batch.batch), Texts{"b1"});
    }

    TEST_CASE("while the stream is updating a closed shard's children are asked for again, soon") {
        ProducerOptions options;
        options.linger = 0us;
        World world(options);
        world.put("a", "a1", "1");
        world.answer_describe({1});
        world.now += 1s;
        world.refuse(world.requests().at(0), Errc::ShardClosed);
        auto updating = World::stream({1});
        updating.status = "updating";
        for (const auto pause : {1ms, 2ms, 4ms}) {
            const auto asked = world.requests();
            REQUIRE_EQ(asked.size(), 1);
            REQUIRE(asked[0].kind == ProducerRequest::Kind::Describe);
            world.core.described(asked[0].id, updating, world.now);
            CHECK(world.requests().empty());
            world.now += pause;
        }
        // The change was withdrawn: the shard is open as before.
        world.answer_describe({1});
        const auto sent = world.requests();
        REQUIRE_EQ(sent.size(), 1);
        CHECK_EQ(sent[0].shard, 1);
    }

    TEST_CASE("a batch whose answer was lost goes to its closed shard before its children") {
        ProducerOptions options;
        options.linger = 0us;
        World world(options);
        world.put("a", "a1", "1");
        world.answer_describe({1});
        REQUIRE_EQ(world.requests().size(), 1);
        world.put("a", "a2", "1");
        world.core.disconnected(Error(Errc::Unavailable, "broken"), world.now);
        const auto again = world.requests();  // to the shard that may have it
        REQUIRE_EQ(again.size(), 1);
        CHECK_EQ(again[0].shard, 1);
        world.core.disconnected(Error(Errc::Unavailable, "broken"), world.now);
        world.put("b", "b1", to_decimal(kUint128Max));
        // Another reason to ask for the map: the shard has been split meanwhile.
        world.now += 1s;
        auto sent = world.requests();
        REQUIRE_EQ(sent.size(), 1);
        CHECK_EQ(sent[0].shard, 1);
        CHECK_EQ(data_of(sent[0].batch), Texts{"a1"});
        world.acknowledge(sent[0], 0);  // it was stored before
        sent = world.requests();
        world.refuse(sent.at(0), Errc::ShardClosed);
        world.now += 1s;
        world.answer_describe({2, 3});
        Texts later;
        for (const auto& request : world.requests())
            for (auto& text : data_of(request.batch))
                later.push_back(text);
        std::ranges::sort(later);
        CHECK_EQ(later, Texts{"a2", "b1"});
    }

    TEST_CASE("a broker that still describes the shards before a change is asked again") {
        ProducerOptions options;
        options.linger = 0us;
        World world(options);
        world.put("a", "a1", "1");
        world.answer_describe({2, 3});  // the children of 1
        auto sent = world.requests();
        REQUIRE_EQ(sent.size(), 1);
        world.acknowledge(sent[0], 0);
        // Another child is closed in turn; the broker, started anew, comes to the change only now.
        world.put("b", "b1", to_decimal(kUint128Max));
        world.refuse(world.requests().at(0), Errc::ShardClosed);
        auto stale = World::stream({1});
        stale.status = "updating";
        world.now += 1s;
        const auto asked = world.requests();
        REQUIRE_EQ(asked.size(), 1);
        world.core.described(asked[0].id, stale, world.now);
        world.put("a", "a2", "1");
        sent = world.requests();
        REQUIRE_EQ(sent.size(), 1);
        CHECK_EQ(sent[0].shard, 2);  // and its numbers go on
        CHECK_EQ(header_of(sent[0]).producer_sequence, 1);
        world.acknowledge(sent[0], 1);
        world.now += 1s;
        world.answer_describe({2, 4, 5});
        sent = world.requests();
        REQUIRE_EQ(sent.size(), 1);
        CHECK_EQ(sent[0].shard, 5);
        CHECK_EQ(data_of(sent[0].batch), Texts{"b1"});
    }
}
