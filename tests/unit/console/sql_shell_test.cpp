#include "console/repl/sql_shell.h"

#include <sstream>

#include <doctest/doctest.h>

#include "console/repl/rate_line.h"
#include "console/repl/row_printer.h"
#include "console/repl/statement_splitter.h"

using namespace tidemill;
using namespace tidemill::console;

namespace {

/// Keeps what it was asked.
class NotedRunner final : public SqlRunner {
 public:
    std::vector<std::string> texts;
    std::vector<std::vector<std::string>> prints;
    Error refusal;
    bool refuses = false;

    Result<Summary> run(const Request& request, std::ostream& out,
                        const IsWanted& is_wanted) override {
        texts.push_back(request.sql_text);
        prints.push_back(request.print);
        if (refuses) return std::unexpected(refusal);
        out << (is_wanted() ? "rows\n" : "no rows\n");
        return Summary{1, 0, {}};
    }
    Result<Explanation> explain(const std::string& sql_text) override {
        explained.push_back(sql_text);
        if (refuses) return std::unexpected(refusal);
        return explanation;
    }
    Result<Explanation> measure(const std::string& sql_text, const IsWanted&,
                                const std::function<void(const Explanation&)>&) override {
        return explain(sql_text);
    }
    Result<std::pair<Explanation, Explanation>> explain_application(
        const std::string& name) override {
        explained.push_back(name);
        return std::pair{explanation, explanation};
    }
    Result<std::vector<KnownStream>> streams() override {
        sql::Schema schema;
        schema.fields = {{"price", sql::TypeKind::Double}, {"TICKER", sql::Type::varchar(4)}};
        return std::vector<KnownStream>{{"trades", "trades.csv", schema}};
    }
    Result<sql::Schema> columns_of(const std::string&, const std::string& stream) override {
        ASSIGN(const auto known, streams());
        if (stream == known[0].name) return known[0].columns;
        return fail(Errc::InvalidArgument, "line 1, column 15: There is no stream " + stream + ".");
    }
    void bind(const std::string& name, const std::string& target) override {
        bound.push_back(name + " to " + target);
    }
    std::string target_word() const override { return "file"; }

    std::vector<std::string> explained, bound;
    Explanation explanation;
};

}  // namespace

TEST_SUITE("statement splitter") {
    TEST_CASE("a semicolon in a text, a name or a comment ends nothing") {
        StatementSplitter splitter;
        splitter.add_line("SELECT 'a;''b', \"x;y\" -- not here;");
        CHECK_FALSE(splitter.next());
        splitter.add_line("/* nor ; here */ FROM s // nor; here");
        CHECK_FALSE(splitter.next());
        splitter.add_line("WHERE a - b / c > 1; SELECT 2;");
        CHECK_EQ(*splitter.next(),
                 "SELECT 'a;''b', \"x;y\" -- not here;\n/* nor ; here */ FROM s // nor; here\n"
                 "WHERE a - b / c > 1;");
        CHECK_EQ(*splitter.next(), "SELECT 2;");
        CHECK_FALSE(splitter.next());
        CHECK_EQ(splitter.inside(), StatementSplitter::Inside::Nothing);
    }

    TEST_CASE("what is open shows") {
        using Inside = StatementSplitter::Inside;
        StatementSplitter splitter;
        CHECK_EQ(splitter.inside(), Inside::Nothing);
        splitter.add_line("  -- only a comment");
        CHECK_EQ(splitter.inside(), Inside::Nothing);
        splitter.add_line("SELECT");
        CHECK_EQ(splitter.inside(), Inside::Statement);
        splitter.add_line("'open");
        CHECK_EQ(splitter.inside(), Inside::Text);
        splitter.add_line("closed' \"open");
        CHECK_EQ(splitter.inside(), Inside::Name);
        splitter.add_line("\" /* open");
        CHECK_EQ(splitter.inside(), Inside::Comment);
        splitter.add_line("*/");
        CHECK_EQ(splitter.inside(), Inside::Statement);
        CHECK(splitter.take_rest().find("closed") != std::string::npos);
        CHECK_EQ(splitter.inside(), Inside::Nothing);
    }

    TEST_CASE("empty statements are none") {
        StatementSplitter splitter;
        splitter.add_line(" ; -- a\n ;; /* b; */ SELECT 1;");
        CHECK_MESSAGE(splitter.next()->ends_with("SELECT 1;"), "skipped");
        CHECK_FALSE(splitter.next());
        CHECK(splitter.take_rest().empty());
    }
}

TEST_SUITE("SQL shell") {
    TEST_CASE("CREATE statements accumulate and SELECT runs them all") {
        NotedRunner runner;
        std::ostringstream out;
        SqlShell shell(runner, out, {});
        CHECK_EQ(shell.prompt(), "tidemill> ");
        CHECK(shell.handle_line("CREATE STREAM s (a INTEGER);"));
        CHECK(runner.texts.empty());
        CHECK(shell.handle_line("SELECT STREAM a"));
        CHECK_EQ(shell.prompt(), "       -> ");
        CHECK(shell.handle_line("FROM s;"));
        REQUIRE_EQ(runner.texts.size(), 1);
        CHECK_EQ(runner.texts[0], "CREATE STREAM s (a INTEGER);\nSELECT STREAM a\nFROM s;");
        CHECK(out.str().ends_with("rows\n"));
        CHECK(shell.handle_line("\\run"));
        CHECK_EQ(runner.texts.at(1), "CREATE STREAM s (a INTEGER);\n");
        CHECK(shell.handle_line("\\clear"));
        CHECK(shell.session_text().empty());
    }

    TEST_CASE("a statement that does not parse shows its place and is not kept") {
        NotedRunner runner;
        std::ostringstream out;
        SqlShell shell(runner, out, {});
        shell.handle_line("CREATE STREAM s (a NONSENSE);");
        CHECK_MESSAGE(out.str().starts_with("error: line 1, column 20"), out.str());
        CHECK(out.str().find("^") != std::string::npos);
        CHECK(shell.session_text().empty());
    }

    TEST_CASE("an interrupt stops the query or the statement, not the shell") {
        NotedRunner runner;
        std::ostringstream out;
        SqlShell::Options options;
        options.is_interrupted = [] { return true; };
        SqlShell shell(runner, out, options);
        CHECK(shell.handle_line("SELECT STREAM 1 FROM s;"));
        CHECK_EQ(out.str(), "no rows\n");
        shell.handle_line("SELECT 'half");
        shell.interrupt();
        CHECK_EQ(shell.prompt(), "tidemill> ");
    }

    TEST_CASE("commands") {
        NotedRunner runner;
        std::ostringstream out;
        SqlShell shell(runner, out, {});
        CHECK(shell.handle_line("  \\d "));
        CHECK_EQ(out.str(),
                 "stream    columns          rows come from\n\"trades\"  \"price\", TICKER  "
                 "trades.csv\n");
        CHECK(shell.handle_line("\\?"));
        CHECK(out.str().find("\\timing") != std::string::npos);
        CHECK(shell.handle_line("\\nonsense"));
        CHECK(out.str().ends_with("There is no command \\nonsense. \\? lists those there are.\n"));
        CHECK_FALSE(shell.handle_line("\\q"));
        runner.refuses = true;
        runner.refusal = {Errc::InvalidArgument, "line 1, column 1: no"};
        CHECK(shell.handle_line("SELECT STREAM 1 FROM s;"));
        CHECK(out.str().ends_with("error: line 1, column 1: no\n"));
    }
}

TEST_SUITE("SQL shell for people") {
    TEST_CASE("errors count lines from what was typed, not from the session") {
        CHECK_EQ(relocated("line 4, column 2: no", "a\nb\n"), "line 2, column 2: no");
        CHECK_EQ(relocated("line 1, column 2: no", "a\nb\n"), "line 1, column 2: no");
        CHECK_EQ(relocated("no line", "a\n"), "no line");
        CHECK_EQ(relocated("line x", "a\n"), "line x");
    }

    TEST_CASE("a pump that fits no stream is not kept") {
        NotedRunner runner;
        std::ostringstream out;
        SqlShell shell(runner, out, {});
        shell.handle_line("CREATE STREAM s (a INTEGER);");
        runner.refuses = true;
        runner.refusal = {Errc::InvalidArgument, "line 2, column 27: There is no stream T."};
        shell.handle_line("CREATE PUMP p AS INSERT INTO t SELECT STREAM a FROM s;");
        CHECK_EQ(out.str(), "kept\nerror: line 1, column 27: There is no stream T.\n");
        CHECK_EQ(shell.session_text(), "CREATE STREAM s (a INTEGER);\n");
        CHECK(shell.has_failed());
        // A stream that has no rows yet is no reason to refuse.
        runner.refusal = {Errc::Unavailable, "no record yet"};
        shell.handle_line("CREATE PUMP p AS INSERT INTO s SELECT STREAM a FROM t;");
        CHECK(shell.session_text().contains("PUMP"));
    }

    TEST_CASE("EXPLAIN asks for the session, a statement, a pump or an application") {
        NotedRunner runner;
        runner.explanation.pumps = {{"P", "S", {"T"}, true, "Filter (A > 3)\n  Scan T\n"},
                                    {"QUERY_PUMP", "QUERY", {"S"}, true, "Scan S\n"}};
        std::ostringstream out;
        SqlShell shell(runner, out, {});
        shell.handle_line("EXPLAIN SELECT a FROM s;");
        CHECK_EQ(runner.explained.back(), "        SELECT a FROM s;");
        CHECK_EQ(out.str(), "Pump QUERY_PUMP\nInsert into QUERY\n  Scan S\n");
        shell.handle_line("EXPLAIN PUMP p;");
        CHECK(out.str().ends_with("There is nothing to explain yet: EXPLAIN SELECT ...;\n"));
        shell.handle_line("CREATE STREAM s (a INTEGER);");
        shell.handle_line("explain pump p;");
        CHECK_MESSAGE(out.str().ends_with("Insert into S\n  Filter (A > 3)\n    Scan T\n"),
                      out.str());
        shell.handle_line("EXPLAIN PUMP pp;");
        CHECK(out.str().ends_with("There is no pump PP. Did you mean P?\n"));
        shell.handle_line("EXPLAIN APPLICATION my-app;");
        CHECK_EQ(runner.explained.back(), "my-app");
        shell.handle_line("EXPLAIN ANALIZE SELECT 1 FROM s;");
        CHECK_MESSAGE(out.str().contains("found ANALIZE. Did you mean ANALYZE?"), out.str());
    }

    TEST_CASE("operators stand beside their steps, with rates between two looks") {
        Explanation before, now;
        now.pumps = {{"P", "S", {"T"}, true, "Filter (A > 3)\n  Scan T\n"}};
        now.operators = {
            {"P", "Insert", 40, 40, 1, 0, "", std::chrono::microseconds(4), 1},
            {"P", "Filter", 1000, 40, 1, 2, "Filter (A > 3)", std::chrono::microseconds(50), 1200}};
        now.elapsed = std::chrono::seconds(3);
        before = now;
        before.operators[1].rows_in = 400;
        before.elapsed = std::chrono::seconds(1);
        CHECK_EQ(draw_explanation(now, &before, 0),
                 "Pump P\n"
                 "                  rows in  rows out  rows/s  refused              time   state\n"
                 "Insert into S          40        40       0           4 us, 100 ns/row     1 B\n"
                 "  Filter (A > 3)    1,000        40     300        2  50 us, 50 ns/row  1.2 kB\n"
                 "    Scan T\n");
        CHECK_MESSAGE(draw_explanation(now, nullptr, 78).contains("333"), "over all the time");
    }

    TEST_CASE("commands bind, choose the format, and say what they do not know") {
        NotedRunner runner;
        std::ostringstream out;
        SqlShell shell(runner, out, {});
        shell.handle_line("\\bind T=rows.csv");
        CHECK_EQ(runner.bound.back(), "T to rows.csv");
        shell.handle_line("\\bind T");
        CHECK(out.str().ends_with("error: \\bind needs NAME=FILE\n"));
        shell.handle_line("\\d TRADES");
        CHECK_MESSAGE(out.str().contains("Did you mean \"trades\"?"), out.str());
        shell.handle_line("\\d \"trades\"");
        CHECK_MESSAGE(out.str().ends_with("column   type\n\"price\"  DOUBLE\nTICKER   "
                                          "VARCHAR(4)\n"),
                      out.str());
        shell.handle_line("\\format xml");
        CHECK(out.str().ends_with("error: \\format needs table, csv or json\n"));
        shell.handle_line("\\h create pum");
        CHECK(out.str().contains("INSERT INTO stream"));
        shell.handle_line("\\h UPER");
        CHECK_MESSAGE(out.str().contains("Did you mean UPPER?"), out.str());
        shell.handle_line("\\timng");
        CHECK(out.str().contains("There is no command \\timng. Did you mean \\timing?"));
        CHECK_FALSE(shell.handle_line("exit;"));
    }

    TEST_CASE("Tab completes what fits the place") {
        NotedRunner runner;
        std::ostringstream out;
        SqlShell shell(runner, out, {});
        shell.handle_line("CREATE STREAM totals (amount INTEGER);");
        const auto at = [&](std::string_view line) {
            return shell.complete(line, last_word(line));
        };
        using Words = std::vector<std::string>;
        CHECK_EQ(at("sel"), Words{"select"});
        CHECK_EQ(at("SEL"), Words{"SELECT"});
        CHECK_EQ(at("SELECT * FROM "), Words{"\"trades\"", "TOTALS"});
        CHECK_EQ(at("SELECT * FROM \"tr"), Words{"\"trades\""});
        CHECK_EQ(at("SELECT * FROM tr"), Words{"\"trades\""});
        CHECK_EQ(at("INSERT INTO to"), Words{"TOTALS"});
        CHECK_EQ(at("SELECT amo"), Words{"AMOUNT"});
        CHECK_EQ(at("SELECT * FROM s WHERE \"pr"), Words{"\"price\""});
        CHECK_EQ(at("\\ti"), Words{"\\timing"});
        CHECK_EQ(at("\\d to"), Words{"TOTALS"});
        CHECK_EQ(at("\\from "), Words{"earliest", "latest"});
        shell.handle_line("SELECT amount");
        shell.handle_line("FROM");
        CHECK_EQ(at("to"), Words{"TOTALS"});
    }

    TEST_CASE("the line with the rate") {
        CHECK_EQ(RateLine::text(1, 0, std::chrono::seconds(0)),
                 "1 row  0 rows/s  00:00  Ctrl-C stops");
        CHECK_EQ(RateLine::text(1234567, 8901.6, std::chrono::seconds(75)),
                 "1,234,567 rows  8,902 rows/s  01:15  Ctrl-C stops");
        std::ostringstream out;
        const RateLine::Clock::time_point start{};
        RateLine line(out, true, 10, start);
        line.show(0, start);
        line.show(5, start + std::chrono::milliseconds(100));  // too soon
        line.show(20, start + std::chrono::seconds(2));
        line.erase();
        line.erase();
        CHECK_EQ(out.str(), "0 rows  0\r\x1b[2K20 rows  \r\x1b[2K");
        std::ostringstream nothing;
        RateLine(nothing, false, 80, start).show(1, start);
        CHECK(nothing.str().empty());
    }
}

TEST_SUITE("row printer") {
    TEST_CASE("rows of two streams, each under its heading") {
        sql::Schema schema;
        schema.fields = {{"name", sql::Type::varchar(9)}, {"n", sql::TypeKind::BigInt}};
        sql::RowBatch rows(schema);
        rows.columns[0].append_text("größe");
        rows.columns[1].append_int(7);
        rows.rowtime.append_int(0);
        rows.columns[0].append_null();
        rows.columns[1].append_int(1234);
        rows.rowtime.append_int(0);
        std::ostringstream table, csv, lines;
        RowPrinter(table, PrintStyle{}).print("A", schema, rows.view());
        CHECK_EQ(table.str(),
                 "name          n\n-----  --------\ngröße         7\nNULL       1234\n");
        PrintStyle style;
        style.format = sql::PrintFormat::Csv;
        RowPrinter csv_printer(csv, style);
        csv_printer.print("A", schema, rows.view());
        csv_printer.print("A", schema, rows.view());
        CHECK_EQ(csv.str(), "name,n\ngröße,7\n,1234\ngröße,7\n,1234\n");
        style.format = sql::PrintFormat::JsonLines;
        RowPrinter(lines, style).print("A", schema, rows.view());
        CHECK_EQ(lines.str(), "{\"name\":\"größe\",\"n\":7}\n{\"name\":null,\"n\":1234}\n");
        CHECK_EQ(csv_printer.rows(), 4);
    }

    TEST_CASE("rows end at the limit, wide rows become lines, a person is told how many") {
        sql::Schema schema;
        schema.fields = {{"name", sql::Type::varchar(9)}, {"n", sql::TypeKind::BigInt}};
        sql::RowBatch rows(schema);
        for (int i = 0; i < 3; ++i) {
            rows.columns[0].append_text("abc");
            rows.columns[1].append_int(i);
            rows.rowtime.append_int(0);
        }
        std::ostringstream out;
        PrintStyle style;
        style.expanded = Expanded::Auto;
        style.columns = 12;
        style.is_live = true;
        RowPrinter printer(out, style, 2);
        CHECK_FALSE(printer.is_full());
        printer.print("A", schema, rows.view());
        CHECK(printer.is_full());
        printer.print("A", schema, rows.view());
        printer.finish();
        CHECK_EQ(out.str(),
                 "-- row 1\nname  abc\nn     0\n-- row 2\nname  abc\nn     1\n(2 rows)\n");
    }
}
