#include <algorithm>
#include <map>
#include <set>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "operators/nexmark/nexmark_bench.h"
#include "operators/vector/time_text.h"
#include "tests/unit/operators/nexmark/query_run.h"

using namespace tidemill;
using namespace tidemill::nexmark;

// Each query against a computation that knows nothing of the engine.
namespace {

constexpr std::uint64_t kEvents = 6000;

GeneratorOptions options_at(std::uint64_t events_per_second = 100) {
    GeneratorOptions options;
    options.events_per_second = events_per_second;
    return options;
}

std::string time_text(std::int64_t millis) {
    std::string text;
    sql::append_timestamp(text, millis);
    return text;
}

// 0.908 * price, as DECIMAL with three digits behind the point.
std::string euros(std::int64_t dollars) {
    const auto thousandths = dollars * 908;
    return fmt::format("{}.{:03}", thousandths / 1000, thousandths % 1000);
}

void check_same(const std::vector<std::string>& found, const std::vector<std::string>& expected) {
    REQUIRE(found.size() == expected.size());
    REQUIRE_FALSE(found.empty());
    for (std::size_t i = 0; i < found.size(); ++i)
        REQUIRE(found[i] == expected[i]);
}

std::vector<std::string> sorted(std::vector<std::string> rows) {
    std::ranges::sort(rows);
    return rows;
}

template <class F>
std::vector<std::string> from_bids(const GeneratorOptions& options, F&& line) {
    std::vector<std::string> lines;
    for (const auto& bid : bids_of(kEvents, options))
        if (auto text = line(bid); !text.empty()) lines.push_back(std::move(text));
    return lines;
}

}  // namespace

TEST_CASE("q0 passes bids on") {
    const auto options = options_at();
    check_same(rows_of_query("q0", kEvents, options), from_bids(options, [](const Bid& bid) {
                   return fmt::format("{},{},{},{},{}", bid.auction, bid.bidder, bid.price,
                                      time_text(bid.time), bid.extra);
               }));
}

TEST_CASE("q1 makes euros") {
    const auto options = options_at();
    check_same(rows_of_query("q1", kEvents, options), from_bids(options, [](const Bid& bid) {
                   return fmt::format("{},{},{},{},{}", bid.auction, bid.bidder, euros(bid.price),
                                      time_text(bid.time), bid.extra);
               }));
}

TEST_CASE("q2 keeps every 123rd auction") {
    const auto options = options_at();
    check_same(rows_of_query("q2", kEvents, options), from_bids(options, [](const Bid& bid) {
                   return bid.auction % 123 == 0 ? fmt::format("{},{}", bid.auction, bid.price)
                                                 : std::string();
               }));
}

TEST_CASE("q5 finds the auctions with the most bids") {
    const auto options = options_at();
    std::map<std::int64_t, std::map<std::int64_t, int>> windows;  // by end
    for (const auto& bid : bids_of(kEvents, options))
        for (auto end = bid.time / 2000 * 2000 + 2000; end <= bid.time / 2000 * 2000 + 10'000;
             end += 2000)
            ++windows[end][bid.auction];
    std::vector<std::string> expected;
    for (const auto& [end, auctions] : windows) {
        int most = 0;
        for (const auto& [auction, count] : auctions)
            most = std::max(most, count);
        for (const auto& [auction, count] : auctions)
            if (count == most) expected.push_back(fmt::format("{},{}", auction, count));
    }
    check_same(sorted(rows_of_query("q5", kEvents, options)), sorted(expected));
    check_same(sorted(rows_of_query("q5", kEvents, options, 77)), sorted(expected));
}

TEST_CASE("q7 finds the highest bids") {
    const auto options = options_at();
    const auto bids = bids_of(kEvents, options);
    std::map<std::int64_t, std::int64_t> highest;
    for (const auto& bid : bids)
        highest[bid.time / 10'000] = std::max(highest[bid.time / 10'000], bid.price);
    std::vector<std::string> expected;
    for (const auto& bid : bids)
        if (bid.price == highest[bid.time / 10'000])
            expected.push_back(fmt::format("{},{},{},{},{}", bid.auction, bid.price, bid.bidder,
                                           time_text(bid.time), bid.extra));
    CHECK(highest.size() == 6);
    check_same(sorted(rows_of_query("q7", kEvents, options)), sorted(expected));
}

TEST_CASE("q8 finds new people who sell") {
    const auto options = options_at();
    Generator generator(options);
    Events events;
    generator.make(0, kEvents, events);
    std::map<std::int64_t, std::set<std::int64_t>> sellers;
    for (std::size_t row = 0; row < events.auction.size(); ++row)
        sellers[events.auction.rowtime.int_at(row) / 10'000].insert(
            events.auction.columns[7].int_at(row));
    std::vector<std::string> expected;
    for (std::size_t row = 0; row < events.person.size(); ++row) {
        const auto window = events.person.rowtime.int_at(row) / 10'000;
        const auto id = events.person.columns[0].int_at(row);
        if (sellers[window].contains(id))
            expected.push_back(fmt::format("{},{},{}", id, events.person.columns[1].text_at(row),
                                           time_text(window * 10'000)));
    }
    check_same(sorted(rows_of_query("q8", kEvents, options)), sorted(expected));
}

TEST_CASE("q11 counts bids by session") {
    // 25 hours, so that bidders pause.
    const auto options = options_at(1);
    struct Session {
        std::int64_t start, last;
        int count;
    };
    std::map<std::int64_t, std::vector<Session>> bidders;
    for (const auto& bid : bids_of(kEvents, options)) {
        auto& sessions = bidders[bid.bidder];
        if (sessions.empty() || bid.time >= sessions.back().last + 10'000)
            sessions.push_back({bid.time, 0, 0});
        sessions.back().last = bid.time;
        ++sessions.back().count;
    }
    std::vector<std::string> expected;
    for (const auto& [bidder, sessions] : bidders)
        for (const auto& session : sessions)
            expected.push_back(fmt::format("{},{},{},{}", bidder, session.count,
                                           time_text(session.start),
                                           time_text(session.last + 10'000)));
    CHECK(expected.size() > bidders.size());
    check_same(sorted(rows_of_query("q11", kEvents, options)), sorted(expected));
}

TEST_CASE("q12 counts each bidder's bids in ten seconds") {
    const auto options = options_at();
    std::map<std::int64_t, std::map<std::int64_t, int>> windows;
    for (const auto& bid : bids_of(kEvents, options))
        ++windows[bid.time / 10'000][bid.bidder];
    std::vector<std::string> expected;
    for (const auto& [window, bidders] : windows)
        for (const auto& [bidder, count] : bidders)
            expected.push_back(fmt::format("{},{}", bidder, count));
    CHECK(windows.size() == 6);
    check_same(sorted(rows_of_query("q12", kEvents, options)), sorted(expected));
    // However the events were cut into batches.
    check_same(sorted(rows_of_query("q12", kEvents, options, 77)), sorted(expected));
}

TEST_CASE("q13 looks values up") {
    const auto options = options_at();
    check_same(rows_of_query("q13", kEvents, options), from_bids(options, [](const Bid& bid) {
                   return fmt::format("{},{},{},{},value-{}", bid.auction, bid.bidder, bid.price,
                                      time_text(bid.time), bid.auction % 10'000);
               }));
}

TEST_CASE("q14 calculates over a whole day") {
    // 6000 events over 25 hours: all times of the day.
    GeneratorOptions options = options_at(1);
    options.first_time += 3'600'000;
    const auto day_part = [](std::int64_t time) {
        const auto hour = time / 3'600'000 % 24;
        return hour >= 8 && hour <= 18   ? "dayTime"
               : hour <= 6 || hour >= 20 ? "nightTime"
                                         : "otherTime";
    };
    std::map<std::string, int> parts;
    for (int hours = 0; hours < 24; ++hours) {
        options.first_time += 3'600'000;
        const auto expected = from_bids(options, [&](const Bid& bid) -> std::string {
            if (bid.price * 908 <= 1'000'000'000 || bid.price * 908 >= 50'000'000'000) return {};
            ++parts[day_part(bid.time)];
            return fmt::format("{},{},{},{},{},{},{}", bid.auction, bid.bidder, euros(bid.price),
                               day_part(bid.time), time_text(bid.time), bid.extra,
                               std::ranges::count(bid.extra, 'c'));
        });
        check_same(rows_of_query("q14", kEvents, options), expected);
    }
    CHECK(parts.size() == 3);
}

TEST_CASE("q21 finds the channels' numbers") {
    const auto options = options_at();
    const auto expected = from_bids(options, [](const Bid& bid) -> std::string {
        std::string number;
        const std::vector<std::string> known = {"Apple", "Google", "Facebook", "Baidu"};
        const auto found = std::ranges::find(known, bid.channel);
        if (found != known.end()) {
            number = std::to_string(found - known.begin());
        } else {
            const auto at = bid.url.find("&channel_id=");
            if (at == std::string::npos) return {};
            number = bid.url.substr(at + 12);
        }
        return fmt::format("{},{},{},{},{}", bid.auction, bid.bidder, bid.price, bid.channel,
                           number);
    });
    CHECK(expected.size() < bids_of(kEvents, options).size());
    check_same(rows_of_query("q21", kEvents, options), expected);
}

TEST_CASE("q22 splits addresses") {
    const auto options = options_at();
    check_same(rows_of_query("q22", kEvents, options), from_bids(options, [](const Bid& bid) {
                   std::vector<std::string> parts(1);
                   for (const char c : bid.url)
                       c == '/' ? parts.emplace_back() : parts.back() += c;
                   return fmt::format("{},{},{},{},{},{},{}", bid.auction, bid.bidder, bid.price,
                                      bid.channel, parts[3], parts[4], parts[5]);
               }));
}

TEST_CASE("every query of the examples runs, emits, and takes checkpoints") {
    for (const auto& query : queries()) {
        CAPTURE(query.name);
        BenchOptions options;
        options.query = query.name;
        options.events = 20'000;
        options.generator.events_per_second = 500;
        const auto result = run_bench(options);
        REQUIRE_MESSAGE(result, (result ? "" : result.error().message));
        CHECK(result->events == 20'000);
        CHECK(result->rows_out > 0);
        CHECK(result->errors == 0);
        CHECK(result->checkpoints > 0);
        CHECK(result->checkpoint_bytes > 0);
        CHECK(result->events_per_second() > 0);
    }
}

TEST_CASE("bids that come as JSON give the rows that the same bids give as columns") {
    BenchOptions options;
    options.query = "q2";
    options.events = 20'000;
    options.form = EventForm::Json;
    const auto result = run_bench(options);
    REQUIRE(result);
    std::uint64_t expected = 0;
    const auto bids = bids_of(25'000, options.generator);
    for (std::uint64_t i = 0; i < options.events; ++i)
        expected += bids[i].auction % 123 == 0 ? 1 : 0;
    CHECK(expected > 0);
    CHECK(result->rows_out == expected);
    CHECK(result->errors == 0);
    CHECK(result->record_bytes > 150);
    CHECK(result->bytes_out > result->rows_out * 20);
}

TEST_CASE("a query that is not there is refused with the names of those that are") {
    BenchOptions options;
    options.query = "q99";
    const auto result = run_bench(options);
    REQUIRE_FALSE(result);
    CHECK(result.error().message.find("q22") != std::string::npos);
}
