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
            static_cast<wire::SqlRecordFormat>(input.format),
            builder.CreateString(input.rowtime_column),
            static_cast<wire::SqlStartingPosition>(input.start), columns));
    }
    return builder.CreateVector(tables);
}

}  // namespace

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
        input.format = static_cast<sql::RecordFormat>(table->format());
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
        outputs.push_back(wire::CreateSqlOutput(builder, builder.CreateString(output.name),
                                                builder.CreateString(output.stream),
                                                builder.CreateString(output.key_column)));
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
        for (const auto* output : *table.outputs())
            definition.outputs.push_back({wire::text_of(output->name()),
                                          wire::text_of(output->stream()),
                                          wire::text_of(output->key_column())});
    definition.seed = table.seed();
    definition.is_kda_score = table.is_kda_score();
    definition.is_started = table.is_started();
    return definition;
}

}  // namespace tidemill::query
