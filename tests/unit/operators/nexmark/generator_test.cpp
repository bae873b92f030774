#include "operators/nexmark/generator.h"

#include <cmath>
#include <map>
#include <set>
#include <string>

#include <doctest/doctest.h>

#include "operators/vector/value.h"

using namespace tidemill;
using namespace tidemill::nexmark;

namespace {

constexpr std::uint64_t kEvents = 200'000;

// A share that chance decides: within five standard deviations of what is published.
void check_share(std::uint64_t found, std::uint64_t all, double expected) {
    const auto n = static_cast<double>(all);
    const auto share = static_cast<double>(found) / n;
    CAPTURE(share);
    CAPTURE(expected);
    CHECK(std::abs(share - expected) < 5 * std::sqrt(expected * (1 - expected) / n));
}

template <class F>
void for_each_stretch(F&& visit) {
    Generator generator({});
    Events events;
    for (std::uint64_t done = 0; done < kEvents; done += Generator::kStretch) {
        generator.make(done, std::min(Generator::kStretch, kEvents - done), events);
        visit(events);
    }
}

}  // namespace

TEST_CASE("of fifty events one is a person, three are auctions and the rest bids") {
    std::uint64_t persons = 0, auctions = 0, bids = 0;
    for_each_stretch([&](const Events& events) {
        CHECK(events.bid.size() <= sql::kBatchRows);
        persons += events.person.size();
        auctions += events.auction.size();
        bids += events.bid.size();
    });
    CHECK(persons == kEvents / 50);
    CHECK(auctions == kEvents / 50 * 3);
    CHECK(bids == kEvents / 50 * 46);
}

TEST_CASE("an event depends on its number and the seed alone") {
    Generator one({}), other({});
    GeneratorOptions seeded;
    seeded.seed = 7;
    Generator third(seeded);
    Events whole, part, strange;
    one.make(0, 1000, whole);
    other.make(500, 250, part);
    third.make(0, 1000, strange);
    const std::size_t offset = 500 / 50 * 46;
    bool is_other_seed_equal = true;
    for (std::size_t row = 0; row < part.bid.size(); ++row)
        for (std::size_t column = 0; column < part.bid.columns.size(); ++column)
            REQUIRE((part.bid.columns[column].value_at(row) ==
                     whole.bid.columns[column].value_at(offset + row)));
    for (std::size_t row = 0; row < whole.bid.size(); ++row)
        is_other_seed_equal &=
            whole.bid.columns[2].int_at(row) == strange.bid.columns[2].int_at(row);
    CHECK_FALSE(is_other_seed_equal);
}

TEST_CASE("ids ascend from 1000 without a gap, and times with the events") {
    std::int64_t person = 1000, auction = 1000, last = 0;
    for_each_stretch([&](const Events& events) {
        for (std::size_t row = 0; row < events.person.size(); ++row)
            REQUIRE(events.person.columns[0].int_at(row) == person++);
        for (std::size_t row = 0; row < events.auction.size(); ++row) {
            REQUIRE(events.auction.columns[0].int_at(row) == auction++);
            const auto time = events.auction.columns[5].int_at(row);
            REQUIRE(time >= last);
            REQUIRE(events.auction.rowtime.int_at(row) == time);
            last = time;
        }
    });
}

TEST_CASE("bids have the published distributions") {
    std::uint64_t bids = 0, hot_auctions = 0, hot_bidders = 0, hot_channels = 0, with_id = 0,
                  others = 0, bytes = 0;
    std::map<int, std::uint64_t> decades;
    std::set<std::string> channels;
    for_each_stretch([&](const Events& events) {
        const auto& columns = events.bid.columns;
        for (std::size_t row = 0; row < events.bid.size(); ++row) {
            ++bids;
            hot_auctions += (columns[0].int_at(row) - 1000) % 100 == 0 ? 1 : 0;
            hot_bidders += (columns[1].int_at(row) - 2000) % 100 == 1 ? 1 : 0;
            const auto price = columns[2].int_at(row);
            REQUIRE(price >= 100);
            REQUIRE(price <= 100'000'000);
            ++decades[static_cast<int>(std::log10(static_cast<double>(price)))];
            const auto channel = columns[3].text_at(row);
            const auto url = columns[4].text_at(row);
            REQUIRE(url.starts_with("https://www.nexmark.com/"));
            const bool is_other = channel.starts_with("channel-");
            hot_channels += is_other ? 0 : 1;
            if (is_other) {
                ++others;
                with_id += url.find("&channel_id=") != url.npos ? 1 : 0;
                channels.emplace(channel);
            } else {
                REQUIRE(url.find("&channel_id=") == url.npos);
            }
            const auto extra = columns[6].text_at(row).size();
            REQUIRE(extra >= 54);
            REQUIRE(extra <= 82);
            bytes += 24 + 8 + channel.size() + url.size() + extra;
        }
    });
    // A cold draw is the hot one now and then: one in 111 auctions, one in 100 bidders (and the hot
    // bidder may be older than the active ones).
    check_share(hot_auctions, bids, 0.5 + 0.5 / 100);
    check_share(hot_bidders, bids, 0.75 + 0.25 / 100);
    check_share(hot_channels, bids, 0.5);
    CHECK(channels.size() > 9900);
    // 90 % of the 10,000 channels, drawn once.
    CHECK(std::abs(static_cast<double>(with_id) / static_cast<double>(others) - 0.9) < 0.02);
    for (int decade = 2; decade < 8; ++decade)
        check_share(decades[decade], bids, 1.0 / 6);
    const auto mean = static_cast<double>(bytes) / static_cast<double>(bids);
    CHECK(mean > 150);
    CHECK(mean < 210);
}

TEST_CASE("persons and auctions have the published distributions") {
    std::map<std::string, std::uint64_t> states, cities;
    std::map<std::int64_t, std::uint64_t> categories;
    std::uint64_t persons = 0, auctions = 0, hot_sellers = 0, person_bytes = 0, auction_bytes = 0;
    for_each_stretch([&](const Events& events) {
        const auto& person = events.person.columns;
        for (std::size_t row = 0; row < events.person.size(); ++row) {
            ++persons;
            ++states[std::string(person[5].text_at(row))];
            ++cities[std::string(person[4].text_at(row))];
            REQUIRE(person[3].text_at(row).size() == 19);
            REQUIRE(person[2].text_at(row).find('@') != std::string_view::npos);
            person_bytes += 16;
            for (const auto column : {1, 2, 3, 4, 5, 7})
                person_bytes += person[static_cast<std::size_t>(column)].text_at(row).size();
        }
        const auto& auction = events.auction.columns;
        for (std::size_t row = 0; row < events.auction.size(); ++row) {
            ++auctions;
            ++categories[auction[8].int_at(row)];
            hot_sellers += (auction[7].int_at(row) - 1000) % 100 == 0 ? 1 : 0;
            REQUIRE(auction[4].int_at(row) > auction[3].int_at(row));
            REQUIRE(auction[6].int_at(row) > auction[5].int_at(row));
            auction_bytes += 56;
            for (const auto column : {1, 2, 9})
                auction_bytes += auction[static_cast<std::size_t>(column)].text_at(row).size();
        }
    });
    CHECK(states.size() == 6);
    CHECK(cities.size() == 10);
    CHECK(categories.size() == 5);
    CHECK(categories.begin()->first == 10);
    for (const auto& [state, count] : states)
        check_share(count, persons, 1.0 / 6);
    for (const auto& [category, count] : categories)
        check_share(count, auctions, 0.2);
    check_share(hot_sellers, auctions, 0.75 + 0.25 / 100);
    CHECK(std::abs(static_cast<double>(person_bytes) / static_cast<double>(persons) - 200) < 10);
    CHECK(std::abs(static_cast<double>(auction_bytes) / static_cast<double>(auctions) - 500) < 20);
}
