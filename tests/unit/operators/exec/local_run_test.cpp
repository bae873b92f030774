#include "operators/exec/local_run.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>

#include <doctest/doctest.h>

#include "operators/exec/application.h"

using namespace tidemill;
using namespace tidemill::sql;

namespace {

struct TempFile {
    TempFile(std::string name, const std::string& text)
        : path((std::filesystem::temp_directory_path() / std::move(name)).string()) {
        std::ofstream(path) << text;
    }
    ~TempFile() { std::filesystem::remove(path); }
    std::string path;
};

constexpr const char* kCount =
    "CREATE STREAM D (N BIGINT, TOTAL BIGINT); CREATE PUMP P AS INSERT INTO D "
    "SELECT STREAM COUNT(*), SUM(\"v\") FROM S GROUP BY STEP(S.ROWTIME BY INTERVAL '1' MINUTE);";

}  // namespace

TEST_SUITE("operators/exec") {
    TEST_CASE("SQL text names its files and sinks") {
        const TempFile in("tidemill_declared.json",
                          "[{\"a\":{\"b\":1}},{\"a\":{\"b\":2}}]\n{\"a\":{\"b\":300}}");
        const TempFile out("tidemill_declared.csv", "");
        LocalRunOptions options;
        options.sql_text =
            "CREATE STREAM S (B TINYINT PATH '$.a.b') WITH (source = 'file:" + in.path +
            "');"
            "CREATE STREAM D (B INTEGER, \"x\" VARCHAR(2)) WITH (sink = 'file:" +
            out.path +
            "', format = 'csv', header = true, column_delimiter = ';');"
            "CREATE STREAM O (B INTEGER) WITH (sink = 'stdout');"
            "CREATE STREAM R (B INTEGER);"
            "CREATE PUMP P AS INSERT INTO D SELECT STREAM B, ';' FROM S;"
            "CREATE PUMP Q AS INSERT INTO O SELECT STREAM B FROM S;"
            "CREATE PUMP R1 AS INSERT INTO R SELECT STREAM B * 10 FROM S;";
        options.format = PrintFormat::Csv;
        std::ostringstream printed;
        const auto summary = run_local(options, printed);
        REQUIRE_MESSAGE(summary.has_value(), (summary ? "" : summary.error().message));
        CHECK_EQ(summary->errors, 1);
        CHECK_EQ(printed.str(), "{\"B\":1}\n{\"B\":2}\nB\n10\n20\n");
        std::ostringstream written;
        written << std::ifstream(out.path).rdbuf();
        CHECK_EQ(written.str(), "B;x\n1;\";\"\n2;\";\"\n");
        options.sql_text = "CREATE STREAM S (B TINYINT) WITH (source = 'clicks');";
        const auto refused = run_local(options, printed);
        CHECK(refused.error().message.find("--bind S=FILE") != std::string::npos);
    }

    TEST_CASE("a file runs to its end, open windows are emitted, late and bad rows are errors") {
        const TempFile file("tidemill_local_run.csv",
                            "t,v\n2024-01-01 00:00:10,1\n2024-01-01 00:00:50,2\n2024-01-01 "
                            "00:00:20,9\n2024-01-01 00:01:10,\n");
        LocalRunOptions options;
        options.sql_text = kCount;
        options.bind = {{"S", file.path}};
        options.rowtime_column = "t";
        options.format = PrintFormat::Csv;
        options.with_rowtime = true;
        std::ostringstream out;
        const auto summary = run_local(options, out);
        REQUIRE_MESSAGE(summary.has_value(), (summary ? "" : summary.error().message));
        CHECK_EQ(out.str(), "ROWTIME,N,TOTAL\n2024-01-01 00:01:00,2,3\n2024-01-01 00:02:00,1,\n");
        CHECK_EQ(summary->errors, 1);
        CHECK_EQ(summary->rows_printed, 2);
    }

    TEST_CASE("unknown streams and columns name the nearest") {
        const TempFile file("tidemill_local_names.csv", "t,v\n2024-01-01 00:00:10,1\n");
        LocalRunOptions options;
        options.sql_text = kCount;
        options.bind = {{"S", file.path}};
        options.rowtime_column = "t";
        options.print = {"DD"};
        std::ostringstream out;
        const auto wrong_stream = run_local(options, out);
        REQUIRE_FALSE(wrong_stream.has_value());
        CHECK(wrong_stream.error().message.find("Did you mean D?") != std::string::npos);
        options.print.clear();
        options.sql_text = "CREATE STREM D (A INTEGER)";
        const auto wrong_sql = run_local(options, out);
        REQUIRE_FALSE(wrong_sql.has_value());
        CHECK(wrong_sql.error().message.find("Did you mean STREAM?") != std::string::npos);
    }

    TEST_CASE("the taxi series: its labelled days stand among the highest scores") {
        const std::string data = "../shared/data/nab/data/realKnownCause/nyc_taxi.csv";
        if (!std::filesystem::exists(data)) {
            MESSAGE("skipped: no ", data);
            return;
        }
        LocalRunOptions options;
        options.sql_text =
            "CREATE OR REPLACE STREAM \"DESTINATION_SQL_STREAM\" (\"timestamp\" TIMESTAMP, "
            "\"value\" INTEGER, "
            "ANOMALY_SCORE DOUBLE); CREATE OR REPLACE PUMP \"P\" AS INSERT INTO "
            "\"DESTINATION_SQL_STREAM\" SELECT STREAM "
            "\"timestamp\", \"value\", ANOMALY_SCORE FROM TABLE(RANDOM_CUT_FOREST(CURSOR(SELECT "
            "STREAM * FROM "
            "\"SOURCE_SQL_STREAM_001\"), 100, 256, 100000, 24));";
        options.bind = {{"SOURCE_SQL_STREAM_001", data}};
        options.rowtime_column = "timestamp";
        options.format = PrintFormat::Csv;
        std::ostringstream out;
        const auto summary = run_local(options, out);
        REQUIRE_MESSAGE(summary.has_value(), (summary ? "" : summary.error().message));
        CHECK_EQ(summary->rows_printed, 10320);
        CHECK_EQ(summary->errors, 0);

        // Source: the windows of NAB's labels/combined_windows.json.
        static constexpr std::pair<const char*, const char*> kWindows[] = {
            {"2014-10-30 15:30:00", "2014-11-03 22:30:00"},
            {"2014-11-25 12:00:00", "2014-11-29 19:00:00"},
            {"2014-12-23 11:30:00", "2014-12-27 18:30:00"},
            {"2014-12-29 21:30:00", "2015-01-03 04:30:00"},
            {"2015-01-24 20:30:00", "2015-01-29 03:30:00"}};
        std::vector<std::pair<std::string, double>> scored;
        std::istringstream lines(out.str());
        std::string line;
        std::getline(lines, line);
        while (std::getline(lines, line))
            scored.emplace_back(line.substr(0, 19), std::stod(line.substr(line.rfind(',') + 1)));
        scored.erase(scored.begin(),
                     scored.begin() + static_cast<std::ptrdiff_t>(scored.size() * 15 / 100));
        std::vector<double> scores;
        for (const auto& row : scored)
            scores.push_back(row.second);
        std::ranges::sort(scores, std::greater());
        const double top = scores[scores.size() / 100];
        int hit = 0;
        for (const auto& [from, to] : kWindows)
            hit += std::ranges::any_of(scored, [&](const auto& row) {
                return row.first >= from && row.first <= to && row.second >= top;
            });
        CHECK_GE(hit, 4);
    }

    TEST_CASE("a snapshot of other SQL, a flipped bit and a cut are refused") {
        const InputStream input{"S", {{{"v", TypeKind::BigInt}}}};
        const auto make = [&](std::string sql) {
            return std::move(*Application::compile(sql, {&input, 1}));
        };
        auto bytes = make(kCount)->snapshot();
        CHECK(make(kCount)->restore(bytes).has_value());
        CHECK_EQ(make("CREATE STREAM D (A INTEGER)")->restore(bytes).error().code,
                 Errc::InvalidArgument);
        for (std::size_t size = 0; size < bytes.size(); ++size)
            CHECK_EQ(make(kCount)->restore(Bytes(bytes).first(size)).error().code, Errc::Corrupt);
        bytes[bytes.size() / 2] ^= std::byte{1};
        CHECK_EQ(make(kCount)->restore(bytes).error().code, Errc::Corrupt);
    }
}
