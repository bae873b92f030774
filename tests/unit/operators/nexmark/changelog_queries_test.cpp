#include <algorithm>
#include <array>
#include <map>
#include <set>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "operators/vector/time_text.h"
#include "tests/unit/operators/nexmark/query_run.h"

using namespace tidemill;
using namespace tidemill::nexmark;

// The queries whose rows change, each against a computation that knows nothing of the engine: what
// the changes have come to.
namespace {

constexpr std::uint64_t kEvents = 8000;
constexpr std::int64_t kDay = 86'400'000;

// Around midnight.
GeneratorOptions over_days() {
    GeneratorOptions options;
    options.events_per_second = 1;
    options.first_time += 23 * 3'600'000;
    return options;
}

std::string time_text(std::int64_t millis) {
    std::string text;
    sql::append_timestamp(text, millis);
    return text;
}
std::string day_text(std::int64_t day) { return time_text(day * kDay).substr(0, 10); }

std::size_t band_of(std::int64_t price) { return price < 10'000 ? 1 : price < 1'000'000 ? 2 : 3; }

// The last row of each value of the columns.
std::map<std::string, std::string> settled(const std::vector<std::string>& rows,
                                           std::initializer_list<std::size_t> columns) {
    std::map<std::string, std::string> table;
    for (const auto& row : rows) {
        std::vector<std::string> cells(1);
        for (const char c : row)
            c == ',' ? cells.emplace_back() : (cells.back() += c, cells.back());
        std::string key;
        for (const auto column : columns)
            key += cells.at(column) + ",";
        table[key] = row;
    }
    return table;
}

// However the events are cut into batches.
template <class F>
void for_each_stretch(F&& check) {
    for (const std::uint64_t stretch : {Generator::kStretch, std::uint64_t{77}, std::uint64_t{1}})
        check(stretch);
}

struct Statistics {
    std::array<std::int64_t, 4> bids{};
    std::array<std::set<std::int64_t>, 4> bidders, auctions;
    std::int64_t latest = 0;

    void add(const Bid& bid) {
        for (const auto band : {std::size_t{0}, band_of(bid.price)}) {
            ++bids[band];
            bidders[band].insert(bid.bidder);
            auctions[band].insert(bid.auction);
        }
        latest = std::max(latest, bid.time);
    }
    std::string text() const {
        std::string line;
        for (const auto count : bids)
            line += fmt::format(",{}", count);
        for (const auto& different : {bidders, auctions})
            for (const auto& values : different)
                line += fmt::format(",{}", values.size());
        return line;
    }
};

}  // namespace

TEST_CASE("q15 counts what is different in each day") {
    const auto options = over_days();
    std::map<std::int64_t, Statistics> days;
    for (const auto& bid : bids_of(kEvents, options))
        days[bid.time / kDay].add(bid);
    CHECK(days.size() == 2);
    std::map<std::string, std::string> expected;
    for (const auto& [day, statistics] : days)
        expected[day_text(day) + ","] = day_text(day) + statistics.text();
    for_each_stretch([&](std::uint64_t stretch) {
        CHECK(settled(rows_of_query("q15", kEvents, options, stretch), {0}) == expected);
    });
}

TEST_CASE("q16 does so for each channel") {
    const auto options = over_days();
    std::map<std::pair<std::string, std::int64_t>, Statistics> days;
    for (const auto& bid : bids_of(kEvents, options))
        days[{bid.channel, bid.time / kDay}].add(bid);
    std::map<std::string, std::string> expected;
    for (const auto& [key, statistics] : days)
        expected[key.first + "," + day_text(key.second) + ","] =
            fmt::format("{},{},{}{}", key.first, day_text(key.second),
                        time_text(statistics.latest).substr(11, 5), statistics.text());
    for_each_stretch([&](std::uint64_t stretch) {
        CHECK(settled(rows_of_query("q16", kEvents, options, stretch), {0, 1}) == expected);
    });
}

TEST_CASE("q17 sums up each auction's day") {
    const auto options = over_days();
    struct Prices {
        std::array<std::int64_t, 4> bids{};
        std::int64_t low = INT64_MAX, high = 0, sum = 0;
    };
    std::map<std::pair<std::int64_t, std::int64_t>, Prices> days;
    for (const auto& bid : bids_of(kEvents, options)) {
        auto& prices = days[{bid.auction, bid.time / kDay}];
        ++prices.bids[0];
        ++prices.bids[band_of(bid.price)];
        prices.low = std::min(prices.low, bid.price);
        prices.high = std::max(prices.high, bid.price);
        prices.sum += bid.price;
    }
    for_each_stretch([&](std::uint64_t stretch) {
        const auto found = settled(rows_of_query("q17", kEvents, options, stretch), {0, 1});
        REQUIRE(found.size() == days.size());
        for (const auto& [key, prices] : days) {
            const auto begin = fmt::format("{},{},", key.first, day_text(key.second));
            REQUIRE(found.contains(begin));
            const auto& row = found.at(begin);
            const auto average_at = row.rfind(',', row.rfind(',') - 1) + 1;
            CHECK(row.substr(0, average_at) ==
                  fmt::format("{}{},{},{},{},{},{},", begin, prices.bids[0], prices.bids[1],
                              prices.bids[2], prices.bids[3], prices.low, prices.high));
            const auto average = std::stod(row.substr(average_at));
            CHECK(average == doctest::Approx(static_cast<double>(prices.sum) /
                                             static_cast<double>(prices.bids[0]))
                                 .epsilon(1e-12));
            CHECK(row.substr(row.rfind(',') + 1) == std::to_string(prices.sum));
        }
    });
}

TEST_CASE("q18 keeps each bidder's last bid for an auction") {
    GeneratorOptions options;
    options.events_per_second = 500;  // several at one time
    std::map<std::string, std::string> expected;
    for (const auto& bid : bids_of(kEvents, options))
        expected[fmt::format("{},{},", bid.auction, bid.bidder)] =
            fmt::format("{},{},{},{},{},{},{}", bid.auction, bid.bidder, bid.price, bid.channel,
                        bid.url, time_text(bid.time), bid.extra);
    CHECK(expected.size() < bids_of(kEvents, options).size());
    for_each_stretch([&](std::uint64_t stretch) {
        CHECK(settled(rows_of_query("q18", kEvents, options, stretch), {0, 1}) == expected);
    });
}

TEST_CASE("q19 keeps the ten highest bids for each auction") {
    GeneratorOptions options;
    std::map<std::int64_t, std::vector<Bid>> auctions;
    for (const auto& bid : bids_of(kEvents, options)) {
        auto& bids = auctions[bid.auction];  // of equal prices the earlier one first
        bids.insert(std::ranges::upper_bound(bids, bid.price, std::greater(), &Bid::price), bid);
    }
    std::map<std::string, std::string> expected;
    for (auto& [auction, bids] : auctions) {
        for (std::size_t i = 0; i < std::min<std::size_t>(bids.size(), 10); ++i)
            expected[fmt::format("{},{},", auction, i + 1)] = fmt::format(
                "{},{},{},{},{},{},{},{}", auction, bids[i].bidder, bids[i].price, bids[i].channel,
                bids[i].url, time_text(bids[i].time), bids[i].extra, i + 1);
    }
    for_each_stretch([&](std::uint64_t stretch) {
        CHECK(settled(rows_of_query("q19", kEvents, options, stretch), {0, 7}) == expected);
    });
}
