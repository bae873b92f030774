// DiscoverInputSchema.
#include <fmt/format.h>

#include "engine/analytics/documents.h"
#include "engine/analytics/operations.h"
#include "engine/base/result.h"
#include "engine/query/stream_sample.h"
#include "operators/connect/input_discovery.h"
#include "operators/exec/external_streams.h"

namespace tidemill::analytics {
namespace {

using aws::ApiStatus;
using aws::invalid_argument;

constexpr std::size_t kSampleRecords = 100;
constexpr std::size_t kShownRecords = 30;

Value texts_value(const std::vector<std::string>& texts) {
    Value::List list;
    for (const auto& text : texts)
        list.push_back(text_value(text));
    return {std::move(list)};
}

Value schema_value(const sql::DiscoveredInput& found) {
    const bool is_csv = found.layout.format == sql::RecordFormat::Csv;
    Value schema = object();
    Value& format = child(schema, "RecordFormat");
    put(format, "RecordFormatType", text_value(is_csv ? "CSV" : "JSON"));
    Value& mapping = child(format, "MappingParameters");
    if (is_csv) {
        Value& csv = child(mapping, "CSVMappingParameters");
        put(csv, "RecordRowDelimiter", text_value(found.layout.row_delimiter));
        put(csv, "RecordColumnDelimiter", text_value(found.layout.column_delimiter));
    } else {
        put(child(mapping, "JSONMappingParameters"), "RecordRowPath", text_value("$"));
    }
    put(schema, "RecordEncoding", text_value("UTF-8"));
    Value::List columns;
    for (std::size_t i = 0; i < found.columns.size(); ++i) {
        Value column = object();
        put(column, "Name", text_value(found.columns[i].name));
        if (!is_csv) put(column, "Mapping", text_value(found.layout.column_paths[i]));
        put(column, "SqlType", text_value(found.columns[i].type.to_string()));
        columns.push_back(std::move(column));
    }
    put(schema, "RecordColumns", {std::move(columns)});
    return schema;
}

}  // namespace

Task<ApiStatus> discover_input_schema(Call& call) {
    const auto arn = call.input.text_or("ResourceARN", "");
    if (call.input.find("S3Configuration") != nullptr)
        co_return invalid_argument(
            "S3 is not served here: schemas are discovered of streams, by ResourceARN.");
    if (arn.find(":kinesis:") == std::string_view::npos ||
        arn.find(":stream/") == std::string_view::npos)
        co_return invalid_argument(fmt::format("{} is not the ARN of a stream.", arn));
    const auto start =
        text_at(call.input, {"InputStartingPositionConfiguration", "InputStartingPosition"});
    const auto from =
        start == "TRIM_HORIZON" ? query::SampleFrom::Oldest : query::SampleFrom::Newest;
    const auto records = co_await query::sample_stream(
        call.store.service(), sql::stream_name_of(arn), from, kSampleRecords);
    if (!records && records.error().code == Errc::NotFound)
        co_return invalid_argument(records.error().message);
    if (!records) co_return internal(records.error());
    std::vector<std::string> shown = *records;
    if (shown.size() > kShownRecords) shown.resize(kShownRecords);
    const auto found = sql::discover_input(*records);
    if (!found) {
        call.error_extra = object();
        put(call.error_extra, "RawInputRecords", texts_value(shown));
        put(call.error_extra, "ProcessedInputRecords", texts_value(shown));
        co_return aws::refuse("UnableToDetectSchemaException", found.error().message);
    }
    Value::List parsed;
    for (std::size_t i = 0; i < std::min(found->rows.size(), kShownRecords); ++i)
        parsed.push_back(texts_value(found->rows[i]));
    call.output = object();
    put(call.output, "InputSchema", schema_value(*found));
    put(call.output, "ParsedInputRecords", {std::move(parsed)});
    put(call.output, "ProcessedInputRecords", texts_value(shown));
    put(call.output, "RawInputRecords", texts_value(shown));
    co_return ApiStatus{};
}

}  // namespace tidemill::analytics
