#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "console/commands/labelled_windows.h"
#include "console/commands/machine_metrics.h"
#include "console/commands/output.h"
#include "console/repl/sparkline.h"
#include "console/repl/text_table.h"

using namespace tidemill;
using namespace tidemill::console;

TEST_SUITE("console") {
    TEST_CASE("a table pads columns and puts numbers to the right") {
        TextTable table({"name", "shards"});
        table.add({"clicks", "8"});
        table.add({"größe", "1,024"});
        CHECK_EQ(table.to_string(),
                 "name    shards\n"
                 "clicks       8\n"
                 "größe    1,024\n");
    }

    TEST_CASE("a sparkline is scaled to its values and keeps the newest") {
        const double values[] = {9, 0, 5, 10};
        CHECK_EQ(sparkline(values, 3), "▁▅█");
        const double high[] = {10, 11, 12};
        CHECK_EQ(sparkline(high, 3), "▁▅█");
        const double gaps[] = {1, std::numeric_limits<double>::quiet_NaN()};
        CHECK_EQ(sparkline(gaps, 8), "▁ ");
        CHECK_EQ(sparkline({}, 8), "");
    }

    TEST_CASE("JSON strings are escaped and never break UTF-8") {
        CHECK_EQ(json_string("a\"\\\n\x01"), R"("a\"\\\n\u0001")");
        CHECK_EQ(json_string("ä€😀"), "\"ä€😀\"");
        CHECK_EQ(json_string("\xff\xc0\x80\xed\xa0\x80"),
                 "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
    }

    TEST_CASE("figures are short") {
        CHECK_EQ(short_count(999), "999");
        CHECK_EQ(short_count(1234567), "1.23 M");
        CHECK_EQ(short_bytes(2.5e9), "2.5 GB");
        CHECK_EQ(iso_time(1414886400123), "2014-11-02T00:00:00.123Z");
        CHECK_EQ(iso_time(-1), "1969-12-31T23:59:59.999Z");
    }

    TEST_CASE("the machine's metrics are one JSON object with the columns they name") {
        MachineMetrics metrics;
        const auto line = metrics.sample_json(from_millis(0), std::chrono::steady_clock::now());
        for (const auto& name : MachineMetrics::columns())
            CHECK_NE(line.find('"' + name + "\":"), std::string::npos);
        CHECK_EQ(line.front(), '{');
        CHECK_EQ(line.back(), '}');
    }

    TEST_CASE("a labelled window is judged by the rank of its peak after the first 15 %") {
        std::vector<TimedScore> scores;
        for (int i = 0; i < 1000; ++i) {
            const auto day = i / 24 + 1, hour = i % 24;
            char time[32];
            std::snprintf(time, sizeof time, "2014-%02d-%02dT%02d:00:00.000Z", 1 + day / 29,
                          1 + day % 28, hour);
            scores.push_back({time, i < 10 ? 100.0 : 1.0});
        }
        scores[500].score = 9;
        scores[700].score = 5;
        const auto at = [&](std::size_t i) {
            return scores[i].time.substr(0, 10) + " " + scores[i].time.substr(11, 8);
        };
        const std::vector<LabelledWindow> windows = {
            {at(500), at(500)},
            {at(700), at(700)},
            {at(600), at(600)},
            {"2020-01-01 00:00:00", "2020-01-02 00:00:00"}};
        const auto verdict = judge(scores, windows);
        CHECK_EQ(verdict.judged, 850);
        CHECK_EQ(verdict.top_percent, 8);
        CHECK_EQ(verdict.windows[0].rank, 1);
        CHECK(verdict.windows[0].is_in_top_percent);
        CHECK_EQ(verdict.windows[1].rank, 2);
        CHECK_EQ(verdict.windows[2].rank, 3);
        CHECK_EQ(verdict.windows[3].rank, 0);
        CHECK_FALSE(verdict.windows[3].is_in_top_percent);
    }
}
