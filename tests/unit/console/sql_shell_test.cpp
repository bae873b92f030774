#include "console/repl/sql_shell.h"

#include <sstream>

#include <doctest/doctest.h>

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

    Result<Summary> run(const std::string& sql_text, const std::vector<std::string>& print,
                        sql::PrintFormat, std::ostream& out,
                        const std::function<bool()>& is_wanted) override {
        texts.push_back(sql_text);
        prints.push_back(print);
        if (refuses) return std::unexpected(refusal);
        out << (is_wanted() ? "rows\n" : "no rows\n");
        return Summary{1, 0, {}};
    }
    Result<std::string> describe_streams() override { return std::string("S\n"); }
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
        CHECK_EQ(out.str(), "S\n");
        CHECK(shell.handle_line("\\?"));
        CHECK(out.str().find("\\timing") != std::string::npos);
        CHECK(shell.handle_line("\\nonsense"));
        CHECK(out.str().ends_with("There is no command \\nonsense; \\? lists those there are.\n"));
        CHECK_FALSE(shell.handle_line("\\q"));
        runner.refuses = true;
        runner.refusal = {Errc::InvalidArgument, "line 1, column 1: no"};
        CHECK(shell.handle_line("SELECT STREAM 1 FROM s;"));
        CHECK(out.str().ends_with("error: line 1, column 1: no\n"));
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
        RowPrinter(table, sql::PrintFormat::Table).print("A", schema, rows.view());
        CHECK_EQ(table.str(),
                 "name          n\n-----  --------\ngröße         7\nNULL       1234\n");
        RowPrinter csv_printer(csv, sql::PrintFormat::Csv);
        csv_printer.print("A", schema, rows.view());
        csv_printer.print("A", schema, rows.view());
        CHECK_EQ(csv.str(), "name,n\ngröße,7\n,1234\ngröße,7\n,1234\n");
        RowPrinter(lines, sql::PrintFormat::JsonLines).print("A", schema, rows.view());
        CHECK_EQ(lines.str(), "{\"name\":\"größe\",\"n\":7}\n{\"name\":null,\"n\":1234}\n");
        CHECK_EQ(csv_printer.rows(), 4);
    }
}
