#include "engine/query/sql_door.h"

#include <algorithm>

#include <fmt/format.h>

#include "engine/query/sql_tables.h"

namespace tidemill::query {
namespace {

using flatbuffers::FlatBufferBuilder;
using wire::SqlKind;

void send_states(const std::vector<ApplicationState>& states, QueryReply& reply,
                 const std::vector<std::string>& notes = {}) {
    FlatBufferBuilder builder;
    std::vector<flatbuffers::Offset<wire::SqlApplicationState>> tables;
    for (const auto& state : states) {
        const auto definition = write_definition(builder, state.definition);
        const auto status = builder.CreateString(status_name(state.status));
        const auto message = builder.CreateString(state.message);
        const auto pumps = write_pumps(builder, state.pumps);
        const auto operators = write_operators(builder, state.operators);
        tables.push_back(wire::CreateSqlApplicationState(
            builder, definition, status, message, state.rows_in, state.rows_out, state.errors,
            state.lag_ms, state.checkpoints, pumps, operators));
    }
    const auto all = builder.CreateVector(tables);
    const auto said = builder.CreateVectorOfStrings(notes);
    builder.Finish(wire::CreateSqlApplicationList(builder, all, said));
    reply.send(wire::finished_bytes(builder), true);
}

}  // namespace

Task<void> SqlDoor::serve(std::uint8_t kind, wire::TableBytes message, QueryReply& reply) {
    Status status;
    switch (static_cast<SqlKind>(kind)) {
        case SqlKind::Query:
            status = co_await query(message, reply);
            break;
        case SqlKind::CreateApplication:
            status = co_await create(message, reply);
            break;
        case SqlKind::ReplaceApplication:
            status = co_await replace(message, reply);
            break;
        case SqlKind::StartApplication:
        case SqlKind::StopApplication:
        case SqlKind::DeleteApplication:
            status = co_await change(kind, message, reply);
            break;
        case SqlKind::DescribeApplication:
            status = co_await describe(message, reply);
            break;
        case SqlKind::ListApplications:
            send_states(co_await service_.list_applications(), reply);
            break;
        case SqlKind::SampleStream:
            status = co_await sample(message, reply);
            break;
        default:
            status = fail(Errc::Unsupported, fmt::format("there is no SQL request {}", kind));
    }
    if (!status) reply.send_error(status.error());
}

Task<Status> SqlDoor::create(const wire::TableBytes& message, QueryReply& reply) {
    CO_ASSIGN(const auto* table, message.read<wire::SqlApplication>());
    CO_ASSIGN(auto definition, read_definition(*table));
    std::string name = definition.name;
    CO_TRY(co_await service_.create_application(std::move(definition)));
    co_return co_await answer_with(std::move(name), reply);
}

Task<Status> SqlDoor::replace(const wire::TableBytes& message, QueryReply& reply) {
    CO_ASSIGN(const auto* table, message.read<wire::SqlApplication>());
    CO_ASSIGN(auto definition, read_definition(*table));
    std::string name = definition.name;
    CO_ASSIGN(const auto fates, co_await service_.replace_application(std::move(definition)));
    CO_ASSIGN(auto state, co_await service_.describe_application(std::move(name)));
    std::vector<std::string> notes;
    for (const auto& fate : fates)
        notes.push_back(fate.describe());
    send_states({std::move(state)}, reply, notes);
    co_return Status{};
}

Task<Status> SqlDoor::change(std::uint8_t kind, const wire::TableBytes& message,
                             QueryReply& reply) {
    CO_ASSIGN(const auto* table, message.read<wire::SqlApplicationName>());
    std::string name = wire::text_of(table->name());
    if (static_cast<SqlKind>(kind) == SqlKind::DeleteApplication) {
        CO_TRY(co_await service_.delete_application(std::move(name)));
        send_states({}, reply);
        co_return Status{};
    }
    if (static_cast<SqlKind>(kind) == SqlKind::StartApplication)
        CO_TRY(co_await service_.start_application(name));
    else
        CO_TRY(co_await service_.stop_application(name));
    co_return co_await answer_with(std::move(name), reply);
}

Task<Status> SqlDoor::sample(const wire::TableBytes& message, QueryReply& reply) {
    constexpr std::uint32_t kRecordsMax = 1000;
    CO_ASSIGN(const auto* table, message.read<wire::SqlSampleRequest>());
    CO_ASSIGN(const auto records,
              co_await service_.sample_stream(
                  wire::text_of(table->stream()),
                  table->is_from_oldest() ? SampleFrom::Oldest : SampleFrom::Newest,
                  std::min(table->records(), kRecordsMax)));
    FlatBufferBuilder builder;
    std::vector<flatbuffers::Offset<wire::SqlRecord>> all;
    for (const auto& record : records)
        all.push_back(wire::CreateSqlRecord(
            builder, builder.CreateVector(reinterpret_cast<const std::uint8_t*>(record.data()),
                                          record.size())));
    builder.Finish(wire::CreateSqlSample(builder, builder.CreateVector(all)));
    reply.send(wire::finished_bytes(builder), true);
    co_return Status{};
}

Task<Status> SqlDoor::describe(const wire::TableBytes& message, QueryReply& reply) {
    CO_ASSIGN(const auto* table, message.read<wire::SqlApplicationName>());
    co_return co_await answer_with(wire::text_of(table->name()), reply);
}

Task<Status> SqlDoor::answer_with(std::string name, QueryReply& reply) {
    CO_ASSIGN(auto state, co_await service_.describe_application(std::move(name)));
    send_states({std::move(state)}, reply);
    co_return Status{};
}

Task<Status> SqlDoor::query(const wire::TableBytes& message, QueryReply& reply) {
    CO_ASSIGN(const auto* table, message.read<wire::SqlQuery>());
    LiveQueryRequest request;
    request.sql_text = wire::text_of(table->text());
    CO_ASSIGN(request.inputs, read_inputs(table->inputs()));
    if (table->print() != nullptr)
        for (const auto* name : *table->print())
            request.print.push_back(name->str());
    request.seed = table->seed();
    request.is_kda_score = table->is_kda_score();
    request.mode = table->mode();
    co_await service_.run_query(std::move(request), reply);
    co_return Status{};
}

}  // namespace tidemill::query
