#include "console/repl/local_sql.h"

#include <ostream>
#include <streambuf>

#include <fmt/format.h>

#include "console/repl/schema_report.h"
#include "console/repl/text_table.h"
#include "operators/connect/file_source.h"
#include "operators/plan/bare_select.h"

namespace tidemill::console {
namespace {

/// Thrown through the run when the person does not want its rows any more.
struct Interrupted {};

/// Hands text on, as long as it is wanted.
class WantedBuffer final : public std::streambuf {
 public:
    WantedBuffer(std::ostream& out, const std::function<bool()>& is_wanted)
        : out_(out), is_wanted_(is_wanted) {}

 private:
    int_type overflow(int_type c) override {
        const char text = traits_type::to_char_type(c);
        return xsputn(&text, 1) == 1 ? c : traits_type::eof();
    }
    std::streamsize xsputn(const char* text, std::streamsize size) override {
        if (!is_wanted_()) throw Interrupted{};
        out_.write(text, size);
        return size;
    }
    int sync() override {
        out_.flush();
        return 0;
    }

    std::ostream& out_;
    const std::function<bool()>& is_wanted_;
};

}  // namespace

Result<SqlRunner::Summary> LocalSql::run(const std::string& sql_text,
                                         const std::vector<std::string>& print,
                                         sql::PrintFormat format, std::ostream& out,
                                         const std::function<bool()>& is_wanted) {
    const auto discovery = sql::parse_discover(sql_text);
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
    options.sql_text = sql_text;
    options.bind = bind_;
    options.rowtime_column = rowtime_column_;
    options.print = print;
    options.format = format;
    if (sql::find_bare_select(sql_text)) {
        std::vector<sql::CatalogStream> inputs;
        for (const auto& binding : bind_) {
            ASSIGN(const auto source, sql::open_file_source({binding.file, rowtime_column_}));
            inputs.push_back({binding.stream, source->schema(), true});
        }
        auto expanded = sql::expand_bare_select(sql_text, inputs);
        if (!expanded) return fail(Errc::InvalidArgument, expanded.error().to_string());
        options.sql_text = std::move(*expanded);
        options.print.emplace_back(sql::kBareSelectStream);
    }
    WantedBuffer buffer(out, is_wanted);
    std::ostream wanted(&buffer);
    wanted.exceptions(std::ios::badbit);
    try {
        ASSIGN(auto summary, sql::run_local(options, wanted));
        wanted.flush();
        return Summary{summary.rows_printed, summary.errors, std::move(summary.error_messages)};
    } catch (const Interrupted&) {
        return Summary{};
    }
}

Result<std::string> LocalSql::describe_streams() {
    TextTable table({"stream", "column", "type", "file"});
    for (const auto& binding : bind_) {
        ASSIGN(const auto source, sql::open_file_source({binding.file, rowtime_column_}));
        std::string stream = binding.stream, file = binding.file;
        for (const auto& field : source->schema().fields) {
            table.add({stream, "\"" + field.name + "\"", field.type.to_string(), file});
            stream.clear(), file.clear();
        }
    }
    return table.is_empty() ? "No file is bound. Start with --bind NAME=FILE.\n"
                            : table.to_string();
}

}  // namespace tidemill::console
