#include "engine/telemetry/metrics.h"

#include <doctest/doctest.h>

#include "engine/telemetry/prometheus.h"

using namespace tidemill;
using namespace std::chrono_literals;

TEST_SUITE("engine/telemetry/metrics") {
    TEST_CASE("asking again for a name and labels gives the same metric, in any order of labels") {
        MetricRegistry registry;
        Counter& a = registry.counter("x_total", "X.", {{"a", "1"}, {"b", "2"}});
        Counter& b = registry.counter("x_total", "X.", {{"b", "2"}, {"a", "1"}});
        CHECK(&a == &b);
        CHECK(&a != &registry.counter("x_total", "X.", {{"a", "1"}}));
    }

    TEST_CASE("snapshots of several cores add up") {
        MetricRegistry one, two;
        one.counter("x_total", "X.").add(3);
        two.counter("x_total", "X.").add(4);
        two.counter("y_total", "Y.").add(5);
        one.gauge("g", "G.").set(-2);
        two.gauge("g", "G.").set(7);
        one.latency("l_seconds", "L.").record(1ms);
        two.latency("l_seconds", "L.").record(2ms);
        one.sampled_counter("s_total", "S.", {}, [] { return std::uint64_t{9}; });
        two.sampled_gauge("t", "T.", {}, [] { return 0.5; });
        MetricsSnapshot sum = one.snapshot();
        sum.merge(two.snapshot());
        CHECK(sum.value("x_total") == 7);
        CHECK(sum.value("y_total") == 5);
        CHECK(sum.value("g") == 5);
        CHECK(sum.value("s_total") == 9);
        CHECK(sum.value("t") == 0.5);
        CHECK(sum.value("nothing") == 0);
        const auto& latency = sum.families().at("l_seconds").values.at({}).histogram;
        CHECK(latency->count() == 2);
        CHECK(latency->sum() == 3'000'000);
        // The registries keep their own values.
        CHECK(one.snapshot().value("x_total") == 3);
        CHECK(two.snapshot().families().at("l_seconds").values.at({}).histogram->count() == 1);
    }

    TEST_CASE("the Prometheus text has help, type, escaped labels and order") {
        MetricRegistry registry;
        registry.counter("b_total", "Back\\slash and\nnew \"line\".", {{"p", "a\"b\\c\nd"}}).add(2);
        registry.gauge("a", "A.").set(-1);
        CHECK(to_prometheus(registry.snapshot()) ==
              "# HELP a A.\n# TYPE a gauge\na -1\n"
              "# HELP b_total Back\\\\slash and\\nnew \"line\".\n# TYPE b_total counter\n"
              "b_total{p=\"a\\\"b\\\\c\\nd\"} 2\n");
    }

    TEST_CASE("a latency is exposed in seconds with cumulative buckets") {
        MetricRegistry registry;
        LatencyMetric& latency = registry.latency("l_seconds", "L.", {{"op", "x"}});
        latency.record(30us);
        latency.record(2ms);
        latency.record(60s);
        const std::string text = to_prometheus(registry.snapshot());
        CAPTURE(text);
        const auto has = [&](const char* line) {
            return text.find(std::string(line) + "\n") != std::string::npos;
        };
        CHECK(has("# TYPE l_seconds histogram"));
        CHECK(has("l_seconds_bucket{op=\"x\",le=\"2.5e-05\"} 0"));
        CHECK(has("l_seconds_bucket{op=\"x\",le=\"5e-05\"} 1"));
        CHECK(has("l_seconds_bucket{op=\"x\",le=\"0.0025\"} 2"));
        CHECK(has("l_seconds_bucket{op=\"x\",le=\"10\"} 2"));
        CHECK(has("l_seconds_bucket{op=\"x\",le=\"+Inf\"} 3"));
        CHECK(has("l_seconds_sum{op=\"x\"} 60.00203"));
        CHECK(has("l_seconds_count{op=\"x\"} 3"));
    }

    TEST_CASE("a size is exposed as recorded") {
        MetricRegistry registry;
        registry.size("batch_bytes", "B.").record(100);
        registry.size("batch_bytes", "B.").record(5000);
        const std::string text = to_prometheus(registry.snapshot());
        CAPTURE(text);
        CHECK(text.find("batch_bytes_bucket{le=\"64\"} 0\n") != std::string::npos);
        CHECK(text.find("batch_bytes_bucket{le=\"256\"} 1\n") != std::string::npos);
        CHECK(text.find("batch_bytes_sum 5100\n") != std::string::npos);
    }
}
