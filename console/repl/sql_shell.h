#pragma once

#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "console/repl/completion.h"
#include "console/repl/explain_request.h"
#include "console/repl/sql_runner.h"
#include "console/repl/statement_splitter.h"

namespace tidemill::console {

/// The interactive SQL shell, apart from the terminal: lines go in, text comes out. CREATE
/// statements accumulate; SELECT runs them all and prints its rows until they end or the person
/// interrupts. Commands begin with a backslash; \? lists them.
class SqlShell {
 public:
    struct Options {
        PrintStyle style;
        std::vector<std::string> print;  ///< streams that \run prints; empty: those nothing reads
        /// Asked again and again while a query runs.
        std::function<bool()> is_interrupted = [] { return false; };
        /// Of the terminal, asked before each query; 0: unknown.
        std::function<std::size_t()> columns = [] { return std::size_t{0}; };
        /// Lists the applications of the broker; absent over files.
        std::function<Result<std::string>()> applications;
        /// Says nothing of statements that are kept.
        bool is_script = false;
        /// Draws text over what it drew before; absent where there is no terminal.
        std::function<void(const std::string&)> redraw;
    };

    SqlShell(SqlRunner& runner, std::ostream& out, Options options)
        : runner_(runner), out_(out), options_(std::move(options)) {}

    std::string prompt() const;
    /// Does what the line says. False: the person wants to leave.
    bool handle_line(std::string_view line);
    /// Gives up the statement that is being typed.
    void interrupt();
    /// What the word that ends `line` may become.
    std::vector<std::string> complete(std::string_view line, std::size_t word_begin);

    const std::string& session_text() const { return session_; }
    /// Whether a statement or command was refused since the start.
    bool has_failed() const { return has_failed_; }

 private:
    bool command(std::string_view line);
    bool include(const std::string& file);
    void save(const std::string& file);
    void bind(std::string_view arguments);
    void describe(const std::string& name);
    void describe_streams();
    void describe_pumps();
    void statement(const std::string& text);
    void explain(const ExplainRequest& request);
    void run(const std::string& sql_text, const std::vector<std::string>& print);
    void failed(const std::string& message);
    const CompletionNames& names();

    SqlRunner& runner_;
    std::ostream& out_;
    Options options_;
    StatementSplitter splitter_;
    std::string typed_;    // the statement that is being typed
    std::string session_;  // the CREATE statements so far
    std::optional<CompletionNames> names_;
    bool is_timing_ = false, has_failed_ = false;
    int include_depth_ = 0;
};

/// An SQL error in text that `prefix` stands before, as the person sees it who typed only what is
/// behind: lines count from there.
std::string relocated(const std::string& message, std::string_view prefix);

}  // namespace tidemill::console
