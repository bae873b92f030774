#include "consumer/lease_plan.h"

#include <algorithm>
#include <map>
#include <set>

#include <doctest/doctest.h>

using namespace tidemill;
using namespace tidemill::client;

namespace {

constexpr WallTime kNow = from_millis(1'000'000);
using Indexes = std::vector<std::uint32_t>;

std::vector<ShardDescription> shards(std::uint32_t count) {
    std::vector<ShardDescription> all(count);
    for (std::uint32_t i = 0; i < count; ++i)
        all[i].index = i;
    return all;
}

Lease lease(std::uint32_t index, std::string owner, bool is_finished = false,
            std::chrono::milliseconds left = 5s) {
    return {index, 10, is_finished, std::move(owner), 1, kNow + left};
}

}  // namespace

TEST_SUITE("consumer/lease_plan") {
    TEST_CASE("a lone worker takes everything that is free or expired") {
        const auto plan = plan_leases(shards(3), {lease(1, "gone", false, -1ms)}, "me", kNow);
        CHECK_EQ(plan.take, Indexes{0, 1, 2});
        CHECK(plan.keep.empty());
    }

    TEST_CASE("a held lease is left alone, and its holder counts") {
        const auto plan = plan_leases(shards(4), {lease(0, "other")}, "me", kNow);
        CHECK_EQ(plan.take, Indexes{1, 2});  // half of four
    }

    TEST_CASE("a worker that is present without a shard gets its share from who has more") {
        std::vector<Lease> leases;
        for (std::uint32_t i = 0; i < 4; ++i)
            leases.push_back(lease(i, "rich"));
        leases.push_back(lease(presence_index("poor"), "poor"));
        const auto rich = plan_leases(shards(4), leases, "rich", kNow);
        CHECK_EQ(rich.keep, Indexes{0, 1});
        CHECK_EQ(rich.give_back, Indexes{3, 2});
        CHECK(plan_leases(shards(4), leases, "poor", kNow).take.empty());
    }

    TEST_CASE("parents come to their end before their children begin") {
        auto all = shards(4);
        all[2].parent = 0;
        all[2].adjacent_parent = 1;
        all[3].parent = 2;
        CHECK_EQ(plan_leases(all, {}, "me", kNow).take, Indexes{0, 1});
        CHECK_EQ(plan_leases(all, {lease(0, "", true)}, "me", kNow).take, Indexes{1});
        CHECK_EQ(plan_leases(all, {lease(0, "", true), lease(1, "", true)}, "me", kNow).take,
                 Indexes{2});
        all.erase(all.begin(), all.begin() + 2);  // the parents have expired from the stream
        CHECK_EQ(plan_leases(all, {}, "me", kNow).take, Indexes{2});
    }

    TEST_CASE(
        "workers that plan in turn settle on even shares, and a dead one's shards are taken over") {
        std::map<std::uint32_t, Lease> table;
        WallTime now = kNow;
        const auto turn = [&](const std::string& worker, std::uint32_t count) {
            const auto claim = [&](std::uint32_t index) {
                table[index] = {index, 0, false, worker, table[index].counter + 1, now + 10s};
            };
            claim(presence_index(worker));
            std::vector<Lease> leases;
            for (const auto& [index, entry] : table)
                leases.push_back(entry);
            const auto plan = plan_leases(shards(count), leases, worker, now);
            for (const auto index : plan.give_back)
                table[index].owner.clear();
            for (const auto index : plan.keep)
                claim(index);
            for (const auto index : plan.take)
                claim(index);
        };
        const auto held = [&](const std::string& worker) {
            return std::ranges::count_if(table, [&](const auto& entry) {
                return !is_presence(entry.first) && entry.second.owner == worker;
            });
        };
        for (int round = 0; round < 5; ++round, now += 2s)
            for (const char* worker : {"a", "b", "c"})
                turn(worker, 8);
        CHECK_EQ(held("a") + held("b") + held("c"), 8);
        for (const char* worker : {"a", "b", "c"})
            CHECK_GE(held(worker), 2);
        for (int round = 0; round < 10; ++round, now += 2s)
            for (const char* worker : {"a", "c"})
                turn(worker, 8);
        CHECK_EQ(held("a"), 4);
        CHECK_EQ(held("c"), 4);
    }

    TEST_CASE("who begins at the tip passes over what was closed by then, and nothing after") {
        // 0 -> 1, 2; 1 + 2 -> 3; 3 -> 4, 5
        auto all = shards(6);
        const auto split = [&](std::uint32_t parent, std::uint32_t child) {
            all[parent].closed = kNow;
            all[child].parent = parent;
        };
        split(0, 1);
        split(0, 2);
        split(1, 3);
        all[2].closed = kNow;
        all[3].adjacent_parent = 2;
        const auto passed = [&](std::size_t count, const std::vector<Lease>& leases) {
            std::set<std::uint32_t> found;
            for (const auto& lease :
                 passed_over({all.begin(), all.begin() + static_cast<int>(count)}, leases)) {
                CHECK(lease.is_finished);
                CHECK_EQ(lease.ordinal, kSkipped);
                found.insert(lease.shard_index);
            }
            return found;
        };
        using Set = std::set<std::uint32_t>;
        CHECK_EQ(passed(4, {}), Set{0, 1, 2});  // new
        CHECK_EQ(passed(4, {lease(presence_index("me"), "me")}), Set{0, 1, 2});
        CHECK_EQ(passed(4, {lease(3, "me")}), Set{0, 1, 2});  // looked again
        split(3, 4);
        split(3, 5);
        CHECK_EQ(passed(6, {lease(3, "me")}), Set{0, 1, 2});
        CHECK_EQ(passed(6, {lease(3, "me", true), lease(4, "me")}), Set{0, 1, 2});
        // Shards split again before anybody came to them are read.
        CHECK_EQ(passed(6, {lease(0, "me", true)}), Set{});
        CHECK_EQ(passed(6, {lease(0, "me", true), lease(1, "me")}), Set{});
        const auto plan = plan_leases(all, {lease(0, "me", true)}, "me", kNow);
        CHECK_EQ(plan.take, Indexes{1, 2});
    }
}
