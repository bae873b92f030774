#include "engine/cloudwatch/metric_data.h"

#include <doctest/doctest.h>

#include "engine/aws/cbor_document.h"
#include "engine/aws/json_document.h"
#include "engine/cloudwatch/query_form.h"

using namespace tidemill;
using namespace tidemill::cloudwatch;

namespace {

const WallTime kNow = from_millis(1'783'756'800'000);  // 2026-07-11T08:00:00Z

MetricData data_of(const std::optional<aws::Value>& document) {
    REQUIRE(document.has_value());
    auto made = metric_data_of(*document, kNow);
    REQUIRE_MESSAGE(made.has_value(), made.error().message);
    return std::move(*made);
}

std::string refusal(std::string_view json) {
    const auto made = metric_data_of(*aws::parse_json(json), kNow);
    return made ? "taken" : std::string(made.error().type) + ": " + made.error().message;
}

std::string with(std::string_view datum) {
    return R"({"Namespace":"app","MetricData":[{"MetricName":"m",)" + std::string(datum) + "}]}";
}

}  // namespace

TEST_CASE("one request in the three forms says the same") {
    const auto query = data_of(parse_query_form(
        "Action=PutMetricData&Version=2010-08-01&Namespace=my%20app&"
        "MetricData.member.1.MetricName=Time&MetricData.member.1.Unit=Milliseconds&"
        "MetricData.member.1.Timestamp=2026-07-11T07%3A59%3A59.5Z&"
        "MetricData.member.1.Dimensions.member.1.Name=Shard&"
        "MetricData.member.1.Dimensions.member.1.Value=shardId-0&"
        "MetricData.member.1.StatisticValues.SampleCount=4&"
        "MetricData.member.1.StatisticValues.Sum=10&"
        "MetricData.member.1.StatisticValues.Minimum=1&"
        "MetricData.member.1.StatisticValues.Maximum=4"));
    const auto json = data_of(aws::parse_json(
        R"({"Namespace":"my app","MetricData":[{"MetricName":"Time","Unit":"Milliseconds",
        "Timestamp":1783756799.5,"Dimensions":[{"Name":"Shard","Value":"shardId-0"}],
        "StatisticValues":{"SampleCount":4,"Sum":10.0,"Minimum":1,"Maximum":4}}]})"));
    // a2: a map of two; c1 fb: tag 1 and a double, seconds since 1970.
    const auto text = [](std::string_view t) {
        return std::string(1, static_cast<char>(0x60 + t.size())) + std::string(t);
    };
    const auto cbor = data_of(aws::parse_cbor(
        "\xa2" + text("Namespace") + text("my app") + text("MetricData") + "\x81\xa5" +
            text("MetricName") + text("Time") + text("Unit") + text("Milliseconds") +
            text("Timestamp") + std::string("\xc1\xfb\x41\xda\x94\x7d\xff\xe0\x00\x00", 10) +
            text("Dimensions") + "\x81\xa2" + text("Name") + text("Shard") + text("Value") +
            text("shardId-0") + text("StatisticValues") + "\xa4" + text("SampleCount") + "\x04" +
            text("Sum") + "\x0a" + text("Minimum") + "\x01" + text("Maximum") + "\x04",
        aws::CborTimes::Seconds));
    for (const auto* one : {&query, &json, &cbor}) {
        CHECK(one->name_space == "my app");
        REQUIRE(one->data.size() == 1);
        const MetricDatum& datum = one->data[0];
        CHECK(datum.name == "Time");
        CHECK(datum.unit == "Milliseconds");
        CHECK(datum.dimensions.at(0) == std::pair<std::string, std::string>("Shard", "shardId-0"));
        CHECK(datum.samples == 4);
        CHECK(datum.sum == 10);
        CHECK(datum.minimum == 1);
        CHECK(datum.maximum == 4);
        REQUIRE(datum.time.has_value());
    }
    CHECK(to_millis(*query.data[0].time) == 1'783'756'799'500);
    CHECK(query.data[0].time == json.data[0].time);
}

TEST_CASE("values with their counts are as many samples") {
    const auto data = data_of(aws::parse_json(with(R"("Values":[2,5,9],"Counts":[3,1,0])")));
    CHECK(data.data[0].samples == 4);
    CHECK(data.data[0].sum == 11);
    CHECK(data.data[0].minimum == 2);
    CHECK(data.data[0].maximum == 5);
    CHECK(data_of(aws::parse_json(with(R"("Values":[2,5])"))).data[0].samples == 2);
}

TEST_CASE("what CloudWatch does not take is refused in its words") {
    CHECK(refusal("{}") ==
          "MissingRequiredParameterException: The parameter Namespace is required.");
    CHECK(refusal(R"({"Namespace":"app"})") ==
          "MissingRequiredParameterException: The parameter MetricData is required.");
    CHECK(refusal(R"({"Namespace":"AWS/Kinesis","MetricData":[]})") ==
          "InvalidParameterValueException: The value AWS/Kinesis for parameter Namespace is "
          "invalid.");
    CHECK(refusal(R"({"Namespace":"app","MetricData":[{"Value":1}]})") ==
          "MissingRequiredParameterException: The parameter MetricData.member.1.MetricName is "
          "required.");
    CHECK(refusal(with(R"("Unit":"None")")).starts_with("InvalidParameterCombinationException"));
    CHECK(refusal(with(R"("Value":1,"Values":[1])")) ==
          "InvalidParameterCombinationException: The parameters MetricData.member.1.Value and "
          "MetricData.member.1.Values are mutually exclusive and you have specified both.");
    CHECK(refusal(with(R"("Value":"a")")) ==
          "InvalidParameterValueException: The parameter MetricData.member.1.Value must be a "
          "number.");
    CHECK(refusal(with(R"("Value":1,"Unit":"Parsec")"))
              .starts_with("InvalidParameterValueException: The parameter "
                           "MetricData.member.1.Unit must be a value in the set [ Seconds,"));
    CHECK(refusal(with(R"("Values":[1,2],"Counts":[1])")) ==
          "InvalidParameterValueException: The parameters MetricData.member.1.Values and "
          "MetricData.member.1.Counts must be of the same size.");
    CHECK(refusal(with(R"("Value":1,"Dimensions":[{"Name":"a"}])")) ==
          "MissingRequiredParameterException: The parameter "
          "MetricData.member.1.Dimensions.member.1.Value is required.");
    CHECK(refusal(with(R"("Value":1,"Timestamp":1783770000)")).find("two hours") !=
          std::string::npos);
    CHECK(refusal(with(R"("Value":1,"Timestamp":1)")).find("two weeks") != std::string::npos);
    std::string many = R"({"Namespace":"app","MetricData":[)";
    for (int i = 0; i < 1001; ++i)
        many += std::string(i == 0 ? "" : ",") + R"({"MetricName":"m","Value":1})";
    CHECK(refusal(many + "]}") ==
          "InvalidParameterValueException: The collection MetricData must not have a size greater "
          "than 1000.");
}

TEST_CASE("times of the Query protocol") {
    CHECK(to_millis(*parse_iso_time("2026-07-11T08:00:00Z")) == to_millis(kNow));
    CHECK(to_millis(*parse_iso_time("2026-07-11T08:00:00.123456Z")) == to_millis(kNow) + 123);
    CHECK(to_millis(*parse_iso_time("1970-01-01T00:00:01+00:00")) == 1000);
    for (const char* text :
         {"", "2026-07-11", "2026-02-30T00:00:00Z", "2026-07-11T24:00:00Z", "2026-07-11T08:00:00",
          "2026-07-11T08:00:00.Z", "2026-07-11 08:00:00Z", "-026-07-11T08:00:00Z"})
        CHECK_FALSE(parse_iso_time(text).has_value());
}
