#include <algorithm>
#include <fstream>
#include <string>

#include <doctest/doctest.h>

#include "tests/unit/operators_anomaly/forest_inspector.h"

using namespace tidemill::anomaly;

namespace {

struct Series {
    std::vector<std::string> times;
    std::vector<double> values;
};

Series load(const std::string& path) {
    Series series;
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    while (std::getline(file, line)) {
        const auto comma = line.find(',');
        series.times.push_back(line.substr(0, comma));
        series.values.push_back(std::stod(line.substr(comma + 1)));
    }
    return series;
}

/// The two ends of each window that the labels give for `key`.
std::vector<std::pair<std::string, std::string>> windows(const std::string& path,
                                                         const std::string& key) {
    std::ifstream file(path);
    const std::string text((std::istreambuf_iterator<char>(file)), {});
    std::vector<std::string> times;
    auto at = text.find('"' + key + '"');
    const auto end = text.find("]\n ]", at);
    for (at = text.find('"', text.find('[', at)); at < end;
         at = text.find('"', text.find('"', at + 1) + 1))
        times.push_back(text.substr(at + 1, 19));
    std::vector<std::pair<std::string, std::string>> result;
    for (std::size_t i = 0; i + 1 < times.size(); i += 2)
        result.emplace_back(times[i], times[i + 1]);
    return result;
}

}  // namespace

TEST_SUITE("anomaly/nab") {
    // Labelled series of the Numenta Anomaly Benchmark (MIT). With the defaults of the SQL
    // function.
    TEST_CASE(
        "taxi trips: the peaks of at least four of five labelled windows are in the top 1 %") {
        const std::string folder = "../shared/data/nab/";
        const auto series = load(folder + "data/realKnownCause/nyc_taxi.csv");
        if (series.values.empty()) {
            MESSAGE("skipped: the taxi series is not at " << folder);
            return;
        }
        const auto labelled =
            windows(folder + "labels/combined_windows.json", "realKnownCause/nyc_taxi.csv");
        REQUIRE(labelled.size() == 5);
        const std::size_t count = series.values.size(), start = count * 15 / 100;
        for (const std::uint64_t seed : {42U, 1U, 2U, 3U, 7U}) {
            CAPTURE(seed);
            ForestConfig config;
            config.seed = seed;
            RandomCutForest forest(config);
            const auto scores = scores_of(forest, series.values);
            std::vector<double> sorted(scores.begin() + static_cast<long>(start), scores.end());
            std::ranges::sort(sorted, std::greater<>());
            const double top = sorted[sorted.size() / 100 - 1];
            int found = 0;
            for (const auto& [from, to] : labelled) {
                double peak = 0;
                for (std::size_t i = start; i < count; ++i)
                    if (series.times[i] >= from && series.times[i] <= to)
                        peak = std::max(peak, scores[i]);
                found += peak >= top;
            }
            CHECK(found >= 4);
        }
    }
}
