#include "engine/analytics/definition_of.h"

#include <fmt/format.h>

#include "engine/analytics/documents.h"
#include "engine/aws/caller.h"
#include "engine/base/result.h"
#include "engine/query/input_decoder.h"
#include "operators/exec/application.h"
#include "operators/exec/external_streams.h"
#include "operators/sql/parser.h"
#include "operators/sql/printer.h"

namespace tidemill::analytics {
namespace {

using aws::ApiResult;
using aws::ApiStatus;
using aws::invalid_argument;

constexpr std::size_t kColumnsMax = 1000;

/// A type by its SQL text: SQL reads it.
ApiResult<sql::Type> type_of(std::string_view text) {
    const auto statements = sql::parse(fmt::format("CREATE STREAM \"x\" (\"x\" {}\n)", text));
    if (statements && statements->size() == 1) {
        const auto* create = std::get_if<sql::ast::CreateStream>(&statements->front().body);
        if (create != nullptr && create->columns.size() == 1 && create->options.empty())
            return create->columns[0].type;
    }
    return invalid_argument(fmt::format("{} is not a valid SQL type.", text));
}

struct SourceSchema {
    sql::Schema columns;
    sql::RecordLayout layout;
};

ApiResult<SourceSchema> schema_of(const Value* schema) {
    if (schema == nullptr) return invalid_argument("The input schema is missing.");
    SourceSchema found;
    const std::string_view format = text_at(*schema, {"RecordFormat", "RecordFormatType"});
    const Value* json =
        at_path(*schema, {"RecordFormat", "MappingParameters", "JSONMappingParameters"});
    const Value* csv =
        at_path(*schema, {"RecordFormat", "MappingParameters", "CSVMappingParameters"});
    if (format == "CSV") {
        found.layout.format = sql::RecordFormat::Csv;
        if (json != nullptr)
            return invalid_argument("JSONMappingParameters do not go with the format CSV.");
        if (csv != nullptr) {
            found.layout.column_delimiter = csv->text_or("RecordColumnDelimiter", ",");
            found.layout.row_delimiter = csv->text_or("RecordRowDelimiter", "\n");
        }
    } else {
        if (csv != nullptr)
            return invalid_argument("CSVMappingParameters do not go with the format JSON.");
        if (json != nullptr) found.layout.row_path = json->text_or("RecordRowPath", "$");
    }
    const Value* columns = schema->find("RecordColumns");
    if (columns == nullptr || columns->list()->empty() || columns->list()->size() > kColumnsMax)
        return invalid_argument("An input schema has 1 to 1000 columns.");
    for (const auto& column : *columns->list()) {
        std::string name(text_at(column, {"Name"}));
        if (name.empty()) return invalid_argument("A column has no name.");
        if (found.columns.find(name))
            return invalid_argument(fmt::format("Two columns are named {}.", name));
        ASSIGN(const sql::Type type, type_of(text_at(column, {"SqlType"})));
        found.columns.fields.push_back({std::move(name), type, true, false});
        found.layout.column_paths.emplace_back(format == "CSV" ? std::string_view()
                                                               : text_at(column, {"Mapping"}));
    }
    if (const auto status = sql::check_layout(found.layout, found.columns); !status)
        return invalid_argument(status.error().message);
    return found;
}

/// The stream behind an ARN. Errors: it is no stream's.
ApiResult<std::string> stream_of(std::string_view arn) {
    if (arn.find(":kinesis:") == std::string_view::npos ||
        arn.find(":stream/") == std::string_view::npos)
        return invalid_argument(fmt::format(
            "{} is not the ARN of a stream: applications read and write Kinesis streams here.",
            arn));
    return sql::stream_name_of(arn);
}

template <class T>
ApiStatus without_value(ApiResult<T> result) {
    if (!result) return std::unexpected(std::move(result.error()));
    return {};
}

/// "function:NAME" of the ARN of a Lambda function, whatever its version.
std::string function_of(std::string_view arn) {
    const auto at = arn.find(":function:");
    if (at == std::string_view::npos) return std::string(arn);
    std::string_view name = arn.substr(at + 10);
    return fmt::format("{}{}", query::kFunctionPrefix, name.substr(0, name.find(':')));
}

query::StartingPosition start_of(std::string_view start) {
    return start == "TRIM_HORIZON" ? query::StartingPosition::TrimHorizon
                                   : query::StartingPosition::Now;
}

ApiStatus add_input(const Part& part, query::ApplicationDefinition& definition) {
    const Value& input = part.document;
    ASSIGN(const std::string stream,
           stream_of(text_at(input, {"KinesisStreamsInput", "ResourceARN"})));
    ASSIGN(const SourceSchema schema, schema_of(input.find("InputSchema")));
    const auto names = stream_names(input);
    for (std::uint32_t i = 0; i < names.size(); ++i) {
        query::InputDefinition one;
        one.name = names[i];
        one.stream = stream;
        one.layout = schema.layout;
        one.columns = schema.columns;
        one.start = start_of(part.start);
        one.part = i;
        one.preprocess = function_of(text_at(
            input, {"InputProcessingConfiguration", "InputLambdaProcessor", "ResourceARN"}));
        one.parts = static_cast<std::uint32_t>(names.size());
        definition.inputs.push_back(std::move(one));
    }
    return {};
}

ApiStatus add_output(const Part& part, query::ApplicationDefinition& definition) {
    query::OutputDefinition output;
    output.name = text_at(part.document, {"Name"});
    ASSIGN(output.stream,
           stream_of(text_at(part.document, {"KinesisStreamsOutput", "ResourceARN"})));
    if (text_at(part.document, {"DestinationSchema", "RecordFormatType"}) == "CSV")
        output.format = sql::RecordFormat::Csv;
    definition.outputs.push_back(std::move(output));
    return {};
}

/// CREATE TABLE for a reference data source. An object of S3 is the file <bucket>/<key> below
/// `sql.files_directory`.
ApiResult<std::string> create_table_text(const Value& reference) {
    ASSIGN(const SourceSchema schema, schema_of(reference.find("ReferenceSchema")));
    sql::ast::CreateTable create;
    auto& table = create.definition;
    table.name.text = text_at(reference, {"TableName"});
    for (std::size_t i = 0; i < schema.columns.size(); ++i) {
        sql::ast::ColumnDefinition column;
        column.name.text = schema.columns[i].name;
        column.type = schema.columns[i].type;
        if (const auto& path = schema.layout.column_paths[i]; !path.empty()) column.path = path;
        table.columns.push_back(std::move(column));
    }
    const auto add_option = [&](std::string name, std::string value) {
        sql::ast::StreamOption option;
        option.name.text = std::move(name);
        option.value = std::move(value);
        option.is_string = true;
        table.options.push_back(std::move(option));
    };
    const std::string_view arn = text_at(reference, {"S3ReferenceDataSource", "BucketARN"});
    add_option("file", fmt::format("{}/{}", arn.substr(arn.rfind(':') + 1),
                                   text_at(reference, {"S3ReferenceDataSource", "FileKey"})));
    const auto& layout = schema.layout;
    if (layout.format == sql::RecordFormat::Csv) {
        add_option("format", "csv");
        add_option("column_delimiter", layout.column_delimiter);
        add_option("row_delimiter", layout.row_delimiter);
    } else {
        add_option("format", "json");
        if (!layout.row_path.empty()) add_option("row_path", layout.row_path);
    }
    return sql::print(sql::ast::Statement{std::move(create), {}});
}

}  // namespace

std::string query_name(std::string_view account, std::string_view name) {
    if (account.empty() || account == kNoAccount) return std::string(name);
    return fmt::format("{}.{}", account, name);
}

ApiStatus check_input(const Value& input) {
    const int kinds = (input.find("KinesisStreamsInput") != nullptr) +
                      (input.find("KinesisFirehoseInput") != nullptr);
    if (kinds != 1)
        return invalid_argument(
            "An input has exactly one of KinesisStreamsInput and KinesisFirehoseInput.");
    if (const auto arn = text_at(input, {"KinesisFirehoseInput", "ResourceARN"}); !arn.empty())
        return without_value(stream_of(arn));
    query::ApplicationDefinition definition;
    return add_input({"", input, ""}, definition);
}

ApiStatus check_output(const Value& output) {
    const int kinds = (output.find("KinesisStreamsOutput") != nullptr) +
                      (output.find("KinesisFirehoseOutput") != nullptr) +
                      (output.find("LambdaOutput") != nullptr);
    if (kinds != 1)
        return invalid_argument(
            "An output has exactly one of KinesisStreamsOutput, KinesisFirehoseOutput and "
            "LambdaOutput.");
    for (const auto other : {"KinesisFirehoseOutput", "LambdaOutput"})
        if (const auto arn = text_at(output, {other, "ResourceARN"}); !arn.empty())
            return without_value(stream_of(arn));
    query::ApplicationDefinition definition;
    return add_output({"", output, ""}, definition);
}

ApiStatus check_reference(const Value& reference) {
    if (reference.find("S3ReferenceDataSource") == nullptr)
        return invalid_argument("A reference data source needs an S3ReferenceDataSource.");
    return without_value(create_table_text(reference));
}

ApiResult<query::ApplicationDefinition> definition_of(const AnalyticsApplication& application) {
    query::ApplicationDefinition definition;
    definition.name = query_name(application.account, application.name);
    definition.sql_text = application.code;
    definition.is_started = true;
    for (const auto& input : application.inputs)
        TRY(add_input(input, definition));
    for (const auto& output : application.outputs)
        TRY(add_output(output, definition));
    // Behind the code, so that places in errors are those of the code.
    for (const auto& reference : application.references) {
        ASSIGN(const auto text, create_table_text(reference.document));
        definition.sql_text += "\n;" + text;
    }
    return definition;
}

ApiStatus check_code(const AnalyticsApplication& application) {
    const auto invalid = [](const std::string& why) {
        return aws::refuse("CodeValidationException", why);
    };
    if (application.code.empty()) return {};
    // Over inputs or tables that are not there yet only its form can be looked at.
    const auto parsed = sql::external_streams(application.code);
    if (!parsed) return invalid(parsed.error().to_string());
    if (application.inputs.empty()) return {};
    ASSIGN(const auto definition, definition_of(application));
    std::vector<sql::InputStream> inputs;
    for (const auto& input : definition.inputs) {
        inputs.push_back({input.name, input.columns});
        for (auto& field : query::hidden_fields_in(application.code))
            inputs.back().schema.fields.push_back(std::move(field));
    }
    const auto compiled = sql::Application::compile(definition.sql_text, inputs);
    if (!compiled) return invalid(compiled.error().to_string());
    for (const auto& output : definition.outputs)
        if (const auto stream = (*compiled)->find_stream(output.name); !stream)
            return aws::refuse("InvalidArgumentException", stream.error().message);
    return {};
}

}  // namespace tidemill::analytics
