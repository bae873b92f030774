#include <algorithm>

#include <doctest/doctest.h>

#include "tests/unit/engine/query/query_fixture.h"
#include "tests/unit/proto/forged_batch.h"

using namespace tidemill;
using namespace tidemill::query;

namespace {

std::vector<std::string> ids(int from, int to) {
    std::vector<std::string> rows;
    for (int id = from; id < to; ++id)
        rows.push_back("{\"id\":" + std::to_string(id) + "}");
    return rows;
}

std::vector<std::string> sorted(std::vector<std::string> rows) {
    const auto number = [](const std::string& row) { return std::stoi(row.substr(6)); };
    std::ranges::sort(rows, {}, number);
    return rows;
}

}  // namespace

TEST_SUITE("query service") {
    TEST_CASE("an application's rows go from one stream to another, in order") {
        QueryFixture f;
        f.streams.add_stream("in");
        f.streams.add_stream("out");
        REQUIRE(f.reactor.run(f.service().create_application(definition_of("copy", kCopyRows))));
        for (int id = 0; id < 100; ++id)
            f.streams.put("in", row(id, id % 10 == 0 ? -1 : 1));
        f.reactor.advance(1s);
        const auto rows = f.streams.texts("out");
        CHECK_EQ(rows.size(), 90);
        CHECK_EQ(rows.front(), "{\"id\":1}");
        CHECK_EQ(rows.back(), "{\"id\":99}");
        const auto state = f.state("copy");
        CHECK_EQ(state.status, ApplicationStatus::Running);
        CHECK_EQ(state.rows_in, 100);
        CHECK_EQ(state.rows_out, 90);
        CHECK_EQ(state.lag_ms, 0);
        const auto metrics = f.reactor.run(f.service().metrics_text());
        CHECK(metrics.find("tidemill_sql_rows_in_total{application=\"copy\"} 100\n") !=
              std::string::npos);
    }

    TEST_CASE("compressed batches of many shards at once give every row") {
        QueryFixture f;
        f.streams.add_stream("in", 9);
        f.streams.add_stream("out");
        // Larger than a slice: each shard suspends with its batch open.
        for (std::uint32_t shard = 0; shard < 9; ++shard) {
            std::vector<std::string> rows;
            for (int i = 0; i < 3000; ++i)
                rows.push_back(row(static_cast<int>(shard) * 3000 + i, 1));
            const Compression compression{shard % 2 == 0 ? Codec::Lz4 : Codec::Zstd,
                                          static_cast<int>(shard % 2)};
            f.streams.put_batch("in", shard, compressed_batch(rows, compression));
        }
        REQUIRE(f.reactor.run(f.service().create_application(definition_of("copy", kCopyRows))));
        f.reactor.advance(5s);
        CHECK_EQ(sorted(f.streams.texts("out")), ids(0, 27'000));
    }

    TEST_CASE(
        "a batch that holds no records goes to the error stream, and the rows behind it come") {
        QueryFixture f;
        f.streams.add_stream("in");
        f.streams.add_stream("out");
        f.streams.add_stream("errors");
        auto definition = definition_of("copy", kCopyRows);
        definition.outputs.push_back({"error_stream", "errors", ""});
        REQUIRE(f.reactor.run(f.service().create_application(definition)));
        f.streams.put("in", row(0, 1));
        f.streams.put_batch("in", 0, unreadable_batch(7));
        f.streams.put("in", row(8, 1));
        f.reactor.advance(2s);
        CHECK_EQ(f.streams.texts("out"), std::vector<std::string>{"{\"id\":0}", "{\"id\":8}"});
        const auto errors = f.streams.texts("errors");
        REQUIRE_EQ(errors.size(), 1);
        CHECK(errors[0].find("UNREADABLE_BATCH") != std::string::npos);
        CHECK(errors[0].find("7 records of stream in shardId-000000000000 from 1 on") !=
              std::string::npos);
        f.end();
        f.begin();
        f.streams.put("in", row(9, 1));
        f.reactor.advance(2s);
        CHECK_EQ(f.streams.texts("out").back(), "{\"id\":9}");
        CHECK_EQ(f.streams.texts("errors").size(), 1);
    }

    TEST_CASE("an application that has nothing to do writes nothing") {
        QueryFixture f;
        f.streams.add_stream("in");
        f.streams.add_stream("out");
        REQUIRE(f.reactor.run(f.service().create_application(definition_of("copy", kCopyRows))));
        f.streams.put("in", row(0, 1));
        f.reactor.advance(3s);
        const auto saved = f.streams.blobs_saved;
        f.reactor.advance(60s);
        CHECK_EQ(f.streams.blobs_saved, saved);
        f.streams.put("in", row(1, 1));
        f.reactor.advance(3s);
        CHECK_EQ(f.streams.blobs_saved, saved + 1);
    }

    TEST_CASE("SQL text declares its inputs and outputs by itself") {
        QueryFixture f;
        f.streams.add_stream("in", 4);
        f.streams.add_stream("out");
        ApplicationDefinition definition;
        definition.name = "declared";
        definition.is_started = true;
        definition.sql_text =
            "CREATE STREAM \"S\" (ID INTEGER PATH '$.id', TAG VARCHAR(8) PATH '$.tags[0:].t')\n"
            "  WITH (source = 'in', start = 'earliest', parallelism = 2);\n"
            "CREATE STREAM \"D\" (ID INTEGER, TAG VARCHAR(8)) WITH (sink = 'out', format = "
            "'csv');\n"
            "CREATE PUMP \"P1\" AS INSERT INTO \"D\" SELECT STREAM ID, TAG FROM \"S_001\";\n"
            "CREATE PUMP \"P2\" AS INSERT INTO \"D\" SELECT STREAM ID, TAG FROM \"S_002\";\n";
        REQUIRE(f.reactor.run(f.service().create_application(definition)));
        for (int id = 0; id < 20; ++id)
            f.streams.put("in", "{\"id\":" + std::to_string(id) +
                                    ",\"tags\":[{\"t\":\"a\"},{\"t\":\"b,c\"}]}");
        f.reactor.advance(2s);
        std::vector<std::string> expected;
        for (int id = 0; id < 20; ++id) {
            expected.push_back(std::to_string(id) + ",a");
            expected.push_back(std::to_string(id) + ",\"b,c\"");
        }
        auto rows = f.streams.texts("out");
        std::ranges::sort(rows);
        std::ranges::sort(expected);
        CHECK_EQ(rows, expected);
        // Found again after a restart, and nothing is read twice.
        f.restart();
        f.streams.put("in", "{\"id\":99,\"tags\":[]}");
        f.reactor.advance(2s);
        CHECK_EQ(f.streams.texts("out").size(), 41);

        definition.name = "refused";
        definition.sql_text = "CREATE STREAM S (A INTEGER) WITH (source = 'none');";
        CHECK_EQ(f.reactor.run(f.service().create_application(definition)).error().code,
                 Errc::NotFound);
        definition.sql_text = "CREATE STREAM S (A INTEGER) WITH (source = 'in', formt = 'x');";
        const auto refused = f.reactor.run(f.service().create_application(definition));
        CHECK(refused.error().message.find("Did you mean FORMAT?") != std::string::npos);
    }

    TEST_CASE("an application that gets another text goes on behind the rows it has read") {
        QueryFixture f;
        f.streams.add_stream("in", 3);
        f.streams.add_stream("out");
        f.streams.add_stream("other");
        auto definition = definition_of("copy", kCopyRows);
        REQUIRE(f.reactor.run(f.service().create_application(definition)));
        for (int id = 0; id < 10; ++id)
            f.streams.put("in", row(id, 1));
        f.reactor.advance(2s);
        CHECK_EQ(sorted(f.streams.texts("out")), ids(0, 10));
        definition.sql_text = std::string(kCopyRows) + "CREATE STREAM X (A INTEGER);";
        definition.outputs[0].stream = "other";
        REQUIRE(f.reactor.run(f.service().replace_application(definition)));
        for (int id = 10; id < 20; ++id)
            f.streams.put("in", row(id, 1));
        f.reactor.advance(2s);
        CHECK_EQ(f.streams.texts("out").size(), 10);
        CHECK_EQ(sorted(f.streams.texts("other")), ids(10, 20));
        CHECK_EQ(f.state("copy").rows_in, 20);
        f.restart();
        f.streams.put("in", row(20, 1));
        f.reactor.advance(2s);
        CHECK_EQ(sorted(f.streams.texts("other")), ids(10, 21));
        // A text that is none changes nothing.
        definition.sql_text = "CREATE PUMP";
        CHECK_FALSE(f.reactor.run(f.service().replace_application(definition)).has_value());
        f.streams.put("in", row(21, 1));
        f.reactor.advance(2s);
        CHECK_EQ(sorted(f.streams.texts("other")), ids(10, 22));
        definition.name = "nobody";
        CHECK_FALSE(f.reactor.run(f.service().replace_application(definition)).has_value());
    }

    TEST_CASE("an application that gets another text keeps the state of what did not change") {
        QueryFixture f;
        f.streams.add_stream("in");
        f.streams.add_stream("out");
        f.streams.add_stream("other");
        const std::string running =
            "CREATE STREAM \"DESTINATION_SQL_STREAM\" (\"n\" BIGINT);\n"
            "CREATE PUMP \"RUNNING\" AS INSERT INTO \"DESTINATION_SQL_STREAM\"\n"
            "SELECT STREAM COUNT(*) OVER (RANGE INTERVAL '1' DAY PRECEDING) FROM "
            "\"SOURCE_SQL_STREAM_001\";\n";
        const auto second = [](const char* what) {
            return std::string(
                       "CREATE STREAM \"OTHER\" (\"n\" DOUBLE);\n"
                       "CREATE PUMP \"SECOND\" AS INSERT INTO \"OTHER\" SELECT STREAM ") +
                   what +
                   "(\"value\") OVER (RANGE INTERVAL '1' DAY PRECEDING) FROM "
                   "\"SOURCE_SQL_STREAM_001\";\n";
        };
        const auto behind = std::string(
            "CREATE STREAM \"LAST\" (\"n\" DOUBLE); CREATE PUMP \"BEHIND\" AS INSERT INTO \"LAST\" "
            "SELECT STREAM SUM(\"n\") OVER (ROWS 2 PRECEDING) FROM \"OTHER\";");
        auto definition = definition_of("two", running + second("SUM") + behind);
        definition.outputs.push_back({"OTHER", "other", ""});
        REQUIRE(f.reactor.run(f.service().create_application(definition)));
        for (int id = 0; id < 5; ++id)
            f.streams.put("in", row(id, 2));
        f.reactor.advance(2s);
        CHECK_EQ(f.streams.texts("out").back(), "{\"n\":5}");
        definition.sql_text = running + second("MAX") + behind + "CREATE STREAM X (A INTEGER);";
        definition.inputs.clear();  // it keeps its own
        definition.outputs.clear();
        const auto fates = f.reactor.run(f.service().replace_application(definition));
        REQUIRE_MESSAGE(fates.has_value(), (fates ? "" : fates.error().message));
        std::vector<std::string> told;
        for (const auto& fate : *fates)
            told.push_back(fate.describe());
        CHECK_EQ(told, std::vector<std::string>{
                           "RUNNING: state kept",
                           "SECOND: begins anew, its query or a stream of it is another",
                           "BEHIND: begins anew, SECOND, which fills OTHER, is another"});
        f.streams.put("in", row(5, 3));
        f.reactor.advance(2s);
        CHECK_EQ(f.streams.texts("out").back(), "{\"n\":6}");
        CHECK_EQ(f.streams.texts("other").back(), "{\"n\":3}");
        definition.sql_text = running;
        const auto again = f.reactor.run(f.service().replace_application(definition));
        CHECK_FALSE(again.has_value());  // an output names a stream that is not there
    }

    TEST_CASE("a forest scores rows, and the outlier scores highest") {
        QueryFixture f;
        f.streams.add_stream("in");
        f.streams.add_stream("out");
        REQUIRE(f.reactor
                    .run(f.service().create_application(definition_of(
                        "values",
                        "CREATE STREAM \"DESTINATION_SQL_STREAM\" (\"value\" DOUBLE, \"score\" "
                        "DOUBLE);\n"
                        "CREATE PUMP \"P\" AS INSERT INTO \"DESTINATION_SQL_STREAM\"\n"
                        "SELECT STREAM \"value\", ANOMALY_SCORE FROM TABLE(RANDOM_CUT_FOREST(\n"
                        "  CURSOR(SELECT STREAM \"value\" FROM \"SOURCE_SQL_STREAM_001\")));\n")))
                    .has_value());
        for (int id = 0; id < 600; ++id)
            f.streams.put("in", row(id, id == 590 ? 1000 : id % 7));
        f.reactor.advance(2s);
        double outlier = 0, highest = 0;
        for (const auto& text : f.streams.texts("out")) {
            if (!text.starts_with("{\"value\":")) continue;
            const double score = std::stod(text.substr(text.find("\"score\":") + 8));
            if (text.starts_with("{\"value\":1000"))
                outlier = score;
            else
                highest = std::max(highest, score);
        }
        CHECK_GT(outlier, 0);
        CHECK_GT(outlier, highest);
    }

    TEST_CASE("an application goes on after a restart: no row is lost, none of its state") {
        QueryFixture f;
        f.streams.add_stream("in");
        f.streams.add_stream("out");
        REQUIRE(
            f.reactor.run(f.service().create_application(definition_of("count", kCountByMinute))));
        for (int id = 0; id < 10; ++id)
            f.streams.put("in", row(id, 1));
        f.reactor.advance(2s);
        f.end();
        for (int id = 10; id < 15; ++id)
            f.streams.put("in", row(id, 1));
        f.begin();
        f.reactor.advance(2s);
        CHECK(f.streams.texts("out").empty());  // the minute is not over
        f.reactor.advance(70s);
        CHECK_EQ(f.streams.texts("out"), std::vector<std::string>{"{\"rows\":15}"});
        CHECK_EQ(f.state("count").rows_in, 15);
    }

    TEST_CASE("a stopped application stays stopped over a restart and starts from its checkpoint") {
        QueryFixture f;
        f.streams.add_stream("in");
        f.streams.add_stream("out");
        REQUIRE(f.reactor.run(f.service().create_application(definition_of("copy", kCopyRows))));
        f.streams.put("in", row(0, 1));
        f.reactor.advance(1s);
        REQUIRE(f.reactor.run(f.service().stop_application("copy")));
        f.streams.put("in", row(1, 1));
        f.restart();
        f.reactor.advance(1s);
        CHECK_EQ(f.state("copy").status, ApplicationStatus::Stopped);
        CHECK_EQ(f.streams.texts("out"), ids(0, 1));
        REQUIRE(f.reactor.run(f.service().start_application("copy")));
        f.reactor.advance(1s);
        CHECK_EQ(f.streams.texts("out"), ids(0, 2));
    }

    TEST_CASE("a damaged checkpoint is refused, and the application says so") {
        QueryFixture f;
        f.streams.add_stream("in");
        f.streams.add_stream("out");
        REQUIRE(f.reactor.run(f.service().create_application(definition_of("copy", kCopyRows))));
        f.streams.put("in", row(0, 1));
        f.reactor.advance(2s);
        f.end();
        auto& bytes = f.streams.blobs.at({kCheckpointBlob, "copy"});
        bytes[bytes.size() / 2] ^= std::byte{1};
        f.begin();
        f.reactor.advance(1s);
        const auto state = f.state("copy");
        CHECK_EQ(state.status, ApplicationStatus::Failed);
        CHECK_EQ(state.message, "the checkpoint is damaged: its checksum does not match");
        CHECK_EQ(f.streams.texts("out"), ids(0, 1));
        // Deleting it takes the checkpoint away; a new one starts anew.
        REQUIRE(f.reactor.run(f.service().delete_application("copy")));
        CHECK(f.streams.blobs.empty());
    }

    TEST_CASE("rows of two shards all arrive, and those of a split shard's children") {
        QueryFixture f;
        f.streams.add_stream("in", 2);
        f.streams.add_stream("out");
        REQUIRE(f.reactor.run(f.service().create_application(definition_of("copy", kCopyRows))));
        for (int id = 0; id < 50; ++id)
            f.streams.put("in", row(id, 1), "key" + std::to_string(id));
        f.reactor.advance(1s);
        CHECK_EQ(sorted(f.streams.texts("out")), ids(0, 50));
        f.streams.split("in");
        for (int id = 50; id < 100; ++id)
            f.streams.put("in", row(id, 1), "key" + std::to_string(id));
        f.reactor.advance(1s);
        CHECK_EQ(sorted(f.streams.texts("out")), ids(0, 100));
        f.restart();
        f.reactor.advance(1s);
        CHECK_EQ(sorted(f.streams.texts("out")), ids(0, 100));
        CHECK_EQ(f.state("copy").errors, 0);
    }

    TEST_CASE("what cannot run is refused when it is created") {
        QueryFixture f;
        f.streams.add_stream("in");
        f.streams.add_stream("out");
        auto definition = definition_of("copy", kCopyRows);
        definition.inputs[0].stream = "nothing";
        const auto no_stream = f.reactor.run(f.service().create_application(definition));
        REQUIRE_FALSE(no_stream);
        CHECK_EQ(no_stream.error().code, Errc::NotFound);
        CHECK_EQ(no_stream.error().message, "stream nothing does not exist");

        const auto bad_sql = f.reactor.run(f.service().create_application(
            definition_of("copy",
                          "CREATE STREAM \"DESTINATION_SQL_STREAM\" (\"id\" BIGINT);\n"
                          "CREATE PUMP \"P\" AS SELECT;\n")));
        REQUIRE_FALSE(bad_sql);
        CHECK_EQ(bad_sql.error().code, Errc::InvalidArgument);
        CHECK_MESSAGE(bad_sql.error().message.starts_with("line 2, column "),
                      bad_sql.error().message);

        definition = definition_of("copy", kCopyRows);
        definition.outputs[0].name = "DESTINATION";
        CHECK_FALSE(f.reactor.run(f.service().create_application(definition)));
        definition = definition_of("two words", kCopyRows);
        CHECK_FALSE(f.reactor.run(f.service().create_application(definition)));
        CHECK(f.reactor.run(f.service().list_applications()).empty());
        CHECK(f.streams.blobs.empty());

        REQUIRE(f.reactor.run(f.service().create_application(definition_of("copy", kCopyRows))));
        const auto twice =
            f.reactor.run(f.service().create_application(definition_of("copy", kCopyRows)));
        CHECK_EQ(twice.error().code, Errc::AlreadyExists);
        CHECK_EQ(f.reactor.run(f.service().start_application("other")).error().code,
                 Errc::NotFound);
    }

    TEST_CASE("an idle input closes its windows") {
        QueryFixture f;
        f.streams.add_stream("in");
        f.streams.add_stream("out");
        REQUIRE(
            f.reactor.run(f.service().create_application(definition_of("count", kCountByMinute))));
        for (int id = 0; id < 3; ++id)
            f.streams.put("in", row(id, 1));
        f.reactor.advance(59s);
        CHECK(f.streams.texts("out").empty());
        f.reactor.advance(3s);
        CHECK_EQ(f.streams.texts("out"), std::vector<std::string>{"{\"rows\":3}"});
    }

    TEST_CASE("records that are no rows go to error_stream, and the application goes on") {
        QueryFixture f;
        f.streams.add_stream("in");
        f.streams.add_stream("out");
        f.streams.add_stream("errors");
        auto definition = definition_of("copy", kCopyRows);
        definition.outputs.push_back({"error_stream", "errors", ""});
        REQUIRE(f.reactor.run(f.service().create_application(definition)));
        f.streams.put("in", row(0, 1));
        f.streams.put("in", "{\"id\":\"no number\"}");
        f.streams.put("in", "not even JSON");
        f.streams.put("in", row(1, 1));
        f.reactor.advance(1s);
        CHECK_EQ(f.streams.texts("out"), ids(0, 2));
        CHECK_EQ(f.state("copy").errors, 2);
        const auto errors = f.streams.texts("errors");
        REQUIRE_EQ(errors.size(), 2);
        CHECK_MESSAGE(errors[0].find("id") != std::string::npos, errors[0]);
    }

    TEST_CASE("a checkpoint waits for the outputs, so a crash repeats rows but loses none") {
        QueryFixture f;
        f.streams.add_stream("in");
        f.streams.add_stream("out");
        REQUIRE(f.reactor.run(f.service().create_application(definition_of("copy", kCopyRows))));
        f.reactor.advance(1500ms);
        f.streams.refuses = true;
        f.streams.refusal = {Errc::NoSpace, "the disk is full"};
        for (int id = 0; id < 20; ++id)
            f.streams.put("in", row(id, 1));
        f.reactor.advance(5s);
        const auto saved = f.streams.blobs_saved;
        CHECK(f.state("copy").message.find("the disk is full") != std::string::npos);
        f.reactor.advance(10s);
        CHECK_EQ(f.streams.blobs_saved, saved);
        f.end();  // gives the waiting rows up
        CHECK(f.streams.texts("out").empty());
        f.streams.refuses = false;
        f.begin();
        f.reactor.advance(2s);
        CHECK_EQ(f.streams.texts("out"), ids(0, 20));
    }

    TEST_CASE("an input that starts NOW skips what is there") {
        QueryFixture f;
        f.streams.add_stream("in");
        f.streams.add_stream("out");
        for (int id = 0; id < 5; ++id)
            f.streams.put("in", row(id, 1));
        auto definition = definition_of("copy", kCopyRows);
        definition.inputs[0].start = StartingPosition::Now;
        REQUIRE(f.reactor.run(f.service().create_application(definition)));
        f.reactor.advance(1s);
        f.streams.put("in", row(5, 1));
        f.reactor.advance(1s);
        CHECK_EQ(f.streams.texts("out"), ids(5, 6));
    }

    TEST_CASE("columns that are not declared are found in the first records") {
        QueryFixture f;
        f.streams.add_stream("in");
        f.streams.add_stream("out");
        auto definition = definition_of("copy", kCopyRows);
        definition.inputs[0].columns = {};
        REQUIRE(f.reactor.run(f.service().create_application(definition)));
        f.reactor.advance(1s);
        CHECK_EQ(f.state("copy").status, ApplicationStatus::Starting);
        f.streams.put("in", row(0, 1));
        f.reactor.advance(1s);
        CHECK_EQ(f.state("copy").status, ApplicationStatus::Running);
        CHECK_EQ(f.streams.texts("out"), ids(0, 1));
    }
}
