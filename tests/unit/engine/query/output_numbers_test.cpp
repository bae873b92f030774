#include "engine/query/output_numbers.h"

#include <algorithm>
#include <map>
#include <set>

#include <doctest/doctest.h>

#include "engine/base/random.h"

// A broker that stores rows and forgets nothing, an output that crashes: each row must be stored
// once, in its key's order, whatever was split or merged in between.
using namespace tidemill;
using namespace tidemill::query;

namespace {

constexpr uint128 kEighth = kUint128Max / 8;

struct World {
    StreamInfo stream;
    std::map<ShardUid, std::vector<std::uint64_t>> stored;  // numbers of rows, by shard
    std::uint32_t next_uid = 1;

    std::uint32_t add(HashRange range, std::optional<std::uint32_t> parent,
                      std::optional<std::uint32_t> other) {
        ShardInfo shard;
        shard.uid = ShardUid{next_uid++};
        shard.index = static_cast<std::uint32_t>(stream.shards.size());
        shard.range = range;
        shard.parent = parent;
        shard.adjacent_parent = other;
        stream.shards.push_back(shard);
        stream.index_open_shards();
        return shard.index;
    }
    void close(std::uint32_t index) {
        stream.shards[index].closed = from_millis(1);
        stream.index_open_shards();
    }
    std::vector<std::uint32_t> open() const {
        std::vector<std::uint32_t> indexes;
        for (const auto at : stream.open)
            indexes.push_back(stream.shards[at].index);
        return indexes;
    }
    void split(std::uint32_t index) {
        const auto range = stream.shards[index].range;
        if (range.last - range.first < kEighth) return;
        const auto middle = range.first + (range.last - range.first) / 2;
        close(index);
        add({range.first, middle}, index, {});
        add({middle + 1, range.last}, index, {});
    }
    void merge(std::uint32_t first, std::uint32_t second) {
        const HashRange range{stream.shards[first].range.first, stream.shards[second].range.last};
        close(first);
        close(second);
        add(range, first, second);
    }
    void change(Random& random) {
        const auto shards = open();
        const auto at = random.below(shards.size());
        if (random.below(2) == 0)
            split(shards[at]);
        else if (at + 1 < shards.size())
            merge(shards[at], shards[at + 1]);
    }
};

uint128 key_of(std::uint64_t row) {
    return hash_partition_key("k" + std::to_string(row * 2654435761u % 40));
}

/// The log's word at a start.
void tell(OutputNumbers& numbers, const World& world) {
    for (const auto& [shard, rows] : world.stored)
        numbers.know(shard, static_cast<std::uint32_t>(rows.size()));
}

}  // namespace

TEST_SUITE("output numbers") {
    TEST_CASE("rows that are made again are stored once, across crashes, splits and merges") {
        for (std::uint64_t seed = 1; seed <= 300; ++seed) {
            CAPTURE(seed);
            Random random(seed);
            World world;
            world.add({0, kUint128Max / 2}, {}, {});
            world.add({kUint128Max / 2 + 1, kUint128Max}, {}, {});
            OutputNumbers numbers({});
            auto checkpoint = numbers.settle(world.stream);
            std::uint64_t checkpoint_row = 0, row = 0, furthest = 0;
            while (row < 600) {
                const auto place = numbers.place(world.stream, key_of(row));
                if (!place.is_stored) {
                    REQUIRE(place.shard->is_open());
                    auto& rows = world.stored[place.shard->uid];
                    REQUIRE_EQ(numbers.next(place.shard->uid), rows.size());
                    rows.push_back(row);
                }
                numbers.advance(place.shard->uid, 1);
                ++row;
                if (random.below(40) == 0) world.change(random);
                furthest = std::max(furthest, row);
                // What was done before a crash is done again before there is another checkpoint.
                if (row == furthest && random.below(60) == 0) {
                    checkpoint = numbers.settle(world.stream);
                    checkpoint_row = row;
                }
                if (random.below(50) != 0) continue;
                // A crash: back to the checkpoint, with what the log says.
                numbers = OutputNumbers(checkpoint);
                tell(numbers, world);
                row = checkpoint_row;
            }
            std::set<std::uint64_t> seen;
            for (const auto& [shard, rows] : world.stored) {
                CHECK(std::ranges::is_sorted(rows));
                for (const auto one : rows)
                    CHECK(seen.insert(one).second);
            }
            CHECK_EQ(seen.size(), 600);
        }
    }
    TEST_CASE("numbers go round") {
        World world;
        world.add({0, kUint128Max}, {}, {});
        OutputNumbers numbers({7, {{ShardUid{1}, UINT32_MAX - 1}}});
        numbers.know(ShardUid{1}, 3);
        CHECK_EQ(numbers.producer(), 7);
        int stored = 0;
        while (numbers.place(world.stream, 5).is_stored) {
            numbers.advance(ShardUid{1}, 1);
            ++stored;
        }
        CHECK_EQ(stored, 5);
        CHECK_EQ(numbers.next(ShardUid{1}), 3);
        CHECK_EQ(numbers.settle(world.stream).shards, std::vector<ShardNumber>{{ShardUid{1}, 3}});
    }
}
