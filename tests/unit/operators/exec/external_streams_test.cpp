#include "operators/exec/external_streams.h"

#include <doctest/doctest.h>

#include "operators/exec/application.h"

using namespace tidemill;
using namespace tidemill::sql;

namespace {

std::string message_of(std::string_view text) {
    const auto found = external_streams(text);
    return found ? "accepted" : found.error().to_string();
}

}  // namespace

TEST_SUITE("external streams") {
    TEST_CASE("a source says where rows come from and how they lie there") {
        const auto found = external_streams(
            "CREATE STREAM \"clicks\" (id BIGINT PATH '$.id' , name VARCHAR(10) PATH "
            "'$.user.name', at TIMESTAMP) WITH (source = 'arn:aws:kinesis:us-east-1:0:stream/in', "
            "row_path = '$.items[0:]', rowtime = 'at', start = '2026-01-01 00:00:00', "
            "parallelism = 3, preprocess = './clean', preprocess_timeout = 500);");
        REQUIRE_MESSAGE(found.has_value(), (found ? "" : found.error().to_string()));
        REQUIRE_EQ(found->sources.size(), 1);
        const auto& source = found->sources[0];
        CHECK_EQ(source.names, std::vector<std::string>{"clicks_001", "clicks_002", "clicks_003"});
        CHECK_EQ(source.target, "in");
        CHECK_EQ(source.columns.size(), 3);
        CHECK_EQ(source.layout.row_path, "$.items[0:]");
        CHECK_EQ(source.layout.column_paths, std::vector<std::string>{"$.id", "$.user.name", ""});
        CHECK_EQ(source.rowtime_column, "AT");
        CHECK_EQ(source.start, StartAt::Time);
        CHECK_EQ(source.start_time, 1'767'225'600'000);
        CHECK_EQ(source.preprocess, "./clean");
        CHECK_EQ(source.preprocess_timeout, 500);
    }

    TEST_CASE("a sink says where rows go") {
        const auto found = external_streams(
            "CREATE STREAM a (k VARCHAR(3)) WITH (sink = 'stream:out', format = csv, key = 'k', "
            "column_delimiter = '\\t');"
            "CREATE STREAM b (k VARCHAR(3)) WITH (sink = 'file:/data/b.csv', format = 'CSV', "
            "header = true);"
            "CREATE STREAM c (k VARCHAR(3)) WITH (sink = 'http://localhost:80/rows', batch = 10, "
            "tries = 3);"
            "CREATE STREAM d (k VARCHAR(3)) WITH (sink = 'stdout');");
        REQUIRE_MESSAGE(found.has_value(), (found ? "" : found.error().to_string()));
        REQUIRE_EQ(found->sinks.size(), 4);
        CHECK_EQ(found->sinks[0].target, "out");
        CHECK_EQ(found->sinks[0].key_column, "K");
        CHECK_EQ(found->sinks[0].delimiter, "\t");
        CHECK_EQ(found->sinks[0].format, RecordFormat::Csv);
        CHECK_EQ(found->sinks[1].connector, Connector::File);
        CHECK_EQ(found->sinks[1].target, "/data/b.csv");
        CHECK(found->sinks[1].has_header);
        CHECK_EQ(found->sinks[2].connector, Connector::Http);
        CHECK_EQ(found->sinks[2].batch_rows, 10);
        CHECK_EQ(found->sinks[3].connector, Connector::Stdout);
    }

    TEST_CASE("what is wrong with options is said at their place") {
        CHECK_EQ(message_of("CREATE STREAM s (a INTEGER)\n  WITH (source = 'x', formt = 'json')"),
                 "line 2, column 23: The option FORMT of a source is not known. Did you mean "
                 "FORMAT?\n  WITH (source = 'x', formt = 'json')\n                      ^^^^^");
        const std::pair<const char*, const char*> cases[] = {
            {"(a INTEGER) WITH (source = 'x', format = 'xml')", "formats are 'json' and 'csv'"},
            {"(a INTEGER) WITH (source = 'x', source = 'y')", "given twice"},
            {"(a INTEGER) WITH (source = 'x', sink = 'y')", "not both"},
            {"(a INTEGER) WITH (format = 'json')", "goes with source"},
            {"(a INTEGER PATH '$.a')", "PATH says where"},
            {"(a INTEGER PATH 'a') WITH (source = 'x')", "it must begin with $"},
            {"(a INTEGER PATH '$.a') WITH (source = 'x', format = 'csv')", "by position"},
            {"(a INTEGER PATH '$.a[0:].b', b INTEGER PATH '$.c[0:].b') WITH (source = 'x')",
             "only one array"},
            {"(a INTEGER) WITH (source = 'x', row_delimiter = ';')", "goes with format = 'csv'"},
            {"(a INTEGER) WITH (source = 'x', parallelism = 65)", "from 1 to 64"},
            {"(a INTEGER) WITH (source = 'x', start = 'tomorrow')", "expected latest, earliest"},
            {"(a INTEGER) WITH (source = 'x', rowtime = 'b')", "no such column"},
            {"(a INTEGER) WITH (source = 'stdout')", "a source is a stream or a file"},
            {"(a INTEGER) WITH (sink = 'https://x')", "http:// only"},
            {"(a INTEGER) WITH (sink = 'x', key = 'b')", "no such column"},
            {"(a INTEGER) WITH (source = )", "Expected a value"},
            {"DESCRIPTION 'x'", "Expected '('"}};
        for (const auto& [text, expected] : cases) {
            const auto message = message_of(std::string("CREATE STREAM s ") + text);
            CHECK_MESSAGE(message.find(expected) != std::string::npos, text, ": ", message);
        }
    }

    TEST_CASE("an application takes rows into the sources that its text declares") {
        auto compiled = Application::compile(
            "CREATE STREAM D (A INTEGER);"
            "CREATE STREAM S (A INTEGER) WITH (source = 'in');"
            "CREATE PUMP P AS INSERT INTO D SELECT STREAM A + 1 FROM S;",
            {});
        REQUIRE_MESSAGE(compiled.has_value(), (compiled ? "" : compiled.error().to_string()));
        auto& application = **compiled;
        std::vector<std::int64_t> got;
        application.subscribe(*application.find_stream("D"), [&](const Batch& batch) {
            batch.selection.for_each(
                [&](std::size_t row) { got.push_back(batch.columns[0]->int_at(row)); });
        });
        const auto input = *application.find_stream("S");
        RowBatch rows(application.schema(input));
        rows.columns[0].append_int(41);
        rows.rowtime.append_int(1);
        application.push_rows(input, rows);
        CHECK_EQ(got, std::vector<std::int64_t>{42});
        CHECK_FALSE(Application::compile("CREATE STREAM S WITH (source = 'in');", {}).has_value());
        CHECK_FALSE(Application::compile("CREATE STREAM S (A INTEGER) WITH (source = 'in');"
                                         "CREATE STREAM T (A INTEGER);"
                                         "CREATE PUMP P AS INSERT INTO S SELECT STREAM A FROM T;",
                                         {})
                        .has_value());
    }
}
