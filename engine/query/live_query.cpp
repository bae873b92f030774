#include "engine/query/live_query.h"

#include <algorithm>
#include <deque>
#include <memory>

#include "engine/query/application_feed.h"
#include "engine/query/sql_tables.h"
#include "engine/query/table_loader.h"
#include "engine/reactor/signal.h"
#include "operators/exec/application.h"
#include "operators/exec/external_streams.h"
#include "operators/plan/bare_select.h"
#include "proto/native_table.h"

namespace tidemill::query {
namespace {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;

constexpr std::chrono::seconds kMeasureEvery{1};

/// Rows of one stream that wait to be sent.
struct Waiting {
    std::uint32_t stream;
    sql::RowBatch rows;
};

void send_sql_error(QueryReply& reply, const sql::SqlError& error) {
    FlatBufferBuilder builder;
    const auto place =
        wire::CreateSqlErrorPlace(builder, builder.CreateString(error.message), error.line,
                                  error.column, builder.CreateString(error.snippet));
    builder.Finish(wire::CreateSqlQueryReply(builder, place));
    reply.send(wire::finished_bytes(builder), true);
}

Offset<wire::SqlColumn> write_column(FlatBufferBuilder& builder, const sql::Column& column,
                                     std::size_t rows) {
    Offset<flatbuffers::Vector<std::int64_t>> slots;
    Offset<flatbuffers::Vector<Offset<flatbuffers::String>>> texts;
    Offset<flatbuffers::Vector<std::uint8_t>> nulls;
    if (column.type().storage() == sql::Storage::Text) {
        std::vector<Offset<flatbuffers::String>> all;
        for (std::size_t row = 0; row < rows; ++row)
            all.push_back(builder.CreateString(column.is_null(row) ? "" : column.text_at(row)));
        texts = builder.CreateVector(all);
    } else {
        slots = builder.CreateVector(column.slots(), rows);
    }
    if (column.has_nulls()) {
        std::vector<std::uint8_t> flags(rows);
        for (std::size_t row = 0; row < rows; ++row)
            flags[row] = column.is_null(row) ? 1 : 0;
        nulls = builder.CreateVector(flags);
    }
    return wire::CreateSqlColumn(builder, slots, texts, nulls);
}

void send_rows(QueryReply& reply, const Waiting& waiting) {
    FlatBufferBuilder builder;
    const std::size_t count = waiting.rows.size();
    std::vector<Offset<wire::SqlColumn>> columns;
    for (const auto& column : waiting.rows.columns)
        columns.push_back(write_column(builder, column, count));
    const auto rowtime = builder.CreateVector(waiting.rows.rowtime.slots(), count);
    const auto rows =
        wire::CreateSqlRows(builder, waiting.stream, rowtime, builder.CreateVector(columns));
    const auto all = builder.CreateVector(&rows, 1);
    builder.Finish(wire::CreateSqlQueryReply(builder, 0, 0, all));
    reply.send(wire::finished_bytes(builder), false);
}

class LiveQuery {
 public:
    LiveQuery(StreamService& service, Reactor& reactor, const QueryLimits& limits,
              LiveQueryRequest request, QueryReply& reply)
        : reactor_(reactor),
          limits_(limits),
          request_(std::move(request)),
          reply_(reply),
          feed_(service, reactor, limits, request_.inputs, hidden_fields_in(request_.sql_text)),
          tables_(reactor, limits) {}

    Task<void> run() {
        const Status status = co_await open_and_send();
        co_await feed_.stop();
        if (!status && status.error().code != Errc::Cancelled)
            reply_.send_error(status.error());
        else if (!is_refused_)
            end();
    }

 private:
    Task<Status> open_and_send() {
        CO_TRY(check_sql_text(request_.sql_text));
        CO_TRY(check_inputs(request_.inputs));
        const bool may_wait = request_.mode != wire::SqlQueryMode::Plan;
        CO_TRY(co_await feed_.open({}, may_wait, [this] { return reply_.is_wanted(); }));
        sql::ApplicationOptions options;
        options.seed = request_.seed;
        options.is_kda_score = request_.is_kda_score;
        // A text that cannot be parsed has its error from the compiler.
        const auto bare = sql::find_bare_select(request_.sql_text);
        const auto before =
            std::string_view(request_.sql_text).substr(0, bare.value_or(request_.sql_text.size()));
        if (sql::external_streams(before)) CO_TRY(co_await tables_.open(before));
        options.tables = tables_.tables();
        auto compiled = compile(options);
        if (!compiled) {
            is_refused_ = true;
            send_sql_error(reply_, compiled.error());
            co_return Status{};
        }
        application_ = std::move(*compiled);
        CO_TRY(subscribe());
        CO_TRY(tables_.fill(*application_));
        if (request_.mode == wire::SqlQueryMode::Plan) {
            send_operators(false);
            co_return Status{};
        }
        if (request_.mode == wire::SqlQueryMode::Measure) application_->measure_time();
        CO_TRY(co_await feed_.start(*application_, nullptr));
        feed_.release();
        while (request_.mode == wire::SqlQueryMode::Measure && reply_.is_wanted()) {
            send_operators(true);
            co_await reply_.wait_for_room();
            const auto until = reactor_.clock().mono_now() + kMeasureEvery;
            while (reply_.is_wanted() && reactor_.clock().mono_now() < until)
                co_await arrived_.wait_until(
                    std::min(until, reactor_.clock().mono_now() + limits_.idle_tick));
        }
        while (reply_.is_wanted()) {
            while (!waiting_.empty() && reply_.is_wanted()) {
                const Waiting rows = std::move(waiting_.front());
                waiting_.pop_front();
                send_rows(reply_, rows);
                feed_.take_pending(rows.rows.size());
                co_await reply_.wait_for_room();
            }
            if (waiting_.empty())
                co_await arrived_.wait_until(reactor_.clock().mono_now() + limits_.idle_tick);
        }
        co_return Status{};
    }

    /// A bare SELECT at the end of the text becomes a stream of its own, printed by itself.
    sql::SqlResult<std::unique_ptr<sql::Application>> compile(
        const sql::ApplicationOptions& options) {
        const auto inputs = feed_.input_streams();
        std::vector<sql::CatalogStream> catalog;
        for (const auto& input : inputs)
            catalog.push_back({input.name, input.schema, true});
        if (sql::find_bare_select(request_.sql_text)) {
            std::vector<sql::CatalogTable> tables;
            for (const auto& table : options.tables)
                tables.push_back({table.name, table.schema});
            auto text = sql::expand_bare_select(request_.sql_text, catalog, tables);
            if (!text) return std::unexpected(text.error());
            request_.sql_text = std::move(*text);
            request_.print.emplace_back(sql::kBareSelectStream);
        }
        return sql::Application::compile(request_.sql_text, inputs, options);
    }

    /// Sends the heads of the printed streams and keeps their rows from now on.
    Status subscribe() {
        if (request_.print.empty()) request_.print = ends();
        FlatBufferBuilder builder;
        std::vector<Offset<wire::SqlStreamHead>> heads;
        for (std::uint32_t i = 0; i < request_.print.size(); ++i) {
            ASSIGN(const auto stream, application_->find_stream(request_.print[i]));
            const sql::Schema& schema = application_->schema(stream);
            const auto name = builder.CreateString(request_.print[i]);
            heads.push_back(
                wire::CreateSqlStreamHead(builder, name, write_fields(builder, schema)));
            if (request_.mode != wire::SqlQueryMode::Rows) continue;
            application_->subscribe(
                stream, [this, i, &schema](const sql::Batch& batch) { keep(i, schema, batch); });
        }
        const auto streams = builder.CreateVector(heads);
        builder.Finish(wire::CreateSqlQueryReply(builder, 0, streams));
        reply_.send(wire::finished_bytes(builder), false);
        return {};
    }

    /// The streams that pumps write to and none reads.
    std::vector<std::string> ends() const {
        std::vector<std::string> names;
        const auto pumps = application_->pumps();
        for (const auto& pump : pumps) {
            const auto reads = [&](const sql::PumpInfo& other) {
                return std::ranges::find(other.sources, pump.target) != other.sources.end();
            };
            if (std::ranges::none_of(pumps, reads) &&
                std::ranges::find(names, pump.target) == names.end())
                names.push_back(pump.target);
        }
        return names;
    }

    void keep(std::uint32_t stream, const sql::Schema& schema, const sql::Batch& batch) {
        feed_.add_pending(batch.size());
        batch.selection.for_each([&](std::size_t row) {
            if (waiting_.empty() || waiting_.back().stream != stream ||
                waiting_.back().rows.size() >= limits_.live_rows_per_frame)
                waiting_.push_back({stream, sql::RowBatch(schema)});
            waiting_.back().rows.append_row(batch, row);
        });
        arrived_.notify_all();
    }

    /// The pumps, and what their operators have done so far.
    void send_operators(bool is_measured) {
        FlatBufferBuilder builder;
        const auto pumps = write_pumps(builder, application_->pumps());
        const auto operators =
            is_measured ? write_operators(builder, application_->stats_with_state()) : 0;
        wire::SqlQueryReplyBuilder table(builder);
        table.add_pumps(pumps);
        if (is_measured) table.add_operators(operators);
        builder.Finish(table.Finish());
        reply_.send(wire::finished_bytes(builder), false);
    }

    void end() {
        FlatBufferBuilder builder;
        builder.Finish(wire::CreateSqlQueryReply(builder));
        reply_.send(wire::finished_bytes(builder), true);
    }

    Reactor& reactor_;
    const QueryLimits& limits_;
    LiveQueryRequest request_;
    QueryReply& reply_;
    ApplicationFeed feed_;
    TableLoader tables_;
    std::unique_ptr<sql::Application> application_;
    std::deque<Waiting> waiting_;
    Signal arrived_;
    bool is_refused_ = false;
};

}  // namespace

Task<void> run_live_query(StreamService& service, Reactor& reactor, const QueryLimits& limits,
                          LiveQueryRequest request, QueryReply& reply) {
    // The text before a bare SELECT may declare inputs of its own.
    const auto select = sql::find_bare_select(request.sql_text);
    if (const Status declared = add_declared_inputs(
            request.sql_text.substr(0, select.value_or(std::string::npos)), request.inputs);
        !declared) {
        reply.send_error(declared.error());
        co_return;
    }
    LiveQuery query(service, reactor, limits, std::move(request), reply);
    co_await query.run();
}

}  // namespace tidemill::query
