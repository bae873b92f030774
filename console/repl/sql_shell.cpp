#include "console/repl/sql_shell.h"

#include <chrono>
#include <ostream>

#include <fmt/format.h>

#include "operators/plan/bare_select.h"
#include "operators/sql/parser.h"

namespace tidemill::console {
namespace {

constexpr std::string_view kHelp =
    "Statements end with a semicolon. CREATE STREAM and CREATE PUMP are kept for this session;\n"
    "SELECT STREAM ... runs them and prints its rows until Ctrl-C.\n"
    "  \\d        streams that can be read\n"
    "  \\l        the session's statements\n"
    "  \\run      run the session and print the streams that nothing reads\n"
    "  \\clear    forget the session's statements\n"
    "  \\timing   say how long each query took\n"
    "  \\q        leave\n";

std::string_view trim(std::string_view text) {
    const auto begin = text.find_first_not_of(" \t\r\n");
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

}  // namespace

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
    out_ << "\n";
}

bool SqlShell::handle_line(std::string_view line) {
    if (splitter_.inside() == StatementSplitter::Inside::Nothing && trim(line).starts_with('\\'))
        return command(trim(line));
    splitter_.add_line(line);
    while (auto text = splitter_.next())
        statement(*text);
    return true;
}

bool SqlShell::command(std::string_view line) {
    if (line == "\\q" || line == "\\quit") return false;
    if (line == "\\?" || line == "\\h" || line == "\\help") {
        out_ << kHelp;
    } else if (line == "\\d") {
        const auto streams = runner_.describe_streams();
        out_ << (streams ? *streams : "error: " + streams.error().message + "\n");
    } else if (line == "\\l") {
        out_ << session_;
    } else if (line == "\\run") {
        run(session_, options_.print);
    } else if (line == "\\clear") {
        session_.clear();
    } else if (line == "\\timing") {
        is_timing_ = !is_timing_;
        out_ << "timing is " << (is_timing_ ? "on" : "off") << "\n";
    } else {
        out_ << "There is no command " << line << "; \\? lists those there are.\n";
    }
    return true;
}

void SqlShell::statement(const std::string& text) {
    if (sql::find_bare_select(text)) {
        run(session_ + text, {});
        return;
    }
    // A statement that does not parse would spoil the session.
    if (const auto parsed = sql::parse(text); !parsed) {
        out_ << "error: " << parsed.error().to_string() << "\n";
        return;
    }
    session_ += text + "\n";
    out_ << "kept\n";
}

void SqlShell::run(const std::string& sql_text, const std::vector<std::string>& print) {
    const auto began = std::chrono::steady_clock::now();
    const auto summary = runner_.run(sql_text, print, options_.format, out_,
                                     [this] { return !options_.is_interrupted(); });
    if (!summary) {
        out_ << "error: " << summary.error().message << "\n";
        return;
    }
    for (const auto& message : summary->messages)
        out_ << "refused: " << message << "\n";
    if (summary->errors > summary->messages.size())
        out_ << summary->errors << " rows in error_stream\n";
    if (is_timing_) {
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
        out_ << fmt::format("{} rows in {:.3f} s\n", summary->rows_printed, took.count());
    }
}

}  // namespace tidemill::console
