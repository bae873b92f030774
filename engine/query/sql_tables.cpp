#include "engine/query/sql_tables.h"

#include "proto/native_table.h"

namespace tidemill::query {
namespace {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;

// The numbers of types are on disk.
static_assert(static_cast<int>(sql::TypeKind::Boolean) == 1);
static_assert(static_cast<int>(sql::TypeKind::Decimal) == 6);
static_assert(static_cast<int>(sql::TypeKind::Varchar) == 10);
static_assert(static_cast<int>(sql::TypeKind::Timestamp) == 15);
static_assert(static_cast<int>(sql::TypeKind::Interval) == 16);

Offset<flatbuffers::Vector<Offset<wire::SqlInput>>> write_inputs(
    FlatBufferBuilder& builder, const std::vector<InputDefinition>& inputs) {
    std::vector<Offset<wire::SqlInput>> tables;
    for (const auto& input : inputs) {
        const auto columns = write_fields(builder, input.columns);
        tables.push_back(wire::CreateSqlInput(
            builder, builder.CreateString(input.name), builder.CreateString(input.stream),
            static_cast<wire::SqlRecordFormat>(input.layout.format),
            builder.CreateString(input.rowtime_column),
            static_cast<wire::SqlStartingPosition>(input.start), columns,
            builder.CreateString(input.layout.row_path),
            builder.CreateVectorOfStrings(input.layout.column_paths),
            builder.CreateString(input.layout.column_delimiter),
            builder.CreateString(input.layout.row_delimiter), input.layout.has_header,
            input.start_time, input.part, input.parts, builder.CreateString(input.preprocess),
            input.preprocess_timeout));
    }
    return builder.CreateVector(tables);
}

sql::RecordLayout read_layout(const wire::SqlInput& table) {
    sql::RecordLayout layout;
    layout.format = static_cast<sql::RecordFormat>(table.format());
    layout.row_path = wire::text_of(table.row_path());
    if (table.column_paths() != nullptr)
        for (const auto* path : *table.column_paths())
            layout.column_paths.push_back(path->str());
    // Absent in what earlier versions wrote.
    if (table.column_delimiter() != nullptr)
        layout.column_delimiter = table.column_delimiter()->str();
    if (table.row_delimiter() != nullptr) layout.row_delimiter = table.row_delimiter()->str();
    layout.has_header = table.has_header();
    return layout;
}

Offset<wire::SqlOutput> write_output(FlatBufferBuilder& builder, const OutputDefinition& output) {
    return wire::CreateSqlOutput(
        builder, builder.CreateString(output.name), builder.CreateString(output.stream),
        builder.CreateString(output.key_column), static_cast<wire::SqlConnector>(output.connector),
        static_cast<wire::SqlRecordFormat>(output.format), builder.CreateString(output.delimiter),
        output.has_header, output.batch_rows, output.tries, output.timeout);
}

Result<OutputDefinition> read_output(const wire::SqlOutput& table) {
    if (table.connector() > wire::SqlConnector::MAX || table.format() > wire::SqlRecordFormat::MAX)
        return fail(Errc::Corrupt, "an output has an unknown connector or format");
    OutputDefinition output;
    output.name = wire::text_of(table.name());
    output.stream = wire::text_of(table.stream());
    output.key_column = wire::text_of(table.key_column());
    output.connector = static_cast<sql::Connector>(table.connector());
    output.format = static_cast<sql::RecordFormat>(table.format());
    if (table.delimiter() != nullptr) output.delimiter = table.delimiter()->str();
    output.has_header = table.has_header();
    output.batch_rows = table.batch_rows();
    output.tries = table.tries();
    output.timeout = table.timeout();
    return output;
}

}  // namespace

Offset<PumpTables> write_pumps(FlatBufferBuilder& builder,
                               const std::vector<sql::PumpInfo>& pumps) {
    std::vector<Offset<wire::SqlPump>> tables;
    for (const auto& pump : pumps)
        tables.push_back(
            wire::CreateSqlPump(builder, builder.CreateString(pump.name),
                                builder.CreateString(pump.target),
                                builder.CreateVectorOfStrings(pump.sources),
                                builder.CreateString(pump.plan), pump.is_started));
    return builder.CreateVector(tables);
}

Offset<OperatorTables> write_operators(FlatBufferBuilder& builder,
                                       const std::vector<sql::OperatorStats>& operators) {
    std::vector<Offset<wire::SqlOperator>> tables;
    for (const auto& op : operators)
        tables.push_back(wire::CreateSqlOperator(
            builder, builder.CreateString(op.pump), builder.CreateString(op.name),
            builder.CreateString(op.step), op.rows_in, op.rows_out, op.batches_in,
            op.rows_rejected, static_cast<std::uint64_t>(op.time.count()), op.state_bytes));
    return builder.CreateVector(tables);
}

Offset<FieldTables> write_fields(FlatBufferBuilder& builder, const sql::Schema& schema) {
    std::vector<Offset<wire::SqlField>> fields;
    for (const auto& field : schema.fields)
        fields.push_back(wire::CreateSqlField(
            builder, builder.CreateString(field.name), static_cast<std::uint8_t>(field.type.kind),
            field.type.length, field.type.precision, field.type.scale, field.is_nullable,
            field.is_hidden));
    return builder.CreateVector(fields);
}

Result<sql::Schema> read_fields(const FieldTables* fields) {
    sql::Schema schema;
    if (fields == nullptr) return schema;
    for (const auto* table : *fields) {
        if (table->kind() > static_cast<std::uint8_t>(sql::TypeKind::Interval))
            return fail(Errc::Corrupt,
                        "a column has a type of unknown number " + std::to_string(table->kind()));
        sql::Field field;
        field.name = wire::text_of(table->name());
        field.type.kind = static_cast<sql::TypeKind>(table->kind());
        field.type.length = table->length();
        field.type.precision = table->precision();
        field.type.scale = table->scale();
        field.is_nullable = table->is_nullable();
        field.is_hidden = table->is_hidden();
        schema.fields.push_back(std::move(field));
    }
    return schema;
}

Result<std::vector<InputDefinition>> read_inputs(const InputTables* inputs) {
    std::vector<InputDefinition> all;
    if (inputs == nullptr) return all;
    for (const auto* table : *inputs) {
        if (table->format() > wire::SqlRecordFormat::MAX ||
            table->start() > wire::SqlStartingPosition::MAX)
            return fail(Errc::Corrupt, "an input has an unknown format or starting position");
        InputDefinition input;
        input.name = wire::text_of(table->name());
        input.stream = wire::text_of(table->stream());
        input.layout = read_layout(*table);
        input.start_time = table->start_time();
        input.part = table->part();
        input.parts = table->parts();
        input.preprocess = wire::text_of(table->preprocess());
        input.preprocess_timeout = table->preprocess_timeout();
        input.rowtime_column = wire::text_of(table->rowtime_column());
        input.start = static_cast<StartingPosition>(table->start());
        ASSIGN(input.columns, read_fields(table->columns()));
        all.push_back(std::move(input));
    }
    return all;
}

Offset<wire::SqlApplication> write_definition(FlatBufferBuilder& builder,
                                              const ApplicationDefinition& definition) {
    std::vector<Offset<wire::SqlOutput>> outputs;
    for (const auto& output : definition.outputs)
        outputs.push_back(write_output(builder, output));
    const auto inputs = write_inputs(builder, definition.inputs);
    return wire::CreateSqlApplication(builder, builder.CreateString(definition.name),
                                      builder.CreateString(definition.sql_text), inputs,
                                      builder.CreateVector(outputs), definition.seed,
                                      definition.is_kda_score, definition.is_started);
}

Result<ApplicationDefinition> read_definition(const wire::SqlApplication& table) {
    ApplicationDefinition definition;
    definition.name = wire::text_of(table.name());
    definition.sql_text = wire::text_of(table.text());
    ASSIGN(definition.inputs, read_inputs(table.inputs()));
    if (table.outputs() != nullptr)
        for (const auto* output : *table.outputs()) {
            ASSIGN(auto read, read_output(*output));
            definition.outputs.push_back(std::move(read));
        }
    definition.seed = table.seed();
    definition.is_kda_score = table.is_kda_score();
    definition.is_started = table.is_started();
    return definition;
}

}  // namespace tidemill::query
