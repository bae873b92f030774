#include "console/repl/sql_client.h"

#include <algorithm>
#include <ostream>
#include <thread>

#include <fmt/format.h>

#include "console/repl/rate_line.h"
#include "console/repl/row_printer.h"
#include "console/repl/schema_report.h"
#include "console/repl/sql_rows.h"
#include "operators/plan/bare_select.h"
#include "operators/sql/lexer.h"
#include "operators/sql/printer.h"
#include "proto/native_table.h"

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

std::string upper_case(std::string text) {
    for (char& c : text)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    return text;
}

std::vector<sql::PumpInfo> pumps_of(
    const flatbuffers::Vector<flatbuffers::Offset<wire::SqlPump>>& tables) {
    std::vector<sql::PumpInfo> pumps;
    for (const auto* table : tables) {
        sql::PumpInfo& pump = pumps.emplace_back();
        pump.name = wire::text_of(table->name());
        pump.target = wire::text_of(table->target());
        pump.plan = wire::text_of(table->plan());
        pump.is_started = table->is_started();
        if (table->sources() != nullptr)
            for (const auto* source : *table->sources())
                pump.sources.push_back(source->str());
    }
    return pumps;
}

std::vector<sql::OperatorStats> operators_of(
    const flatbuffers::Vector<flatbuffers::Offset<wire::SqlOperator>>& tables) {
    std::vector<sql::OperatorStats> operators;
    for (const auto* table : tables)
        operators.push_back({wire::text_of(table->pump()), wire::text_of(table->name()),
                             table->rows_in(), table->rows_out(), table->batches_in(),
                             table->rows_rejected(), wire::text_of(table->step()),
                             std::chrono::nanoseconds(table->nanoseconds()), table->state_bytes()});
    return operators;
}

ApplicationLine line_of(const wire::SqlApplicationState& state) {
    ApplicationLine line;
    if (const auto* definition = state.definition(); definition != nullptr) {
        line.name = wire::text_of(definition->name());
        line.sql_text = wire::text_of(definition->text());
        line.is_started = definition->is_started();
        if (definition->inputs() != nullptr)
            for (const auto* input : *definition->inputs())
                line.inputs.push_back(
                    {wire::text_of(input->name()), wire::text_of(input->stream())});
        if (definition->outputs() != nullptr)
            for (const auto* output : *definition->outputs())
                line.outputs.push_back({wire::text_of(output->name()),
                                        wire::text_of(output->stream()),
                                        wire::text_of(output->key_column())});
    }
    line.status = wire::text_of(state.status());
    line.message = wire::text_of(state.message());
    line.rows_in = state.rows_in();
    line.rows_out = state.rows_out();
    line.errors = state.errors();
    line.lag_ms = state.lag_ms();
    line.checkpoints = state.checkpoints();
    if (state.pumps() != nullptr) line.pumps = pumps_of(*state.pumps());
    if (state.operators() != nullptr) line.operators = operators_of(*state.operators());
    return line;
}

Error error_at(const wire::SqlErrorPlace& place) {
    return {Errc::InvalidArgument,
            fmt::format("line {}, column {}: {}\n{}", place.line(), place.column(),
                        wire::text_of(place.message()), wire::text_of(place.snippet()))};
}

}  // namespace

Result<std::vector<StreamBinding>> SqlClient::bindings_for(const std::string& sql_text) {
    std::vector<StreamBinding> bindings = bind_;
    const auto tokens = sql::lex(sql_text);
    if (!tokens) return bindings;  // the broker says what is wrong with the text
    ASSIGN(const auto known, streams());
    std::vector<std::string> taken;
    for (const auto& binding : bindings)
        taken.push_back(binding.name);
    for (std::size_t i = 0; i + 1 < tokens->size(); ++i)
        if ((*tokens)[i].is_word("STREAM")) taken.push_back((*tokens)[i + 1].text);
    for (std::size_t i = 0; i + 1 < tokens->size(); ++i) {
        if (!(*tokens)[i].is_word("FROM") && !(*tokens)[i].is_word("JOIN")) continue;
        const auto& name = (*tokens)[i + 1];
        if (!name.is_name() || std::ranges::find(taken, name.text) != taken.end()) continue;
        for (const auto& stream : known) {
            const bool is_same = name.kind == sql::TokenKind::Quoted
                                     ? stream.name == name.text
                                     : upper_case(stream.name) == name.text;
            if (!is_same) continue;
            bindings.push_back({name.text, stream.name});
            taken.push_back(name.text);
            break;
        }
    }
    return bindings;
}

Result<std::uint32_t> SqlClient::ask(const std::string& sql_text,
                                     const std::vector<std::string>& print,
                                     wire::SqlQueryMode mode) {
    ASSIGN(const auto bindings, bindings_for(sql_text));
    FlatBufferBuilder builder;
    const auto inputs = write_inputs(builder, bindings, options_);
    const auto text = builder.CreateString(sql_text);
    const auto names = builder.CreateVectorOfStrings(print);
    builder.Finish(wire::CreateSqlQuery(builder, text, inputs, names, 42, true, mode));
    return connection_.start(kind_of(wire::SqlKind::Query), wire::finished_bytes(builder));
}

Status SqlClient::follow(std::uint32_t id, const IsWanted& is_wanted,
                         const std::function<Result<bool>(const wire::SqlQueryReply*)>& visit) {
    for (;;) {
        if (!is_wanted()) return connection_.give_up(id);
        const auto reply = connection_.next(id, kLook);
        if (!reply && reply.error().code != Errc::Timeout) return std::unexpected(reply.error());
        const wire::SqlQueryReply* answer = nullptr;
        if (reply) {
            ASSIGN(answer, reply->message.read<wire::SqlQueryReply>());
            if (answer->error() != nullptr) return std::unexpected(error_at(*answer->error()));
        }
        ASSIGN(const bool goes_on, visit(answer));
        if (reply && reply->is_last) return {};
        if (!goes_on) return connection_.give_up(id);
    }
}

Result<SqlRunner::Summary> SqlClient::run(const Request& request, std::ostream& out,
                                          const IsWanted& is_wanted) {
    const auto wanted = sql::parse_discover(request.sql_text);
    if (!wanted) return fail(Errc::InvalidArgument, wanted.error().to_string());
    if (*wanted) {
        ASSIGN(const std::string report, discover(**wanted));
        out << report;
        return Summary{};
    }
    std::string text = request.sql_text;
    const auto limit = sql::take_limit(text);
    if (!limit) return fail(Errc::InvalidArgument, limit.error().to_string());
    ASSIGN(const std::uint32_t id, ask(text, request.print, wire::SqlQueryMode::Rows));
    RowPrinter printer(out, request.style, *limit);
    const auto now = [] { return RateLine::Clock::now(); };
    RateLine rate(out, request.style.is_live, request.style.columns, now());
    struct Stream {
        std::string name;
        sql::Schema schema;
    };
    std::vector<Stream> streams;
    const Status followed =
        follow(id, is_wanted, [&](const wire::SqlQueryReply* answer) -> Result<bool> {
            if (answer != nullptr && answer->streams() != nullptr)
                for (const auto* head : *answer->streams()) {
                    ASSIGN(auto schema, schema_of(*head));
                    streams.push_back({wire::text_of(head->name()), std::move(schema)});
                }
            if (answer != nullptr && answer->rows() != nullptr) {
                rate.erase();
                for (const auto* rows : *answer->rows()) {
                    if (rows->stream() >= streams.size())
                        return fail(Errc::Corrupt, "the answer has rows of an unknown stream");
                    const Stream& stream = streams[rows->stream()];
                    ASSIGN(const auto batch, rows_of(stream.schema, *rows));
                    printer.print(stream.name, stream.schema, batch.view());
                }
                out.flush();
            }
            if (!printer.is_full()) rate.show(printer.rows(), now());
            return !printer.is_full() && out.good();
        });
    rate.erase();
    TRY(followed);
    printer.finish();
    out.flush();
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

Result<Explanation> SqlClient::explain(const std::string& sql_text) {
    std::string text = sql_text;
    const auto limit = sql::take_limit(text);
    if (!limit) return fail(Errc::InvalidArgument, limit.error().to_string());
    ASSIGN(const std::uint32_t id, ask(text, {}, wire::SqlQueryMode::Plan));
    Explanation explanation;
    TRY(follow(
        id, [] { return true; },
        [&](const wire::SqlQueryReply* answer) -> Result<bool> {
            if (answer != nullptr && answer->pumps() != nullptr)
                explanation.pumps = pumps_of(*answer->pumps());
            return true;
        }));
    return explanation;
}

Result<Explanation> SqlClient::measure(const std::string& sql_text, const IsWanted& is_wanted,
                                       const std::function<void(const Explanation&)>& on_progress) {
    std::string text = sql_text;
    const auto limit = sql::take_limit(text);
    if (!limit) return fail(Errc::InvalidArgument, limit.error().to_string());
    ASSIGN(const std::uint32_t id, ask(text, {}, wire::SqlQueryMode::Measure));
    Explanation explanation;
    const auto began = std::chrono::steady_clock::now();
    TRY(follow(id, is_wanted, [&](const wire::SqlQueryReply* answer) -> Result<bool> {
        if (answer == nullptr || answer->pumps() == nullptr) return true;
        explanation.pumps = pumps_of(*answer->pumps());
        if (answer->operators() != nullptr)
            explanation.operators = operators_of(*answer->operators());
        explanation.elapsed = std::chrono::steady_clock::now() - began;
        on_progress(explanation);
        return true;
    }));
    return explanation;
}

Result<std::pair<Explanation, Explanation>> SqlClient::explain_application(
    const std::string& name) {
    const auto began = std::chrono::steady_clock::now();
    const auto look = [&]() -> Result<Explanation> {
        ASSIGN(auto line, describe_application(name));
        if (line.pumps.empty())
            return fail(Errc::ResourceInUse,
                        fmt::format("{} is {}{}; only a running application can be explained", name,
                                    line.status, line.message.empty() ? "" : ": " + line.message));
        return Explanation{std::move(line.pumps), std::move(line.operators),
                           std::chrono::steady_clock::now() - began};
    };
    ASSIGN(auto before, look());
    std::this_thread::sleep_for(std::chrono::seconds(1));
    ASSIGN(auto after, look());
    return std::pair{std::move(after), std::move(before)};
}

Result<std::vector<KnownStream>> SqlClient::streams() {
    FlatBufferBuilder builder;
    builder.Finish(wire::CreateListStreamsRequest(builder));
    ASSIGN(const auto reply,
           connection_.call(wire::Kind::ListStreams, wire::finished_bytes(builder)));
    ASSIGN(const auto* list, reply.message.read<wire::ListStreamsReply>());
    std::vector<KnownStream> streams;
    for (const auto& binding : bind_)
        streams.push_back({binding.name, "stream " + binding.stream, {}});
    if (list->streams() != nullptr)
        for (const auto* stream : *list->streams())
            streams.push_back({wire::text_of(stream->name()),
                               fmt::format("the broker, {}, {} open {}",
                                           wire::text_of(stream->status()), stream->open_shards(),
                                           stream->open_shards() == 1 ? "shard" : "shards"),
                               {}});
    return streams;
}

Result<sql::Schema> SqlClient::columns_of(const std::string& sql_text, const std::string& stream) {
    const std::string text = sql_text + "SELECT * FROM " + sql::print_name(stream) + ";";
    ASSIGN(const std::uint32_t id, ask(text, {}, wire::SqlQueryMode::Plan));
    sql::Schema schema;
    TRY(follow(
        id, [] { return true; },
        [&](const wire::SqlQueryReply* answer) -> Result<bool> {
            if (answer != nullptr && answer->streams() != nullptr &&
                answer->streams()->size() > 0) {
                ASSIGN(schema, schema_of(*answer->streams()->Get(0)));
            }
            return true;
        }));
    return schema;
}

void SqlClient::bind(const std::string& name, const std::string& target) {
    const auto old = std::ranges::find(bind_, name, &StreamBinding::name);
    if (old != bind_.end())
        old->stream = target;
    else
        bind_.push_back({name, target});
}

Result<client::BrokerReply> SqlClient::send_application(std::uint8_t kind,
                                                        const NewApplication& application) {
    FlatBufferBuilder builder;
    std::vector<Offset<wire::SqlOutput>> outputs;
    for (const auto& output : application.outputs)
        outputs.push_back(wire::CreateSqlOutput(builder, builder.CreateString(output.name),
                                                builder.CreateString(output.stream),
                                                builder.CreateString(output.key_column)));
    const auto inputs = write_inputs(builder, application.inputs, application.input_options);
    const auto name = builder.CreateString(application.name);
    const auto text = builder.CreateString(application.sql_text);
    const auto all_outputs = builder.CreateVector(outputs);
    builder.Finish(wire::CreateSqlApplication(builder, name, text, inputs, all_outputs, 42, true,
                                              application.is_started));
    return connection_.call(static_cast<wire::Kind>(kind), wire::finished_bytes(builder));
}

Status SqlClient::create_application(const NewApplication& application) {
    const auto reply =
        send_application(static_cast<std::uint8_t>(wire::SqlKind::CreateApplication), application);
    return reply ? Status{} : std::unexpected(reply.error());
}

Result<std::vector<std::string>> SqlClient::replace_application(const NewApplication& application) {
    ASSIGN(const auto reply,
           send_application(static_cast<std::uint8_t>(wire::SqlKind::ReplaceApplication),
                            application));
    ASSIGN(const auto* list, reply.message.read<wire::SqlApplicationList>());
    std::vector<std::string> notes;
    if (list->notes() != nullptr)
        for (const auto* note : *list->notes())
            notes.push_back(note->str());
    return notes;
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
        for (const auto* state : *list->applications())
            lines.push_back(line_of(*state));
    return lines;
}

Result<ApplicationLine> SqlClient::describe_application(const std::string& name) {
    FlatBufferBuilder builder;
    const auto text = builder.CreateString(name);
    builder.Finish(wire::CreateSqlApplicationName(builder, text));
    ASSIGN(const auto reply, connection_.call(kind_of(wire::SqlKind::DescribeApplication),
                                              wire::finished_bytes(builder)));
    ASSIGN(const auto* list, reply.message.read<wire::SqlApplicationList>());
    if (list->applications() == nullptr || list->applications()->size() != 1)
        return fail(Errc::Corrupt, "the answer describes no application");
    return line_of(*list->applications()->Get(0));
}

}  // namespace tidemill::console
