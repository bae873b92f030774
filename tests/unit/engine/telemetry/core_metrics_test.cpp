#include "engine/telemetry/core_metrics.h"

#include <doctest/doctest.h>

#include "engine/reactor/call_on.h"
#include "tests/contract/temporary_directory.h"

using namespace tidemill;

TEST_CASE("engine/telemetry/core_metrics: each core counts for itself, collect adds up") {
    const test::TemporaryDirectory directory;
    ReactorConfig config;
    config.data_directory = directory.path();
    config.disk = DiskKind::Threads;
    auto group = ReactorGroup::start(2, config);
    REQUIRE(group.has_value());
    CoreMetrics metrics(**group);
    for (const std::uint32_t core : {0u, 1u}) {
        run_on((*group)->at(CoreId{core}), [&metrics, core] {
            return [](CoreMetrics& all, std::uint32_t n) -> Task<void> {
                all.local().counter("x_total", "X.").add(n + 1);
                co_return;
            }(metrics, core);
        });
    }
    const auto sum = run_on((*group)->at(CoreId{0}), [&metrics] { return metrics.collect(); });
    CHECK(sum.value("x_total") == 3);
    CHECK(sum.families().at("tidemill_reactor_turns_total").values.size() == 2);
    CHECK(sum.families().at("tidemill_disk_info").values.size() == 2);
}
