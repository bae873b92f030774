#include "engine/cloudwatch/metric_data.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "engine/base/result.h"

namespace tidemill::cloudwatch {
namespace {

using aws::ApiResult;
using aws::ApiStatus;
using aws::refuse;
using aws::Value;

constexpr std::string_view kUnits[] = {"Seconds",
                                       "Microseconds",
                                       "Milliseconds",
                                       "Bytes",
                                       "Kilobytes",
                                       "Megabytes",
                                       "Gigabytes",
                                       "Terabytes",
                                       "Bits",
                                       "Kilobits",
                                       "Megabits",
                                       "Gigabits",
                                       "Terabits",
                                       "Percent",
                                       "Count",
                                       "Bytes/Second",
                                       "Kilobytes/Second",
                                       "Megabytes/Second",
                                       "Gigabytes/Second",
                                       "Terabytes/Second",
                                       "Bits/Second",
                                       "Kilobits/Second",
                                       "Megabits/Second",
                                       "Gigabits/Second",
                                       "Terabits/Second",
                                       "Count/Second",
                                       "None"};

std::unexpected<aws::ApiError> bad_value(std::string message) {
    return refuse("InvalidParameterValueException", std::move(message));
}
std::unexpected<aws::ApiError> missing(std::string_view parameter) {
    return refuse("MissingRequiredParameterException",
                  fmt::format("The parameter {} is required.", parameter));
}

ApiResult<std::string> required_text(const Value& in, std::string_view member,
                                     const std::string& path, std::size_t most) {
    const Value* value = in.find(member);
    const std::string parameter = path + std::string(member);
    if (value == nullptr) return missing(parameter);
    if (value->text() == nullptr)
        return bad_value(fmt::format("The parameter {} must be a string.", parameter));
    if (value->text()->empty()) return missing(parameter);
    if (value->text()->size() > most)
        return bad_value(fmt::format("The parameter {} must be shorter than {} characters.",
                                     parameter, most + 1));
    return *value->text();
}

ApiResult<double> number_of(const Value& value, const std::string& parameter) {
    double number = 0;
    bool is_number = false;
    if (const auto given = value.number()) {
        number = *given;
        is_number = true;
    } else if (const auto* text = value.text()) {
        const char* end = text->data() + text->size();
        const auto read = std::from_chars(text->data(), end, number);
        is_number = !text->empty() && read.ec == std::errc{} && read.ptr == end;
    }
    if (!is_number || !std::isfinite(number))
        return bad_value(fmt::format("The parameter {} must be a number.", parameter));
    return number;
}

/// An absent list, and the empty text that the Query protocol has for an empty one, is empty.
ApiResult<const Value::List*> list_of(const Value& in, std::string_view member,
                                      const std::string& path, std::size_t most) {
    static const Value::List kNone;
    const Value* value = in.find(member);
    if (value == nullptr || (value->text() != nullptr && value->text()->empty())) return &kNone;
    const std::string parameter = path + std::string(member);
    if (value->list() == nullptr)
        return bad_value(fmt::format("The parameter {} must be a list.", parameter));
    if (value->list()->size() > most)
        return bad_value(fmt::format("The collection {} must not have a size greater than {}.",
                                     parameter, most));
    return value->list();
}

ApiStatus read_dimensions(const Value& in, const std::string& path, MetricDatum& to) {
    ASSIGN(const auto* list, list_of(in, "Dimensions", path, limits::kDimensions));
    for (std::size_t i = 0; i < list->size(); ++i) {
        const std::string at = fmt::format("{}Dimensions.member.{}.", path, i + 1);
        ASSIGN(std::string name, required_text((*list)[i], "Name", at, limits::kNameBytes));
        ASSIGN(std::string value,
               required_text((*list)[i], "Value", at, limits::kDimensionValueBytes));
        to.dimensions.emplace_back(std::move(name), std::move(value));
    }
    // The order in which they were sent makes no other series.
    std::ranges::sort(to.dimensions);
    return {};
}

ApiStatus read_statistics(const Value& in, const std::string& path, MetricDatum& to) {
    const auto read = [&](std::string_view member, double& into) -> ApiStatus {
        const std::string parameter = fmt::format("{}StatisticValues.{}", path, member);
        const Value* value = in.find(member);
        if (value == nullptr) return missing(parameter);
        ASSIGN(into, number_of(*value, parameter));
        return {};
    };
    TRY(read("SampleCount", to.samples));
    TRY(read("Sum", to.sum));
    TRY(read("Minimum", to.minimum));
    TRY(read("Maximum", to.maximum));
    if (to.samples <= 0)
        return bad_value(fmt::format(
            "The parameter {}StatisticValues.SampleCount must be greater than 0.", path));
    if (to.minimum > to.maximum)
        return bad_value(
            fmt::format("The parameter {0}StatisticValues.Minimum must be less than "
                        "or equal to {0}StatisticValues.Maximum.",
                        path));
    return {};
}

ApiStatus read_values(const Value& in, const std::string& path, const Value::List& values,
                      MetricDatum& to) {
    ASSIGN(const auto* counts, list_of(in, "Counts", path, limits::kValues));
    if (!counts->empty() && counts->size() != values.size())
        return bad_value(
            fmt::format("The parameters {0}Values and {0}Counts must be of the same size.", path));
    for (std::size_t i = 0; i < values.size(); ++i) {
        ASSIGN(const double value,
               number_of(values[i], fmt::format("{}Values.member.{}", path, i + 1)));
        double count = 1;
        if (!counts->empty()) {
            ASSIGN(count, number_of((*counts)[i], fmt::format("{}Counts.member.{}", path, i + 1)));
        }
        if (count < 0)
            return bad_value(
                fmt::format("The parameter {}Counts.member.{} must be greater than or equal to 0.",
                            path, i + 1));
        if (count == 0) continue;
        to.minimum = to.samples == 0 ? value : std::min(to.minimum, value);
        to.maximum = to.samples == 0 ? value : std::max(to.maximum, value);
        to.samples += count;
        to.sum += value * count;
    }
    return {};
}

ApiStatus read_samples(const Value& in, const std::string& path, MetricDatum& to) {
    const Value* value = in.find("Value");
    const Value* statistics = in.find("StatisticValues");
    ASSIGN(const auto* values, list_of(in, "Values", path, limits::kValues));
    std::vector<std::string> given;
    if (value != nullptr) given.push_back(path + "Value");
    if (statistics != nullptr) given.push_back(path + "StatisticValues");
    if (!values->empty()) given.push_back(path + "Values");
    if (given.empty())
        return refuse("InvalidParameterCombinationException",
                      fmt::format("At least one of the parameters {0}Value, {0}Values or "
                                  "{0}StatisticValues must be specified.",
                                  path));
    if (given.size() > 1)
        return refuse("InvalidParameterCombinationException",
                      fmt::format("The parameters {} are mutually exclusive and you have specified "
                                  "{}.",
                                  fmt::join(given, " and "), given.size() == 2 ? "both" : "all"));
    if (statistics != nullptr) return read_statistics(*statistics, path, to);
    if (value == nullptr) return read_values(in, path, *values, to);
    ASSIGN(to.sum, number_of(*value, path + "Value"));
    to.minimum = to.maximum = to.sum;
    to.samples = 1;
    return {};
}

ApiStatus read_time(const Value& in, const std::string& path, WallTime now, MetricDatum& to) {
    const Value* value = in.find("Timestamp");
    if (value == nullptr) return {};
    const std::string parameter = path + "Timestamp";
    if (const auto* time = value->time())
        to.time = *time;
    else if (const auto seconds = value->number())
        to.time = aws::time_of_millis(*seconds * 1000);
    else if (value->text() != nullptr)
        to.time = parse_iso_time(*value->text());
    if (!to.time) return bad_value(fmt::format("The parameter {} must be a timestamp.", parameter));
    if (*to.time > now + limits::kNewest)
        return bad_value(fmt::format(
            "The parameter {} must specify a time no more than two hours in the future.",
            parameter));
    if (*to.time < now - limits::kOldest)
        return bad_value(fmt::format(
            "The parameter {} must specify a time within the past two weeks.", parameter));
    return {};
}

ApiResult<MetricDatum> datum_of(const Value& in, const std::string& path, WallTime now) {
    MetricDatum datum;
    ASSIGN(datum.name, required_text(in, "MetricName", path, limits::kNameBytes));
    TRY(read_dimensions(in, path, datum));
    if (const Value* unit = in.find("Unit")) {
        const auto* text = unit->text();
        if (text == nullptr || std::ranges::find(kUnits, *text) == std::end(kUnits))
            return bad_value(fmt::format("The parameter {}Unit must be a value in the set [ {} ].",
                                         path, fmt::join(kUnits, ", ")));
        datum.unit = *text;
    }
    TRY(read_time(in, path, now, datum));
    TRY(read_samples(in, path, datum));
    return datum;
}

ApiStatus read_data(const Value& in, const std::string& path, WallTime now, MetricData& to) {
    ASSIGN(const auto* list, list_of(in, "MetricData", path, limits::kData));
    for (std::size_t i = 0; i < list->size(); ++i) {
        ASSIGN(MetricDatum datum,
               datum_of((*list)[i], fmt::format("{}MetricData.member.{}.", path, i + 1), now));
        to.data.push_back(std::move(datum));
    }
    return {};
}

}  // namespace

ApiResult<MetricData> metric_data_of(const Value& request, WallTime now) {
    MetricData made;
    ASSIGN(made.name_space, required_text(request, "Namespace", "", limits::kNameBytes));
    if (made.name_space.starts_with("AWS/") || made.name_space.starts_with(":"))
        return bad_value(
            fmt::format("The value {} for parameter Namespace is invalid.", made.name_space));
    TRY(read_data(request, "", now, made));
    ASSIGN(const auto* entities, list_of(request, "EntityMetricData", "", limits::kData));
    for (std::size_t i = 0; i < entities->size(); ++i)
        TRY(read_data((*entities)[i], fmt::format("EntityMetricData.member.{}.", i + 1), now,
                      made));
    if (made.data.empty()) return missing("MetricData");
    return made;
}

std::optional<WallTime> parse_iso_time(std::string_view text) {
    const auto number = [&](std::size_t at, std::size_t size, int& to) {
        if (at + size > text.size()) return false;
        const char* begin = text.data() + at;
        const auto read = std::from_chars(begin, begin + size, to);
        return read.ec == std::errc{} && read.ptr == begin + size && to >= 0;
    };
    int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
    if (text.size() < 20 || text[4] != '-' || text[7] != '-' || text[10] != 'T' ||
        text[13] != ':' || text[16] != ':' || !number(0, 4, year) || !number(5, 2, month) ||
        !number(8, 2, day) || !number(11, 2, hour) || !number(14, 2, minute) ||
        !number(17, 2, second) || hour > 23 || minute > 59 || second > 60)
        return std::nullopt;
    const std::chrono::year_month_day date{std::chrono::year{year},
                                           std::chrono::month{static_cast<unsigned>(month)},
                                           std::chrono::day{static_cast<unsigned>(day)}};
    if (!date.ok()) return std::nullopt;
    std::string_view rest = text.substr(19);
    int millis = 0;
    if (rest.starts_with('.')) {
        const std::size_t end = std::min(rest.find_first_not_of("0123456789", 1), rest.size());
        if (end == 1) return std::nullopt;
        std::string digits(rest.substr(1, std::min<std::size_t>(3, end - 1)));
        digits.resize(3, '0');
        std::from_chars(digits.data(), digits.data() + 3, millis);
        rest = rest.substr(end);
    }
    if (rest != "Z" && rest != "+00:00") return std::nullopt;
    return std::chrono::sys_days{date} + std::chrono::hours{hour} + std::chrono::minutes{minute} +
           std::chrono::seconds{second} + std::chrono::milliseconds{millis};
}

}  // namespace tidemill::cloudwatch
