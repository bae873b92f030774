#include <atomic>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <sstream>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "console/commands/application_view.h"
#include "console/commands/command.h"
#include "console/commands/output.h"
#include "console/commands/redraw.h"
#include "console/repl/line_reader.h"
#include "console/repl/local_sql.h"
#include "console/repl/row_printer.h"
#include "console/repl/sql_client.h"
#include "console/repl/sql_shell.h"
#include "operators/plan/bare_select.h"

namespace tidemill::console {
namespace {

struct Options {
    std::string connect;
    bool is_local = false;
    std::string file, text;
    std::vector<std::string> bind, tables, print;
    std::string rowtime, format, input_format = "json", from = "now";
};

/// Whether Ctrl-C came since the last query began.
std::atomic<bool> interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free);

void note_interrupt(int) { interrupted = true; }

void catch_interrupts() {
    struct sigaction action{};
    action.sa_handler = note_interrupt;
    ::sigaction(SIGINT, &action, nullptr);
    ::sigaction(SIGTERM, &action, nullptr);
}

int usage(const std::string& message) {
    report(message);
    return kExitUsage;
}

struct NameAndTarget {
    std::string name, target;
};

/// NAME=TARGET
std::optional<std::vector<NameAndTarget>> split_bindings(const std::vector<std::string>& given) {
    std::vector<NameAndTarget> bindings;
    for (const auto& text : given) {
        const auto at = text.find('=');
        if (at == std::string::npos || at == 0 || at + 1 == text.size()) return std::nullopt;
        bindings.push_back({text.substr(0, at), text.substr(at + 1)});
    }
    return bindings;
}

Result<std::string> read_text(const Options& options) {
    if (!options.text.empty()) return options.text;
    if (options.file.empty() || options.file == "-")
        return std::string(std::istreambuf_iterator<char>(std::cin), {});
    std::ifstream in(options.file, std::ios::binary);
    if (!in) return fail(Errc::NotFound, "cannot read " + options.file);
    std::ostringstream text;
    text << in.rdbuf();
    return std::move(text).str();
}

std::vector<sql::FileBinding> to_files(const std::vector<NameAndTarget>& bindings) {
    std::vector<sql::FileBinding> files;
    for (const auto& binding : bindings)
        files.push_back({binding.name, binding.target});
    return files;
}

std::unique_ptr<SqlRunner> make_runner(const Options& options,
                                       const std::vector<NameAndTarget>& bindings,
                                       const std::vector<NameAndTarget>& tables) {
    if (options.is_local)
        return std::make_unique<LocalSql>(to_files(bindings), to_files(tables), options.rowtime);
    auto endpoint =
        client::Endpoint::parse(options.connect.empty() ? default_endpoint() : options.connect);
    if (!endpoint) {
        report(endpoint.error().message);
        return nullptr;
    }
    std::vector<StreamBinding> streams;
    for (const auto& binding : bindings)
        streams.push_back({binding.name, binding.target});
    StreamInputOptions input;
    input.format = options.input_format == "csv" ? sql::RecordFormat::Csv : sql::RecordFormat::Json;
    input.rowtime_column = options.rowtime;
    input.from_oldest = options.from == "oldest" || options.from == "earliest";
    return std::make_unique<SqlClient>(std::move(*endpoint), std::move(streams), std::move(input));
}

PrintStyle style_of(const Options& options) {
    const bool is_terminal = stdout_is_terminal();
    PrintStyle style;
    style.format = options.format.empty()
                       ? (is_terminal ? sql::PrintFormat::Table : sql::PrintFormat::Csv)
                       : *parse_print_format(options.format);
    style.is_live = is_terminal;
    if (is_terminal) style.columns = screen_size().columns;
    if (is_terminal) style.expanded = Expanded::Auto;
    return style;
}

/// Whether the text has something to show before its end: EXPLAIN, or a SELECT that others follow.
bool has_steps(const std::string& text) {
    StatementSplitter splitter;
    splitter.add_line(text);
    bool found = false, was_select = false;
    const auto look = [&](const std::string& statement) {
        found |= was_select || read_explain(statement).value_or(std::nullopt).has_value();
        was_select = sql::find_bare_select(statement).has_value();
    };
    while (const auto statement = splitter.next())
        look(*statement);
    if (const auto rest = splitter.take_rest(); !rest.empty()) look(rest);
    return found;
}

/// Each statement in its turn, as if it were typed.
int run_steps(SqlRunner& runner, const std::string& text, const PrintStyle& style) {
    SqlShell::Options shell_options;
    shell_options.style = style;
    shell_options.is_interrupted = [] { return interrupted.load(); };
    shell_options.columns = [columns = style.columns] { return columns; };
    shell_options.is_script = true;
    SqlShell shell(runner, std::cout, std::move(shell_options));
    shell.handle_line(text);
    shell.handle_line(";");
    std::cout.flush();
    return shell.has_failed() ? kExitFailed : kExitOk;
}

int run_script(SqlRunner& runner, const Options& options) {
    const auto text = read_text(options);
    if (!text) return report(text.error().message);
    if (has_steps(*text)) return run_steps(runner, *text, style_of(options));
    const auto summary = runner.run({*text, options.print, style_of(options)}, std::cout,
                                    [] { return !interrupted; });
    std::cout.flush();
    if (!summary) return report(summary.error().message);
    for (const auto& message : summary->messages)
        std::fprintf(stderr, "refused: %s\n", message.c_str());
    if (summary->errors != 0)
        std::fprintf(stderr, "%llu rows in error_stream\n",
                     static_cast<unsigned long long>(summary->errors));
    return kExitOk;
}

int run_shell(SqlRunner& runner, const Options& options) {
    LineReader reader(default_history_file());
    Redraw screen;
    SqlShell::Options shell_options;
    shell_options.style = style_of(options);
    shell_options.print = options.print;
    shell_options.is_interrupted = [] { return interrupted.load(); };
    shell_options.columns = [] { return stdout_is_terminal() ? screen_size().columns : 0; };
    if (stdout_is_terminal())
        shell_options.redraw = [&screen](const std::string& text) {
            std::cout.flush();
            screen.show(text);
            if (text.empty()) screen.keep();
        };
    if (auto* client = dynamic_cast<SqlClient*>(&runner); client != nullptr)
        shell_options.applications = [client] { return application_table(*client); };
    SqlShell shell(runner, std::cout, std::move(shell_options));
    reader.set_completion([&shell](const std::string& line, std::size_t word_begin) {
        return shell.complete(line, word_begin);
    });
    std::cout << "Tidemill SQL. \\? for help, \\q to leave.\n" << std::flush;
    for (;;) {
        interrupted = false;
        const auto line = reader.read(shell.prompt());
        if (!line && interrupted) {
            shell.interrupt();
            continue;
        }
        interrupted = false;
        if (!line || !shell.handle_line(*line)) break;
        std::cout.flush();
    }
    std::cout << std::endl;
    return kExitOk;
}

int run_sql(const Options& options) {
    const auto bindings = split_bindings(options.bind);
    if (!bindings) return usage("--bind needs NAME=FILE or NAME=STREAM");
    const auto tables = split_bindings(options.tables);
    if (!tables) return usage("--table needs NAME=FILE");
    if (!tables->empty() && !options.is_local)
        return usage(
            "--table goes with --local; CREATE TABLE ... WITH (file = '...') with a broker");
    const bool is_script =
        !options.file.empty() || !options.text.empty() || ::isatty(STDIN_FILENO) == 0;
    const auto runner = make_runner(options, *bindings, *tables);
    if (!runner) return kExitUsage;
    catch_interrupts();
    return is_script ? run_script(*runner, options) : run_shell(*runner, options);
}

}  // namespace

void add_sql_command(CLI::App& app, Run& run) {
    auto options = std::make_shared<Options>();
    auto* sql = app.add_subcommand("sql", "Run SQL over streams of a broker, or over files");
    auto* local = sql->add_flag("--local", options->is_local, "Over files, without a broker");
    sql->add_option("--connect", options->connect, "The broker, HOST:PORT")->excludes(local);
    auto* file = sql->add_option("-f,--file", options->file, "SQL from this file, - for stdin");
    sql->add_option("-c,--command", options->text, "SQL text")->excludes(file);
    sql->add_option("--bind", options->bind,
                    "NAME=FILE or NAME=STREAM: where rows of an input stream come from");
    sql->add_option("--table", options->tables,
                    "NAME=FILE: where rows of a reference table come from (with --local)");
    sql->add_option("--rowtime", options->rowtime,
                    "Column that ROWTIME is taken from (default: arrival)");
    sql->add_option("--print", options->print, "Stream to print (default: all that nothing reads)");
    sql->add_option("--format", options->format,
                    "table, csv or json, an object a line (default: table on a terminal, else csv)")
        ->check(CLI::IsMember({"table", "csv", "json", "jsonl"}));
    sql->add_option("--input-format", options->input_format, "How a stream's records are read")
        ->check(CLI::IsMember({"json", "csv"}))
        ->capture_default_str();
    sql->add_option("--from", options->from,
                    "Where reading a stream begins: now or oldest, also called latest and earliest")
        ->check(CLI::IsMember({"now", "oldest", "latest", "earliest"}))
        ->capture_default_str();
    sql->callback([&run, options] { run = [options] { return run_sql(*options); }; });
}

}  // namespace tidemill::console
