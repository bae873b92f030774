// link: engine/cloudwatch
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "engine/base/check.h"
#include "engine/cloudwatch/gzip.h"
#include "engine/cloudwatch/metric_data.h"
#include "engine/cloudwatch/metric_series.h"
#include "engine/cloudwatch/query_form.h"

/// Bodies of PutMetricData in the Query protocol, and gzip: no input breaks a parser, and what is
/// taken is shown in whole lines.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace tidemill;
    using namespace tidemill::cloudwatch;
    const std::string_view body(reinterpret_cast<const char*>(data), size);
    if (const auto opened = gunzip(body, 1 << 20)) TM_CHECK(opened->size() <= 1 << 20);
    const auto form = parse_query_form(body);
    if (!form) return 0;
    const auto made = metric_data_of(*form, from_millis(1'783'756'800'000));
    if (!made) return 0;
    MetricSeries series(2);
    series.add(*made);
    TM_CHECK(series.size() <= 2);
    const std::string text = series.text();
    TM_CHECK(text.empty() || text.back() == '\n');
    return 0;
}
