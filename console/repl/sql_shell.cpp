#include "console/repl/sql_shell.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <fstream>
#include <ostream>

#include <fmt/format.h>

#include "console/repl/rate_line.h"
#include "console/repl/row_printer.h"
#include "console/repl/syntax_help.h"
#include "console/repl/text_table.h"
#include "operators/expr/function.h"
#include "operators/plan/bare_select.h"
#include "operators/sql/discover_parser.h"
#include "operators/sql/nearest_name.h"
#include "operators/sql/parser.h"
#include "operators/sql/printer.h"

namespace tidemill::console {
namespace {

constexpr int kMaxIncludes = 8;

constexpr std::string_view kHelp =
    "Statements end with a semicolon. CREATE STREAM and CREATE PUMP are kept for this session;\n"
    "SELECT ... [LIMIT n] runs them and prints its rows until Ctrl-C. EXPLAIN shows how.\n"
    "  \\d [NAME]           streams and pumps; the columns of a stream, the plan of a pump\n"
    "  \\df [PATTERN]       functions\n"
    "  \\h [NAME]           syntax of a statement, arguments of a function\n"
    "  \\l                  the session's statements; \\w FILE writes them, \\i FILE runs a file\n"
    "  \\run                run the session and print the streams that nothing reads\n"
    "  \\clear              forget the session's statements\n"
    "  \\bind NAME=TARGET   read TARGET, a stream of the broker or a file, as NAME\n"
    "  \\from earliest      read streams from their first record; latest: from now on\n"
    "  \\apps               applications of the broker\n"
    "  \\format table       how rows are printed: table, csv or json\n"
    "  \\x [on|off|auto]    a line for each column instead of each row\n"
    "  \\timing             say how long each query took\n"
    "  \\q                  leave\n";

std::string_view trim(std::string_view text) {
    const auto begin = text.find_first_not_of(" \t\r\n");
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

std::string upper(std::string_view text) {
    std::string result(text);
    for (char& c : result)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    return result;
}

/// A name as SQL reads it: quoted as it stands, else folded.
std::vector<std::string> readings(std::string_view name) {
    if (name.size() > 2 && name.front() == '"' && name.back() == '"')
        return {std::string(name.substr(1, name.size() - 2))};
    return {std::string(name), upper(name)};
}

}  // namespace

std::string relocated(const std::string& message, std::string_view prefix) {
    constexpr std::string_view kLine = "line ";
    const auto before = static_cast<std::uint32_t>(std::ranges::count(prefix, '\n'));
    if (before == 0 || !message.starts_with(kLine)) return message;
    std::uint32_t line = 0;
    const char* end = message.data() + message.size();
    const auto read = std::from_chars(message.data() + kLine.size(), end, line);
    if (read.ec != std::errc() || line <= before) return message;
    return std::string(kLine) + std::to_string(line - before) + std::string(read.ptr, end);
}

std::string SqlShell::prompt() const {
    using Inside = StatementSplitter::Inside;
    switch (splitter_.inside()) {
        case Inside::Nothing:
            return "tidemill> ";
        case Inside::Statement:
            return "       -> ";
        case Inside::Text:
            return "       '> ";
        case Inside::Name:
            return "       \"> ";
        case Inside::Comment:
            return "       *> ";
    }
    return "> ";
}

void SqlShell::interrupt() {
    splitter_.clear();
    typed_.clear();
    out_ << "\n";
}

void SqlShell::failed(const std::string& message) {
    has_failed_ = true;
    out_ << "error: " << message << (message.ends_with('\n') ? "" : "\n");
}

bool SqlShell::handle_line(std::string_view line) {
    if (splitter_.inside() == StatementSplitter::Inside::Nothing) {
        if (trim(line).starts_with('\\')) return command(trim(line));
        typed_.clear();
        const std::string word = upper(trim(line));
        if (word == "QUIT" || word == "EXIT" || word == "QUIT;" || word == "EXIT;") return false;
        if (word == "HELP" || word == "HELP;") return command("\\?");
    }
    typed_ += std::string(line) + "\n";
    splitter_.add_line(line);
    while (auto text = splitter_.next())
        statement(*text);
    return true;
}

bool SqlShell::command(std::string_view line) {
    const auto blank = line.find_first_of(" \t");
    const std::string_view name = line.substr(0, blank);
    std::string_view given = blank == std::string_view::npos ? "" : trim(line.substr(blank));
    if (given.ends_with(';')) given = trim(given.substr(0, given.size() - 1));
    const std::string argument(given);
    if (name == "\\q" || name == "\\quit") return false;
    if (name == "\\?" || name == "\\help") {
        out_ << kHelp;
    } else if (name == "\\h") {
        out_ << syntax_help(argument);
    } else if (name == "\\d" || name == "\\dp") {
        if (!argument.empty()) {
            describe(argument);
        } else {
            if (name == "\\d") describe_streams();
            describe_pumps();
        }
    } else if (name == "\\df") {
        TextTable table({"function", "arguments"});
        for (const auto& function : sql::function_names()) {
            if (function.find(upper(argument)) == std::string::npos) continue;
            const auto* known = sql::find_function(function);
            table.add({function, known == nullptr ? "" : std::string(known->usage)});
        }
        out_ << (table.is_empty() ? "There is no function like " + argument + ".\n"
                                  : table.to_string());
    } else if (name == "\\l") {
        out_ << session_;
    } else if (name == "\\i") {
        return include(argument);
    } else if (name == "\\w") {
        save(argument);
    } else if (name == "\\run") {
        run(session_, options_.print);
    } else if (name == "\\clear") {
        session_.clear();
        names_.reset();
    } else if (name == "\\bind") {
        bind(argument);
    } else if (name == "\\from") {
        const bool is_oldest = argument == "earliest" || argument == "oldest";
        if (!is_oldest && argument != "latest" && argument != "now") {
            failed("\\from needs earliest or latest");
            return true;
        }
        runner_.read_from_oldest(is_oldest);
        out_ << "streams are read from " << (is_oldest ? "their first record" : "now on") << "\n";
    } else if (name == "\\apps") {
        const auto text = options_.applications
                              ? options_.applications()
                              : Result<std::string>(fail(Errc::Unsupported,
                                                         "applications run in a broker; this "
                                                         "shell works on files"));
        text ? void(out_ << *text) : failed(text.error().message);
    } else if (name == "\\format") {
        const auto format = parse_print_format(argument);
        if (format)
            options_.style.format = *format;
        else
            failed("\\format needs table, csv or json");
    } else if (name == "\\x") {
        auto& expanded = options_.style.expanded;
        if (argument == "auto")
            expanded = Expanded::Auto;
        else if (argument == "on" || (argument.empty() && expanded != Expanded::On))
            expanded = Expanded::On;
        else
            expanded = Expanded::Off;
        out_ << "a line for each column: "
             << (expanded == Expanded::On     ? "on"
                 : expanded == Expanded::Auto ? "when rows are too wide"
                                              : "off")
             << "\n";
    } else if (name == "\\timing") {
        is_timing_ = !is_timing_;
        out_ << "timing is " << (is_timing_ ? "on" : "off") << "\n";
    } else {
        failed(fmt::format("There is no command {}.{} \\? lists those there are.", name,
                           sql::did_you_mean(name, shell_commands())));
    }
    return true;
}

bool SqlShell::include(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    if (file.empty() || !in) {
        failed(file.empty() ? "\\i needs a file" : "cannot read " + file);
        return true;
    }
    if (include_depth_ == kMaxIncludes) {
        failed(fmt::format("{} is one file in another too many ({})", file, kMaxIncludes));
        return true;
    }
    ++include_depth_;
    bool goes_on = true;
    for (std::string line; goes_on && std::getline(in, line) && !options_.is_interrupted();)
        goes_on = handle_line(line);
    --include_depth_;
    // A file is whole: its last statement needs no semicolon.
    if (goes_on && splitter_.inside() == StatementSplitter::Inside::Statement) handle_line(";");
    return goes_on;
}

void SqlShell::save(const std::string& file) {
    if (file.empty()) return failed("\\w needs a file");
    std::ofstream out(file, std::ios::binary);
    out << session_ << std::flush;
    if (!out) return failed("cannot write " + file);
    out_ << "written to " << file << "\n";
}

void SqlShell::bind(std::string_view arguments) {
    const auto at = arguments.find('=');
    if (at == std::string_view::npos || at == 0 || at + 1 == arguments.size())
        return failed("\\bind needs NAME=" + upper(runner_.target_word()));
    runner_.bind(std::string(trim(arguments.substr(0, at))),
                 std::string(trim(arguments.substr(at + 1))));
    names_.reset();
}

void SqlShell::describe_streams() {
    const auto streams = runner_.streams();
    if (!streams) return failed(streams.error().message);
    TextTable table({"stream", "columns", "rows come from"});
    const auto add = [&](const std::string& name, const sql::Schema& columns,
                         const std::string& from) {
        std::string list;
        for (const auto& field : columns.fields)
            if (!field.is_hidden) list += (list.empty() ? "" : ", ") + sql::print_name(field.name);
        constexpr std::size_t kListed = 48;
        if (list.size() > kListed) list = list.substr(0, list.rfind(',', kListed)) + ", ...";
        table.add({sql::print_name(name), list, from});
    };
    for (const auto& stream : *streams)
        add(stream.name, stream.columns, stream.from);
    if (const auto statements = sql::parse(session_); statements)
        for (const auto& statement : *statements)
            if (const auto* create = std::get_if<sql::ast::CreateStream>(&statement.body)) {
                sql::Schema columns;
                for (const auto& column : create->columns)
                    columns.fields.push_back({column.name.text, column.type, true, false});
                add(create->name.text, columns, "this session's pumps");
            }
    if (table.is_empty())
        out_ << "There is no stream yet. "
             << (runner_.target_word() == "file" ? "\\bind NAME=FILE reads a CSV or JSON file.\n"
                                                 : "`tidemill stream create NAME` makes one.\n");
    else
        out_ << table.to_string();
}

void SqlShell::describe_pumps() {
    TextTable table({"pump", "reads", "writes"});
    if (const auto statements = sql::parse(session_); statements)
        for (const auto& statement : *statements)
            if (const auto* pump = std::get_if<sql::ast::CreatePump>(&statement.body)) {
                const std::string text = sql::print(*pump->select);
                table.add({sql::print_name(pump->name.text),
                           text.size() > 60 ? text.substr(0, 57) + "..." : text,
                           sql::print_name(pump->target.text)});
            }
    if (!table.is_empty()) out_ << "\n" << table.to_string();
}

void SqlShell::describe(const std::string& name) {
    for (const auto& reading : readings(name)) {
        const auto explanation =
            session_.empty() ? Result<Explanation>(Explanation{}) : runner_.explain(session_);
        if (!explanation) break;
        Explanation one;
        for (const auto& pump : explanation->pumps)
            if (pump.name == reading) one.pumps.push_back(pump);
        if (one.pumps.empty()) continue;
        out_ << draw_explanation(one, nullptr, options_.columns());
        return;
    }
    std::string trouble;
    for (const auto& reading : readings(name)) {
        const auto columns = runner_.columns_of(session_, reading);
        if (!columns) {
            if (trouble.empty()) trouble = columns.error().message;
            continue;
        }
        TextTable table({"column", "type", ""});
        for (const auto& field : columns->fields)
            table.add({sql::print_name(field.name), field.type.to_string(),
                       field.is_hidden     ? "hidden"
                       : field.is_nullable ? ""
                                           : "NOT NULL"});
        out_ << table.to_string();
        return;
    }
    std::vector<std::string> known = names().streams;
    known.insert(known.end(), names().pumps.begin(), names().pumps.end());
    const auto nearest = sql::did_you_mean(name, known);
    const auto first_line = trouble.substr(0, trouble.find('\n'));
    const bool is_unknown = first_line.contains("There is no stream");
    failed(is_unknown ? fmt::format("There is no stream or pump {}.{}", name, nearest)
                      : relocated(trouble, session_));
}

void SqlShell::statement(const std::string& text) {
    const auto request = read_explain(text);
    if (!request) return failed(request.error().to_string());
    if (*request) return explain(**request);
    if (sql::find_bare_select(text)) return run(session_ + text, {});
    if (const auto discover = sql::parse_discover(text); !discover)
        return failed(discover.error().to_string());
    else if (*discover)
        return run(text, {});
    // A statement that does not parse would spoil the session.
    const auto parsed = sql::parse(text);
    if (!parsed) return failed(parsed.error().to_string());
    const auto is_pump = [](const sql::ast::Statement& statement) {
        return std::holds_alternative<sql::ast::CreatePump>(statement.body);
    };
    // So would a pump that fits no stream. Where streams have no rows yet, that shows later.
    if (std::ranges::any_of(*parsed, is_pump))
        if (const auto plan = runner_.explain(session_ + text);
            !plan && plan.error().code == Errc::InvalidArgument)
            return failed(relocated(plan.error().message, session_));
    session_ += text + "\n";
    names_.reset();
    if (!options_.is_script) out_ << "kept\n";
}

void SqlShell::explain(const ExplainRequest& request) {
    if (request.what == ExplainRequest::What::Application) {
        const auto looks = runner_.explain_application(request.name);
        if (!looks) return failed(looks.error().message);
        out_ << draw_explanation(looks->first, &looks->second, options_.columns());
        return;
    }
    const std::string text = session_ + request.text;
    if (text.empty()) return failed("There is nothing to explain yet: EXPLAIN SELECT ...;");
    const auto keep_pump = [&](Explanation& explanation) {
        if (request.text.empty() && request.what != ExplainRequest::What::Pump) return true;
        std::vector<std::string> wanted;
        for (const auto& pump : explanation.pumps)
            wanted.push_back(sql::print_name(pump.name));
        if (request.what == ExplainRequest::What::Pump) {
            std::erase_if(explanation.pumps,
                          [&](const auto& pump) { return pump.name != request.name; });
            if (explanation.pumps.empty())
                failed(fmt::format("There is no pump {}.{}", sql::print_name(request.name),
                                   sql::did_you_mean(request.name, wanted)));
        } else if (!request.is_measured && explanation.pumps.size() > 1) {
            explanation.pumps.erase(explanation.pumps.begin(), explanation.pumps.end() - 1);
        }
        return !explanation.pumps.empty();
    };
    if (!request.is_measured) {
        auto explanation = runner_.explain(text);
        if (!explanation) return failed(relocated(explanation.error().message, session_));
        if (keep_pump(*explanation))
            out_ << draw_explanation(*explanation, nullptr, options_.columns());
        return;
    }
    std::optional<Explanation> before;
    auto explanation = runner_.measure(
        text, [this] { return !options_.is_interrupted(); },
        [&](const Explanation& now) {
            if (options_.redraw)
                options_.redraw(
                    draw_explanation(now, before ? &*before : nullptr, options_.columns()) +
                    "\nCtrl-C ends\n");
            before = now;
        });
    if (!explanation) return failed(relocated(explanation.error().message, session_));
    if (options_.redraw) options_.redraw({});
    if (!keep_pump(*explanation)) return;
    out_ << draw_explanation(*explanation, nullptr, options_.columns());
    out_ << fmt::format("\n{:.3f} s\n", explanation->elapsed.count());
}

void SqlShell::run(const std::string& sql_text, const std::vector<std::string>& print) {
    const auto began = std::chrono::steady_clock::now();
    SqlRunner::Request request{sql_text, print, options_.style};
    request.style.columns = options_.columns();
    const auto summary = runner_.run(request, out_, [this] { return !options_.is_interrupted(); });
    if (!summary) {
        const bool has_statement = sql_text.size() > session_.size();
        return failed(
            relocated(summary.error().message, has_statement ? std::string_view(session_) : ""));
    }
    for (const auto& message : summary->messages)
        out_ << "refused: " << message << "\n";
    if (summary->errors > summary->messages.size())
        out_ << summary->errors << " rows in error_stream\n";
    if (is_timing_) {
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
        const auto rows = static_cast<double>(summary->rows_printed);
        out_ << fmt::format("{} rows in {:.3f} s, {} rows/s\n", with_commas(summary->rows_printed),
                            took.count(),
                            with_commas(static_cast<std::uint64_t>(rows / took.count())));
    }
}

const CompletionNames& SqlShell::names() {
    if (names_) return *names_;
    CompletionNames names;
    const auto add = [&](const std::string& stream, const sql::Schema& columns) {
        names.streams.push_back(sql::print_name(stream));
        for (const auto& field : columns.fields)
            names.columns.push_back(sql::print_name(field.name));
    };
    if (const auto streams = runner_.streams(); streams)
        for (const auto& stream : *streams)
            add(stream.name, stream.columns);
    if (const auto statements = sql::parse(session_); statements)
        for (const auto& statement : *statements) {
            if (const auto* create = std::get_if<sql::ast::CreateStream>(&statement.body)) {
                sql::Schema columns;
                for (const auto& column : create->columns)
                    columns.fields.push_back({column.name.text, column.type, true, false});
                add(create->name.text, columns);
            } else if (const auto* pump = std::get_if<sql::ast::CreatePump>(&statement.body)) {
                names.pumps.push_back(sql::print_name(pump->name.text));
            }
        }
    names_ = std::move(names);
    return *names_;
}

std::vector<std::string> SqlShell::complete(std::string_view line, std::size_t word_begin) {
    const bool is_new = splitter_.inside() == StatementSplitter::Inside::Nothing;
    return console::complete(is_new ? std::string_view() : std::string_view(typed_), line,
                             word_begin, names());
}

}  // namespace tidemill::console
