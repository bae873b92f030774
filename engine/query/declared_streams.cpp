// Inputs and outputs that SQL text declares by itself.
#include <algorithm>

#include <fmt/format.h>

#include "engine/query/application_definition.h"
#include "operators/sql/nearest_name.h"

namespace tidemill::query {
namespace {

Status add_source(const sql::ExternalSource& source, std::vector<InputDefinition>& inputs) {
    if (source.connector == sql::Connector::File)
        return fail(Errc::InvalidArgument,
                    fmt::format("{} reads a file: the broker reads streams; tidemill sql --local "
                                "reads files",
                                source.names.front()));
    InputDefinition input;
    input.stream = source.target;
    input.layout = source.layout;
    input.rowtime_column = source.rowtime_column;
    input.columns = source.columns;
    input.start_time = source.start_time;
    input.preprocess = source.preprocess;
    input.preprocess_timeout = source.preprocess_timeout;
    input.start = source.start == sql::StartAt::Time       ? StartingPosition::Time
                  : source.start == sql::StartAt::Earliest ? StartingPosition::TrimHorizon
                                                           : StartingPosition::Now;
    input.parts = static_cast<std::uint32_t>(source.names.size());
    for (std::uint32_t i = 0; i < input.parts; ++i) {
        input.name = source.names[i];
        input.part = i;
        inputs.push_back(input);
    }
    return {};
}

}  // namespace

Status add_declared_inputs(const std::string& sql_text, std::vector<InputDefinition>& inputs) {
    const auto declared = sql::external_streams(sql_text);
    if (!declared) return fail(Errc::InvalidArgument, declared.error().to_string());
    for (const auto& source : declared->sources) {
        // Who starts the application may bind the name to another stream.
        if (std::ranges::find(inputs, source.names.front(), &InputDefinition::name) != inputs.end())
            continue;
        TRY(add_source(source, inputs));
    }
    return {};
}

Result<ApplicationDefinition> with_declared_streams(ApplicationDefinition definition) {
    TRY(check_sql_text(definition.sql_text));
    TRY(add_declared_inputs(definition.sql_text, definition.inputs));
    const auto declared = sql::external_streams(definition.sql_text);
    for (const auto& sink : declared->sinks) {
        if (std::ranges::find(definition.outputs, sink.name, &OutputDefinition::name) !=
            definition.outputs.end())
            continue;
        OutputDefinition output;
        output.name = sink.name;
        output.stream = sink.target;
        output.key_column = sink.key_column;
        output.connector = sink.connector;
        output.format = sink.format;
        output.delimiter = sink.delimiter;
        output.has_header = sink.has_header;
        output.batch_rows = sink.batch_rows;
        output.tries = sink.tries;
        output.timeout = sink.timeout;
        definition.outputs.push_back(std::move(output));
    }
    return definition;
}

}  // namespace tidemill::query
