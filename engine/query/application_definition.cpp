#include "engine/query/application_definition.h"

#include <algorithm>

#include <fmt/format.h>

#include "engine/query/query_limits.h"
#include "engine/query/sql_tables.h"
#include "proto/native_table.h"

namespace tidemill::query {
namespace {

bool is_name_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-';
}

Status check_name(const std::string& name) {
    if (name.empty() || name.size() > limits::kNameMax ||
        !std::ranges::all_of(name, is_name_character))
        return fail(Errc::InvalidArgument,
                    fmt::format("an application's name has 1 to {} letters, digits, _, . or -",
                                limits::kNameMax));
    return {};
}

}  // namespace

Status check_sql_text(const std::string& text) {
    if (text.size() > limits::kSqlTextMax)
        return fail(Errc::TooLarge, fmt::format("SQL text has at most {} bytes, not {}",
                                                limits::kSqlTextMax, text.size()));
    return {};
}

Status check_inputs(const std::vector<InputDefinition>& inputs) {
    if (inputs.size() > limits::kInputsMax)
        return fail(Errc::InvalidArgument,
                    fmt::format("an application has at most {} inputs", limits::kInputsMax));
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        const auto& input = inputs[i];
        if (input.name.empty() || input.stream.empty())
            return fail(Errc::InvalidArgument, "an input needs its name and its stream's");
        if (input.columns.size() > limits::kColumnsMax)
            return fail(Errc::InvalidArgument,
                        fmt::format("an input has at most {} columns", limits::kColumnsMax));
        if (const auto status = sql::check_layout(input.layout, input.columns);
            !status && input.columns.size() != 0)
            return fail(Errc::InvalidArgument,
                        fmt::format("input \"{}\": {}", input.name, status.error().message));
        if (input.parts == 0 || input.part >= input.parts)
            return fail(Errc::InvalidArgument,
                        fmt::format("input \"{}\" is no part of itself", input.name));
        for (std::size_t j = 0; j < i; ++j)
            if (inputs[j].name == input.name)
                return fail(Errc::InvalidArgument,
                            fmt::format("two inputs are named \"{}\"", input.name));
    }
    return {};
}

Status check_definition(const ApplicationDefinition& definition) {
    TRY(check_name(definition.name));
    TRY(check_sql_text(definition.sql_text));
    if (definition.sql_text.empty())
        return fail(Errc::InvalidArgument, "an application needs SQL text");
    if (definition.inputs.empty())
        return fail(Errc::InvalidArgument, "an application needs an input");
    TRY(check_inputs(definition.inputs));
    if (definition.outputs.size() > limits::kOutputsMax)
        return fail(Errc::InvalidArgument,
                    fmt::format("an application has at most {} outputs", limits::kOutputsMax));
    for (const auto& output : definition.outputs)
        if (output.name.empty() || output.stream.empty())
            return fail(Errc::InvalidArgument, "an output needs its name and its stream's");
    return {};
}

std::vector<std::byte> encode_definition(const ApplicationDefinition& definition) {
    flatbuffers::FlatBufferBuilder builder;
    builder.Finish(write_definition(builder, definition));
    const Bytes bytes = wire::finished_bytes(builder);
    return {bytes.begin(), bytes.end()};
}

Result<ApplicationDefinition> decode_definition(Bytes bytes) {
    const wire::TableBytes table(bytes);
    ASSIGN(const auto* root, table.read<wire::SqlApplication>());
    return read_definition(*root);
}

}  // namespace tidemill::query
