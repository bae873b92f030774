#include "console/repl/local_sql.h"

#include <algorithm>
#include <ostream>

#include <fmt/format.h>

#include "console/repl/row_printer.h"
#include "console/repl/schema_report.h"
#include "operators/connect/file_source.h"
#include "operators/exec/external_streams.h"
#include "operators/plan/bare_select.h"
#include "operators/plan/bind_statements.h"

namespace tidemill::console {

Result<std::vector<sql::CatalogStream>> LocalSql::inputs() const {
    std::vector<sql::CatalogStream> inputs;
    for (const auto& binding : bind_) {
        ASSIGN(const auto source, sql::open_file_source({binding.file, rowtime_column_}));
        inputs.push_back({binding.stream, source->schema(), true});
    }
    return inputs;
}

Result<std::vector<sql::CatalogTable>> LocalSql::tables(const std::string& sql_text) const {
    // Only what stands before a bare SELECT can be taken apart here; its errors show later.
    const auto end = sql::find_bare_select(sql_text).value_or(sql_text.size());
    const auto declared = sql::external_streams(std::string_view(sql_text).substr(0, end));
    std::vector<sql::CatalogTable> tables;
    for (const auto& binding : tables_) {
        ASSIGN(const auto table, sql::read_table({binding.stream, binding.file}));
        tables.push_back({binding.stream, table.schema});
    }
    if (!declared) return tables;
    for (const auto& file : declared->tables) {
        if (std::ranges::find(tables_, file.name, &sql::FileBinding::stream) != tables_.end())
            continue;
        ASSIGN(const auto table, sql::read_table(file));
        tables.push_back({file.name, table.schema});
    }
    return tables;
}

Result<std::optional<std::uint64_t>> LocalSql::prepare(sql::LocalRunOptions& options) const {
    options.bind = bind_;
    options.tables = tables_;
    options.rowtime_column = rowtime_column_;
    const auto limit = sql::take_limit(options.sql_text);
    if (!limit) return fail(Errc::InvalidArgument, limit.error().to_string());
    if (sql::find_bare_select(options.sql_text)) {
        ASSIGN(const auto known, inputs());
        ASSIGN(const auto known_tables, tables(options.sql_text));
        auto expanded = sql::expand_bare_select(options.sql_text, known, known_tables);
        if (!expanded) return fail(Errc::InvalidArgument, expanded.error().to_string());
        options.sql_text = std::move(*expanded);
        options.print.emplace_back(sql::kBareSelectStream);
    }
    return *limit;
}

Result<SqlRunner::Summary> LocalSql::run(const Request& request, std::ostream& out,
                                         const IsWanted& is_wanted) {
    const auto discovery = sql::parse_discover(request.sql_text);
    if (!discovery) return fail(Errc::InvalidArgument, discovery.error().to_string());
    if (*discovery) {
        if (!(*discovery)->is_file)
            return fail(Errc::InvalidArgument,
                        "--local knows no streams: DISCOVER SCHEMA FROM FILE 'path'");
        ASSIGN(const std::string report, file_schema_report(**discovery));
        out << report;
        return Summary{};
    }
    sql::LocalRunOptions options;
    options.sql_text = request.sql_text;
    options.print = request.print;
    options.format = request.style.format;
    ASSIGN(const auto limit, prepare(options));
    RowPrinter printer(out, request.style, limit);
    options.is_wanted = [&] { return is_wanted() && !printer.is_full(); };
    // Tables are for people, who may be many rows ahead of the end; the rest waits for nothing.
    if (request.style.format == sql::PrintFormat::Table || limit)
        options.on_rows = [&](const std::string& stream, const sql::Schema& schema,
                              const sql::Batch& batch) {
            if (is_wanted()) printer.print(stream, schema, batch);
        };
    ASSIGN(auto summary, sql::run_local(options, out));
    printer.finish();
    out.flush();
    if (!out) return fail(Errc::IoFailed, "the rows could not be printed");
    const auto rows = options.on_rows ? printer.rows() : summary.rows_printed;
    return Summary{rows, summary.errors, std::move(summary.error_messages)};
}

Result<Explanation> LocalSql::explain(const std::string& sql_text) {
    sql::LocalRunOptions options;
    options.sql_text = sql_text;
    options.mode = sql::LocalRunOptions::Mode::Plan;
    TRY(prepare(options));
    std::ostream nowhere(nullptr);
    ASSIGN(auto summary, sql::run_local(options, nowhere));
    return Explanation{std::move(summary.pumps), {}, {}};
}

Result<Explanation> LocalSql::measure(const std::string& sql_text, const IsWanted& is_wanted,
                                      const std::function<void(const Explanation&)>&) {
    sql::LocalRunOptions options;
    options.sql_text = sql_text;
    options.mode = sql::LocalRunOptions::Mode::Measure;
    options.is_wanted = is_wanted;
    TRY(prepare(options));
    class : public std::streambuf {
        int_type overflow(int_type c) override { return traits_type::not_eof(c); }
    } nothing;
    std::ostream nowhere(&nothing);
    const auto began = std::chrono::steady_clock::now();
    ASSIGN(auto summary, sql::run_local(options, nowhere));
    return Explanation{std::move(summary.pumps), std::move(summary.operators),
                       std::chrono::steady_clock::now() - began};
}

Result<std::pair<Explanation, Explanation>> LocalSql::explain_application(const std::string& name) {
    return fail(Errc::Unsupported,
                "Applications run in a broker; start without --local to explain " + name + ".");
}

Result<std::vector<KnownStream>> LocalSql::streams() {
    std::vector<KnownStream> streams;
    for (const auto& binding : bind_) {
        ASSIGN(const auto source, sql::open_file_source({binding.file, rowtime_column_}));
        streams.push_back({binding.stream, binding.file, source->schema()});
    }
    return streams;
}

Result<sql::Schema> LocalSql::columns_of(const std::string& sql_text, const std::string& stream) {
    ASSIGN(const auto known, inputs());
    ASSIGN(const auto known_tables, tables(sql_text));
    const auto plan = sql::plan_application(sql_text, known, known_tables);
    if (!plan) return fail(Errc::InvalidArgument, plan.error().to_string());
    const auto place = plan->catalog.find(stream);
    if (!place) return fail(Errc::NotFound, "There is no stream " + stream + ".");
    return plan->catalog.streams[*place].schema;
}

void LocalSql::bind(const std::string& name, const std::string& target) {
    const auto old = std::ranges::find(bind_, name, &sql::FileBinding::stream);
    if (old != bind_.end())
        old->file = target;
    else
        bind_.push_back({name, target});
}

}  // namespace tidemill::console
