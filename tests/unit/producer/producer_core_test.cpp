#include "producer/producer_core.h"

#include <doctest/doctest.h>

#include "engine/base/hash_key.h"
#include "engine/base/random.h"

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
        core.acknowledged(request.id, ordinal, 0, now);
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
        REQUIRE(asked[0].is_describe);
        core.described(asked[0].id, stream(std::move(open)), now);
    }
};

std::vector<std::string> data_of(Bytes batch) {
    std::vector<std::string> all;
    const auto view = RecordBatchView::parse(batch);
    REQUIRE(view.has_value());
    RecordCursor cursor(*view);
    for (RecordView record; cursor.next(record);)
        all.emplace_back(as_text(record.data));
    return all;
}

using Texts = std::vector<std::string>;

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

    TEST_CASE(
        "under random losses, refusals and splits each key's records are stored in order, none "
        "lost") {
        for (std::uint64_t seed = 1; seed <= 200; ++seed) {
            CAPTURE(seed);
            Random random(seed);
            ProducerOptions options;
            options.record_ttl = 24h;
            options.batch_bytes_max = 150;
            World world(options);
            std::vector<std::uint32_t> open{1, 2};
            std::map<std::uint32_t, bool> is_open{{1, true}, {2, true}};
            std::uint32_t last_uid = 2;
            std::map<std::string, std::vector<int>> stored;  // by key, as the broker saw them first
            std::map<std::string, int> next;
            std::vector<ProducerRequest> asked;
            const auto store = [&](const ProducerRequest& request) {
                for (const auto& text : data_of(request.batch)) {
                    auto& seen = stored[text.substr(0, 1)];
                    const int number = std::stoi(text.substr(1));
                    if (std::ranges::find(seen, number) == seen.end()) seen.push_back(number);
                }
            };
            for (int step = 0; step < 400 || world.core.has_work(); ++step) {
                REQUIRE_LT(step, 20'000);
                world.now += std::chrono::milliseconds(random.below(30));
                if (step < 400) {
                    const std::string key(1, static_cast<char>('a' + random.below(5)));
                    world.put(key, key + std::to_string(next[key]++));
                }
                for (auto& request : world.requests())
                    asked.push_back(request);
                if (random.chance(0.02) && step < 400) {  // all shards are replaced
                    is_open.clear();
                    open = {++last_uid, ++last_uid, ++last_uid};
                    for (const auto uid : open)
                        is_open[uid] = true;
                }
                if (random.chance(0.03)) {
                    for (const auto& request : asked)  // some arrived before the connection broke
                        if (!request.is_describe && is_open[request.shard] && random.chance(0.5))
                            store(request);
                    asked.clear();
                    world.core.disconnected(Error(Errc::Unavailable, "broken"), world.now);
                    continue;
                }
                if (asked.empty() || random.chance(0.3)) continue;
                const auto at =
                    asked.begin() + static_cast<std::ptrdiff_t>(random.below(asked.size()));
                const ProducerRequest request = *at;
                asked.erase(at);
                if (request.is_describe)
                    world.core.described(request.id, World::stream(open), world.now);
                else if (!is_open[request.shard])
                    world.refuse(request, Errc::ShardClosed);
                else if (random.chance(0.2))
                    world.refuse(request, Errc::Throttled);
                else {
                    store(request);
                    world.acknowledge(request, 0);
                }
            }
            for (const auto& [key, count] : next) {
                REQUIRE_EQ(stored[key].size(), static_cast<std::size_t>(count));
                CHECK(std::ranges::is_sorted(stored[key]));
            }
            CHECK_EQ(world.core.metrics().records_failed, 0);
        }
    }
}
