#include "console/repl/sql_client.h"

#include <ostream>

#include <fmt/format.h>

#include "console/repl/row_printer.h"
#include "console/repl/schema_report.h"
#include "console/repl/sql_rows.h"
#include "console/repl/text_table.h"
#include "proto/native_table.h"
#include "proto/sql_generated.h"

namespace tidemill::console {
namespace {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;

/// How long a query waits for rows before it looks whether it is still wanted.
constexpr std::chrono::milliseconds kLook{100};

constexpr wire::Kind kind_of(wire::SqlKind kind) { return static_cast<wire::Kind>(kind); }

Offset<flatbuffers::Vector<Offset<wire::SqlInput>>> write_inputs(
    FlatBufferBuilder& builder, const std::vector<StreamBinding>& bind,
    const StreamInputOptions& options) {
    std::vector<Offset<wire::SqlInput>> inputs;
    for (const auto& binding : bind)
        inputs.push_back(wire::CreateSqlInput(
            builder, builder.CreateString(binding.name), builder.CreateString(binding.stream),
            static_cast<wire::SqlRecordFormat>(options.format),
            builder.CreateString(options.rowtime_column),
            options.from_oldest ? wire::SqlStartingPosition::TrimHorizon
                                : wire::SqlStartingPosition::Now));
    return builder.CreateVector(inputs);
}

Error error_at(const wire::SqlErrorPlace& place) {
    return {Errc::InvalidArgument,
            fmt::format("line {}, column {}: {}\n{}", place.line(), place.column(),
                        wire::text_of(place.message()), wire::text_of(place.snippet()))};
}

}  // namespace

Result<std::uint32_t> SqlClient::ask(const std::string& sql_text,
                                     const std::vector<std::string>& print) {
    FlatBufferBuilder builder;
    const auto inputs = write_inputs(builder, bind_, options_);
    const auto text = builder.CreateString(sql_text);
    const auto names = builder.CreateVectorOfStrings(print);
    builder.Finish(wire::CreateSqlQuery(builder, text, inputs, names));
    return connection_.start(kind_of(wire::SqlKind::Query), wire::finished_bytes(builder));
}

Result<SqlRunner::Summary> SqlClient::run(const std::string& sql_text,
                                          const std::vector<std::string>& print,
                                          sql::PrintFormat format, std::ostream& out,
                                          const std::function<bool()>& is_wanted) {
    const auto wanted = sql::parse_discover(sql_text);
    if (!wanted) return fail(Errc::InvalidArgument, wanted.error().to_string());
    if (*wanted) {
        ASSIGN(const std::string report, discover(**wanted));
        out << report;
        return Summary{};
    }
    ASSIGN(const std::uint32_t id, ask(sql_text, print));
    RowPrinter printer(out, format);
    struct Stream {
        std::string name;
        sql::Schema schema;
    };
    std::vector<Stream> streams;
    for (;;) {
        if (!is_wanted()) {
            TRY(connection_.give_up(id));
            break;
        }
        const auto reply = connection_.next(id, kLook);
        if (!reply && reply.error().code == Errc::Timeout) continue;
        if (!reply) return std::unexpected(reply.error());
        ASSIGN(const auto* answer, reply->message.read<wire::SqlQueryReply>());
        if (answer->error() != nullptr) return std::unexpected(error_at(*answer->error()));
        if (answer->streams() != nullptr)
            for (const auto* head : *answer->streams()) {
                ASSIGN(auto schema, schema_of(*head));
                streams.push_back({wire::text_of(head->name()), std::move(schema)});
            }
        if (answer->rows() != nullptr)
            for (const auto* rows : *answer->rows()) {
                if (rows->stream() >= streams.size())
                    return fail(Errc::Corrupt, "the answer has rows of an unknown stream");
                const Stream& stream = streams[rows->stream()];
                ASSIGN(const auto batch, rows_of(stream.schema, *rows));
                printer.print(stream.name, stream.schema, batch.view());
            }
        out.flush();
        if (reply->is_last) break;
    }
    Summary summary;
    summary.rows_printed = printer.rows();
    return summary;
}

Result<std::string> SqlClient::discover(const sql::DiscoverStatement& statement) {
    if (statement.is_file) return file_schema_report(statement);
    FlatBufferBuilder builder;
    builder.Finish(wire::CreateSqlSampleRequest(builder, builder.CreateString(statement.target)));
    ASSIGN(const auto reply,
           connection_.call(kind_of(wire::SqlKind::SampleStream), wire::finished_bytes(builder)));
    ASSIGN(const auto* sample, reply.message.read<wire::SqlSample>());
    std::vector<std::string> records;
    if (sample->records() != nullptr)
        for (const auto* record : *sample->records())
            if (record->data() != nullptr)
                records.emplace_back(reinterpret_cast<const char*>(record->data()->data()),
                                     record->data()->size());
    return schema_report(statement, records);
}

Result<std::string> SqlClient::describe_streams() {
    FlatBufferBuilder builder;
    builder.Finish(wire::CreateListStreamsRequest(builder));
    ASSIGN(const auto reply,
           connection_.call(wire::Kind::ListStreams, wire::finished_bytes(builder)));
    ASSIGN(const auto* list, reply.message.read<wire::ListStreamsReply>());
    TextTable table({"stream", "status", "open shards", "known here as"});
    if (list->streams() != nullptr)
        for (const auto* stream : *list->streams()) {
            std::string names;
            for (const auto& binding : bind_)
                if (binding.stream == wire::text_of(stream->name()))
                    names += (names.empty() ? "" : ", ") + binding.name;
            table.add({wire::text_of(stream->name()), wire::text_of(stream->status()),
                       std::to_string(stream->open_shards()), names});
        }
    return table.is_empty() ? "The broker has no streams.\n" : table.to_string();
}

Status SqlClient::create_application(const NewApplication& application) {
    FlatBufferBuilder builder;
    std::vector<Offset<wire::SqlOutput>> outputs;
    for (const auto& output : application.outputs)
        outputs.push_back(wire::CreateSqlOutput(builder, builder.CreateString(output.name),
                                                builder.CreateString(output.stream)));
    const auto inputs = write_inputs(builder, application.inputs, application.input_options);
    const auto name = builder.CreateString(application.name);
    const auto text = builder.CreateString(application.sql_text);
    const auto all_outputs = builder.CreateVector(outputs);
    builder.Finish(wire::CreateSqlApplication(builder, name, text, inputs, all_outputs, 42, true,
                                              application.is_started));
    const auto reply =
        connection_.call(kind_of(wire::SqlKind::CreateApplication), wire::finished_bytes(builder));
    return reply ? Status{} : std::unexpected(reply.error());
}

Status SqlClient::change(std::uint8_t kind, const std::string& name) {
    FlatBufferBuilder builder;
    const auto text = builder.CreateString(name);
    builder.Finish(wire::CreateSqlApplicationName(builder, text));
    const auto reply =
        connection_.call(static_cast<wire::Kind>(kind), wire::finished_bytes(builder));
    return reply ? Status{} : std::unexpected(reply.error());
}

Status SqlClient::start_application(const std::string& name) {
    return change(static_cast<std::uint8_t>(wire::SqlKind::StartApplication), name);
}
Status SqlClient::stop_application(const std::string& name) {
    return change(static_cast<std::uint8_t>(wire::SqlKind::StopApplication), name);
}
Status SqlClient::delete_application(const std::string& name) {
    return change(static_cast<std::uint8_t>(wire::SqlKind::DeleteApplication), name);
}

Result<std::vector<ApplicationLine>> SqlClient::list_applications() {
    ASSIGN(const auto reply, connection_.call(kind_of(wire::SqlKind::ListApplications), {}));
    ASSIGN(const auto* list, reply.message.read<wire::SqlApplicationList>());
    std::vector<ApplicationLine> lines;
    if (list->applications() != nullptr)
        for (const auto* state : *list->applications()) {
            ApplicationLine line;
            if (state->definition() != nullptr)
                line.name = wire::text_of(state->definition()->name());
            line.status = wire::text_of(state->status());
            line.message = wire::text_of(state->message());
            line.rows_in = state->rows_in();
            line.rows_out = state->rows_out();
            line.errors = state->errors();
            line.lag_ms = state->lag_ms();
            lines.push_back(std::move(line));
        }
    return lines;
}

}  // namespace tidemill::console
