#include "operators/anomaly/hot_spots.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <numeric>
#include <set>

#include <doctest/doctest.h>

#include "engine/base/random.h"

namespace tidemill::anomaly {
namespace {

using Record = std::vector<double>;

/// The contract, from scratch, as plainly as it can be said.
struct Twin {
    struct Spot {
        std::vector<std::size_t> cores, records;  ///< ascending
        Record low, high;
    };

    static bool is_near(const Record& a, const Record& b, double radius) {
        double square = 0;
        for (std::size_t i = 0; i < a.size(); ++i)
            square += (a[i] - b[i]) * (a[i] - b[i]);
        return square <= radius * radius;
    }

    static std::vector<Spot> cluster(const std::deque<Record>& window,
                                     const HotSpotConfig& config) {
        const auto n = window.size();
        std::vector<std::vector<std::size_t>> near(n);
        for (std::size_t i = 0; i < n; ++i)
            for (std::size_t k = 0; k < n; ++k)
                if (is_near(window[i], window[k], config.radius)) near[i].push_back(k);
        const auto is_core = [&](std::size_t i) { return near[i].size() >= config.minimum; };
        std::vector<bool> seen(n);
        std::vector<Spot> spots;
        for (std::size_t i = 0; i < n; ++i) {
            if (seen[i] || !is_core(i)) continue;
            std::vector<std::size_t> todo{i};
            std::set<std::size_t> cores, records;
            seen[i] = true;
            while (!todo.empty()) {
                const auto core = todo.back();
                todo.pop_back();
                cores.insert(core);
                for (const auto k : near[core]) {
                    records.insert(k);
                    if (!is_core(k) || seen[k]) continue;
                    seen[k] = true;
                    todo.push_back(k);
                }
            }
            Spot spot{{cores.begin(), cores.end()},
                      {records.begin(), records.end()},
                      window[i],
                      window[i]};
            for (const auto k : records)
                for (std::size_t c = 0; c < config.columns; ++c) {
                    spot.low[c] = std::min(spot.low[c], window[k][c]);
                    spot.high[c] = std::max(spot.high[c], window[k][c]);
                }
            spots.push_back(spot);
        }
        return spots;
    }
};

void compare(HotSpotDetector& detector, const std::deque<Record>& window) {
    const auto expected = Twin::cluster(window, detector.config());
    const auto found = detector.hot_spots();
    const auto ids = detector.core_ids();
    REQUIRE(found.size() == expected.size());
    REQUIRE(ids.size() == window.size());
    REQUIRE(std::ranges::is_sorted(found, {}, &HotSpot::id));
    std::size_t cores = 0;
    for (const auto& spot : expected) {
        const auto id = ids[spot.cores.front()];
        for (const auto core : spot.cores)
            REQUIRE(ids[core] == id);
        cores += spot.cores.size();
        const auto match = std::ranges::find(found, id, &HotSpot::id);
        REQUIRE(match != found.end());
        REQUIRE(match->records == spot.records.size());
        REQUIRE(std::ranges::equal(match->low, spot.low));
        REQUIRE(std::ranges::equal(match->high, spot.high));
    }
    REQUIRE(static_cast<std::size_t>(std::ranges::count(ids, 0U)) == window.size() - cores);
}

/// Records of several kinds: clusters that wander, chains, a grid of equal points, noise.
class Generator {
 public:
    Generator(std::uint64_t seed, std::uint32_t columns, int kind)
        : random_(seed), at_(columns), kind_(kind) {}

    Record next() {
        Record record(at_.size());
        for (std::size_t i = 0; i < record.size(); ++i) {
            if (kind_ == 0) {  // noise and two spots
                const double where = random_.unit();
                record[i] = n_ % 3 == 0   ? 10 * where
                            : n_ % 3 == 1 ? 2 + where
                                          : 7 + 0.001 * static_cast<double>(n_ % 5000) + where;
            } else if (kind_ == 1) {  // a walk: long thin hot spots that break
                at_[i] += random_.unit() - 0.5;
                record[i] = at_[i];
            } else if (kind_ == 2) {  // equal points
                record[i] = static_cast<double>(random_.next() % 6);
            } else {  // a ring: both ways round count
                const double angle = static_cast<double>(random_.next() % 200) * 0.0314159;
                record[i] = 5 * (i % 2 == 0 ? std::cos(angle) : std::sin(angle));
            }
        }
        ++n_;
        return record;
    }

 private:
    Random random_;
    Record at_;
    int kind_;
    std::uint64_t n_ = 0;
};

TEST_CASE("hot spots are those of clustering the window from scratch") {
    for (std::uint64_t seed = 1; seed <= 48; ++seed) {
        CAPTURE(seed);
        Random random(seed);
        HotSpotConfig config;
        config.columns = 1 + static_cast<std::uint32_t>(random.next() % 4);
        config.window = 5 + static_cast<std::uint32_t>(random.next() % 150);
        config.minimum = 2 + static_cast<std::uint32_t>(random.next() % 6);
        config.minimum = std::min(config.minimum, config.window);
        config.radius = 0.2 + 1.2 * random.unit();
        Generator generator(seed, config.columns, static_cast<int>(seed % 4));
        HotSpotDetector detector(config);
        std::deque<Record> window;
        for (int i = 0; i < 700; ++i) {
            if (random.next() % 50 == 0 && !window.empty()) {  // as a window by time does
                detector.expire();
                window.pop_front();
            }
            window.push_back(generator.next());
            if (window.size() > config.window) window.pop_front();
            detector.insert(window.back());
            if (i % 7 == 0) compare(detector, window);
        }
    }
}

TEST_CASE("values far from zero and far from each other") {
    HotSpotConfig config{.columns = 2, .window = 60, .radius = 1e-3, .minimum = 3};
    HotSpotDetector detector(config);
    std::deque<Record> window;
    Random random(5);
    for (int i = 0; i < 600; ++i) {
        const double far[] = {0, 1e9, -1e15, 1e300, 1e-300};
        const double at = far[random.next() % 5];
        window.push_back({at + 1e-3 * random.unit(), -at});
        if (window.size() > config.window) window.pop_front();
        detector.insert(window.back());
        compare(detector, window);
    }
}

TEST_CASE("the text says what the hot spots are") {
    HotSpotDetector detector({.columns = 2, .window = 10, .radius = 1, .minimum = 3});
    CHECK(detector.text() == R"({"hotspots":[]})");
    for (const Record& record : {Record{0, 0}, {0.5, 0}, {0.5, 0.25}})
        detector.insert(record);
    CHECK(detector.text() ==
          R"({"hotspots":[{"density":24,"minValues":[0,0],"maxValues":[0.5,0.25]}]})");
    // Next to a core, though none itself.
    detector.insert(Record{1.4, 0});
    CHECK(detector.hot_spots().front().records == 4);
    CHECK(detector.hot_spots().front().high[0] == 1.4);
    for (int i = 0; i < 3; ++i)
        detector.insert(Record{50, 50});
    const auto spots = detector.hot_spots();
    REQUIRE(spots.size() == 2);
    CHECK(!spots[1].density);
    CHECK(
        detector.text().ends_with(R"({"density":null,"minValues":[50,50],"maxValues":[50,50]}]})"));
    // A column without width does not count: records per length.
    HotSpotDetector line(
        {.columns = 2, .window = 10, .radius = 1, .minimum = 2, .has_identity = true});
    line.insert(Record{0, 7});
    line.insert(Record{0.5, 7});
    CHECK(
        line.text() ==
        R"({"hotspots":[{"id":1,"records":2,"density":4,"minValues":[0,7],"maxValues":[0.5,7]}]})");
}

TEST_CASE("hot spots keep their identity") {
    using Kind = HotSpotEvent::Kind;
    HotSpotDetector detector({.columns = 1, .window = 100, .radius = 1, .minimum = 2});
    CHECK(detector.take_events().empty());
    for (const double value : {5.0, 0.0, 0.5, 1.0, 10.0, 10.5})
        detector.insert(Record{value});
    CHECK(detector.take_events() == std::vector<HotSpotEvent>{{Kind::Born, 1}, {Kind::Born, 2}});
    // A bridge: the larger keeps its number.
    for (double value = 1.75; value < 10; value += 0.75)
        detector.insert(Record{value});
    CHECK(detector.take_events().back() == HotSpotEvent{Kind::Merged, 2, 1});
    CHECK(detector.hot_spots().size() == 1);
    // What came first leaves: the spot shrinks and stays itself.
    for (int i = 0; i < 4; ++i)
        detector.expire();
    CHECK(detector.hot_spots().front().id == 1);
    while (detector.size() > 0)
        detector.expire();
    CHECK(detector.hot_spots().empty());
    CHECK(detector.take_events().back() == HotSpotEvent{Kind::Gone, 1});
}

TEST_CASE("a hot spot that falls apart: the larger part keeps the number") {
    HotSpotDetector detector({.columns = 1, .window = 100, .radius = 1, .minimum = 2});
    detector.insert(Record{5});  // the bridge, oldest
    for (const double value : {4.0, 3.0, 2.0, 6.0, 7.0})
        detector.insert(Record{value});
    REQUIRE(detector.hot_spots().size() == 1);
    static_cast<void>(detector.take_events());
    detector.expire();
    const auto spots = detector.hot_spots();
    REQUIRE(spots.size() == 2);
    CHECK(spots[0].id == 1);
    CHECK(spots[0].high[0] == 4.0);
    CHECK(detector.take_events() == std::vector<HotSpotEvent>{{HotSpotEvent::Kind::Split, 2, 1}});
}

TEST_CASE("a restored detector goes on as the first would") {
    HotSpotConfig config{.columns = 2, .window = 80, .radius = 0.4, .minimum = 3};
    for (std::uint64_t seed = 1; seed <= 8; ++seed) {
        CAPTURE(seed);
        Generator generator(seed, 2, static_cast<int>(seed % 4));
        HotSpotDetector first(config);
        for (int i = 0; i < 300; ++i)
            first.insert(generator.next());
        auto second = HotSpotDetector::restore(first.snapshot());
        REQUIRE(second);
        for (int i = 0; i < 200; ++i) {
            const auto record = generator.next();
            first.insert(record);
            second->insert(record);
            REQUIRE(first.text() == second->text());
            REQUIRE(first.core_ids() == second->core_ids());
        }
        REQUIRE(first.snapshot() == second->snapshot());
        auto bytes = first.snapshot();
        Random random(seed);
        for (int i = 0; i < 50; ++i) {
            auto bad = bytes;
            bad[random.next() % bad.size()] ^= std::byte{1};
            CHECK(!HotSpotDetector::restore(bad));
            CHECK(!HotSpotDetector::restore(Bytes(bytes).first(random.next() % bytes.size())));
        }
    }
}

TEST_CASE("parameters out of their range are named") {
    const auto message = [](HotSpotConfig config) {
        const auto valid = config.validate();
        return valid ? std::string() : valid.error().message;
    };
    CHECK(message({.columns = 2, .window = 1000, .radius = 0.1, .minimum = 20}).empty());
    CHECK(message({.columns = 31, .radius = 1}).contains("columns"));
    CHECK(message({.window = 1, .radius = 1}).contains("windowSize"));
    CHECK(message({.radius = 0}).contains("scanRadius"));
    CHECK(message({.radius = NAN}).contains("scanRadius"));
    CHECK(message({.window = 100, .radius = 1, .minimum = 101}).contains("minimumNumberOfPoints"));
}

}  // namespace
}  // namespace tidemill::anomaly
