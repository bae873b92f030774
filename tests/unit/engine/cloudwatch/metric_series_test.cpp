#include "engine/cloudwatch/metric_series.h"

#include <doctest/doctest.h>

#include "engine/cloudwatch/wire_form.h"

using namespace tidemill;
using namespace tidemill::cloudwatch;

namespace {

MetricDatum datum(std::string name, double value) {
    return {
        .name = std::move(name), .samples = 1, .sum = value, .minimum = value, .maximum = value};
}
bool has_line(const std::string& text, const std::string& line) {
    return text.find("\n" + line + "\n") != std::string::npos;
}

}  // namespace

TEST_CASE("sums and counts grow, the last datum is shown beside them") {
    MetricSeries series;
    MetricDatum first = datum("Time", 3);
    first.unit = "Milliseconds";
    first.dimensions = {{"Shard Id", "a\"b\\c\nd"}, {"Shard.Id", "x"}};
    MetricDatum second = first;
    second.samples = 2;
    second.sum = 14;
    second.minimum = 5;
    second.maximum = 9;
    series.add({"app", {first, second}});
    const std::string labels = R"({namespace="app",metric="Time",unit="Milliseconds",)"
                               R"(dim_Shard_Id="a\"b\\c\nd",dim_Shard_Id_2="x"})";
    const std::string text = series.text();
    CHECK(has_line(text, "tidemill_cloudwatch_samples_total" + labels + " 3"));
    CHECK(has_line(text, "tidemill_cloudwatch_sum" + labels + " 17"));
    CHECK(has_line(text, "tidemill_cloudwatch_minimum" + labels + " 5"));
    CHECK(has_line(text, "tidemill_cloudwatch_maximum" + labels + " 9"));
    CHECK(has_line(text, "tidemill_cloudwatch_average" + labels + " 7"));
}

TEST_CASE("beyond the limit the series go that were put longest ago") {
    MetricSeries series(3);
    for (const char* name : {"a", "b", "c", "a", "d"})
        series.add({"app", {datum(name, 1)}});
    CHECK(series.size() == 3);
    CHECK(series.evicted() == 1);
    const std::string text = series.text();
    CHECK(text.find("metric=\"b\"") == std::string::npos);
    for (const char* name : {"a", "c", "d"})
        CHECK(text.find(std::string("metric=\"") + name + "\"") != std::string::npos);
}

TEST_CASE("errors have each form's own shape") {
    const aws::ApiError error{"MissingRequiredParameterException", "a < b"};
    const auto query = error_answer(WireForm::Query, error, "id-1");
    CHECK(query.status == 400);
    CHECK(query.content_type == "text/xml");
    CHECK(query.body.find("<Code>MissingParameter</Code>") != std::string::npos);
    CHECK(query.body.find("<Message>a &lt; b</Message>") != std::string::npos);
    CHECK(query.body.find("<RequestId>id-1</RequestId>") != std::string::npos);
    const auto json = error_answer(WireForm::Json, error, "");
    CHECK(
        json.body ==
        R"({"__type":"com.amazonaws.cloudwatch#MissingRequiredParameterException","message":"a < b"})");
    const auto cbor = error_answer(WireForm::Cbor, error, "");
    CHECK(cbor.content_type == "application/cbor");
    CHECK(cbor.headers.at(0) ==
          std::pair<std::string, std::string>("smithy-protocol", "rpc-v2-cbor"));
    CHECK(cbor.headers.at(1).second == "MissingParameter;Sender");
}
