#pragma once

#include <flatbuffers/flatbuffers.h>

#include "engine/query/application_definition.h"
#include "operators/exec/application.h"
#include "operators/vector/schema.h"
#include "proto/sql_generated.h"

namespace tidemill::query {

// The tables of proto/sql.fbs from and to the types of this folder. Reading trusts nothing: absent
// fields, unknown enums and types come back as Corrupt.

using FieldTables = flatbuffers::Vector<flatbuffers::Offset<wire::SqlField>>;
using InputTables = flatbuffers::Vector<flatbuffers::Offset<wire::SqlInput>>;

using PumpTables = flatbuffers::Vector<flatbuffers::Offset<wire::SqlPump>>;
using OperatorTables = flatbuffers::Vector<flatbuffers::Offset<wire::SqlOperator>>;

flatbuffers::Offset<PumpTables> write_pumps(flatbuffers::FlatBufferBuilder& builder,
                                            const std::vector<sql::PumpInfo>& pumps);
flatbuffers::Offset<OperatorTables> write_operators(
    flatbuffers::FlatBufferBuilder& builder, const std::vector<sql::OperatorStats>& operators);

flatbuffers::Offset<FieldTables> write_fields(flatbuffers::FlatBufferBuilder& builder,
                                              const sql::Schema& schema);
Result<sql::Schema> read_fields(const FieldTables* fields);

Result<std::vector<InputDefinition>> read_inputs(const InputTables* inputs);

flatbuffers::Offset<wire::SqlApplication> write_definition(flatbuffers::FlatBufferBuilder& builder,
                                                           const ApplicationDefinition& definition);
Result<ApplicationDefinition> read_definition(const wire::SqlApplication& table);

}  // namespace tidemill::query
