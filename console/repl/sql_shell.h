#pragma once

#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "console/repl/sql_runner.h"
#include "console/repl/statement_splitter.h"

namespace tidemill::console {

/// The interactive SQL shell, apart from the terminal: lines go in, text comes out. CREATE
/// statements accumulate; SELECT runs them all and prints its rows until they end or the person
/// interrupts. Commands begin with a backslash; \? lists them.
class SqlShell {
 public:
    struct Options {
        sql::PrintFormat format = sql::PrintFormat::Table;
        std::vector<std::string> print;  ///< streams that \run prints; empty: those nothing reads
        /// Asked again and again while a query runs.
        std::function<bool()> is_interrupted = [] { return false; };
    };

    SqlShell(SqlRunner& runner, std::ostream& out, Options options)
        : runner_(runner), out_(out), options_(std::move(options)) {}

    std::string prompt() const;
    /// Does what the line says. False: the person wants to leave.
    bool handle_line(std::string_view line);
    /// Gives up the statement that is being typed.
    void interrupt();

    const std::string& session_text() const { return session_; }

 private:
    bool command(std::string_view line);
    void statement(const std::string& text);
    void run(const std::string& sql_text, const std::vector<std::string>& print);

    SqlRunner& runner_;
    std::ostream& out_;
    Options options_;
    StatementSplitter splitter_;
    std::string session_;  // the CREATE statements so far
    bool is_timing_ = false;
};

}  // namespace tidemill::console
