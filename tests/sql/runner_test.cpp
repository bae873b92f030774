#include <algorithm>
#include <filesystem>

#include <doctest/doctest.h>

#include "operators/connect/record_decoder.h"
#include "operators/connect/row_encoder.h"
#include "operators/exec/application.h"
#include "operators/vector/time_text.h"
#include "tests/sql/slt_case.h"

using namespace tidemill;
using namespace tidemill::sql;
using namespace tidemill::sql_test;

namespace {

// "ROWTIME,ticker VARCHAR(8),price DOUBLE": names in double quotes keep their case.
Schema header_schema(const std::string& header, bool has_rowtime = true) {
    Schema schema;
    std::string part;
    std::vector<std::string> parts;
    int depth = 0;
    for (const char c : header + ",") {
        depth += c == '(' ? 1 : c == ')' ? -1 : 0;
        if (c == ',' && depth == 0) {
            parts.push_back(part);
            part.clear();
        } else {
            part += c;
        }
    }
    if (has_rowtime)
        REQUIRE_EQ(parts.at(0), "ROWTIME");
    else
        parts.insert(parts.begin(), "");
    // The columns are declared as in SQL, so SQL reads them.
    std::string sql = "CREATE STREAM T (";
    for (std::size_t i = 1; i < parts.size(); ++i)
        sql += (i > 1 ? ", " : "") + parts[i];
    auto declared = Application::compile(sql + ")", {});
    REQUIRE_MESSAGE(declared.has_value(), header, ": ",
                    declared ? "" : declared.error().to_string());
    return (*declared)->schema(*(*declared)->find_stream("T"));
}

struct TimedLine {
    std::int64_t rowtime;
    std::size_t input;
    std::string record;
    bool is_bound;
    std::size_t order;
};

struct Feeds {
    std::vector<InputStream> streams;
    std::vector<TimedLine> lines;
};

Feeds read_inputs(const SltCase& test) {
    Feeds feeds;
    for (const auto& input : test.inputs) {
        const auto header_end = input.csv.find('\n');
        feeds.streams.push_back({input.stream, header_schema(input.csv.substr(0, header_end))});
        std::size_t at = header_end + 1;
        while (at < input.csv.size()) {
            const auto end = input.csv.find('\n', at);
            const auto line = input.csv.substr(at, end - at);
            at = end + 1;
            const auto comma = std::min(line.find(','), line.size());
            const auto time = line.substr(0, comma);
            const auto millis =
                time.find('-') == std::string::npos ? parse_time(time) : parse_timestamp(time);
            REQUIRE_MESSAGE(millis.has_value(), "no time: ", line);
            const auto rest = comma == line.size() ? std::string() : line.substr(comma + 1);
            feeds.lines.push_back(
                {*millis, feeds.streams.size() - 1, rest, rest == "BOUND", feeds.lines.size()});
        }
    }
    return feeds;
}

struct Table {
    TableInfo info;
    std::shared_ptr<RowBatch> rows;
};

std::vector<Table> read_tables(const SltCase& test) {
    std::vector<Table> tables;
    for (const auto& text : test.tables) {
        const auto header_end = text.csv.find('\n');
        Table table{{text.stream, header_schema(text.csv.substr(0, header_end), false)}, {}};
        table.rows = std::make_shared<RowBatch>(table.info.schema);
        const auto decoder = make_record_decoder(RecordFormat::Csv, table.info.schema);
        RejectedRows rejected;
        decoder->decode(text.csv.substr(header_end + 1), {}, *table.rows, rejected);
        REQUIRE(rejected.empty());
        tables.push_back(std::move(table));
    }
    return tables;
}

ApplicationOptions options_of(const std::vector<Table>& tables) {
    ApplicationOptions options;
    for (const auto& table : tables)
        options.tables.push_back(table.info);
    return options;
}

std::string joined(const std::vector<std::string>& rows) {
    std::string text;
    for (const auto& row : rows)
        text += (row.empty() ? "(empty)" : row) + "\n";
    return text;
}

std::string joined_all(const std::vector<std::vector<std::string>>& outputs) {
    std::string text;
    for (const auto& rows : outputs)
        text += joined(rows) + "--\n";
    return text;
}

// What a changelog has come to: rows in the order of their texts. A first column of
// '+I', '+U' or '-D' is no part of the key, and says what to do.
std::vector<std::string> settled(const std::vector<std::string>& changes, std::size_t key_columns) {
    std::vector<std::pair<std::string, std::string>> rows;
    for (const auto& change : changes) {
        const bool has_op =
            change.starts_with("+I,") || change.starts_with("+U,") || change.starts_with("-D,");
        const auto row = has_op ? change.substr(3) : change;
        std::size_t end = 0;
        for (std::size_t i = 0; i < key_columns && end != std::string::npos; ++i)
            end = row.find(',', end + (i > 0 ? 1 : 0));
        const auto key = row.substr(0, end);
        const auto found =
            std::ranges::find(rows, key, &std::pair<std::string, std::string>::first);
        if (change.starts_with("-D,")) {
            REQUIRE_MESSAGE(found != rows.end(), "a row was deleted that is not there: ", change);
            rows.erase(found);
        } else if (found == rows.end()) {
            rows.emplace_back(key, row);
        } else {
            found->second = row;
        }
    }
    std::vector<std::string> lines;
    for (auto& row : rows)
        lines.push_back(std::move(row.second));
    std::ranges::sort(lines);
    return lines;
}

// Runs a case, with up to `batch_rows` rows of one input pushed at a time.
std::vector<std::vector<std::string>> run(const SltCase& test, std::size_t batch_rows,
                                          bool with_checkpoints) {
    auto feeds = read_inputs(test);
    std::ranges::sort(feeds.lines, {},
                      [](const TimedLine& line) { return std::pair(line.rowtime, line.order); });
    std::vector<std::vector<std::string>> got(test.outputs.size());
    const auto tables = read_tables(test);
    const auto make = [&] {
        auto compiled = Application::compile(test.sql, feeds.streams, options_of(tables));
        REQUIRE_MESSAGE(compiled.has_value(), test.name, ": ",
                        compiled ? "" : compiled.error().to_string());
        auto application = std::move(*compiled);
        for (const auto& table : tables)
            REQUIRE(application->set_table(table.info.name, table.rows).has_value());
        for (std::size_t i = 0; i < test.outputs.size(); ++i) {
            const auto stream = application->find_stream(test.outputs[i].stream);
            REQUIRE(stream.has_value());
            const auto schema = application->schema(*stream);
            application->subscribe(*stream, [&, i, schema](const Batch& batch) {
                batch.selection.for_each([&](std::size_t row) {
                    std::string line;
                    if (test.outputs[i].with_rowtime) line = cell_text(*batch.rowtime, row) + ",";
                    append_csv_row(line, schema, batch, row);
                    got[i].push_back(line);
                });
            });
        }
        return application;
    };
    auto application = make();
    std::vector<std::unique_ptr<RecordDecoder>> decoders;
    for (const auto& stream : feeds.streams)
        decoders.push_back(make_record_decoder(RecordFormat::Csv, stream.schema));
    for (std::size_t i = 0; i < feeds.lines.size();) {
        const auto input = feeds.lines[i].input;
        const StreamId stream(static_cast<std::uint32_t>(input));
        if (feeds.lines[i].is_bound) {
            application->advance(stream, from_millis(feeds.lines[i++].rowtime));
            continue;
        }
        RowBatch rows(feeds.streams[input].schema);
        RejectedRows rejected;
        for (; i < feeds.lines.size() && feeds.lines[i].input == input &&
               !feeds.lines[i].is_bound && rows.size() < batch_rows;
             ++i) {
            RecordMetadata metadata;
            metadata.rowtime = feeds.lines[i].rowtime;
            decoders[input]->decode(feeds.lines[i].record, metadata, rows, rejected);
        }
        application->push_rows(stream, rows);
        application->reject(rejected);
        if (with_checkpoints) {
            const auto bytes = application->snapshot();
            application = make();
            const auto restored = application->restore(bytes);
            REQUIRE_MESSAGE(restored.has_value(), test.name);
        }
    }
    application->finish();
    for (std::size_t i = 0; i < got.size(); ++i)
        if (test.outputs[i].key_columns > 0) got[i] = settled(got[i], test.outputs[i].key_columns);
    return got;
}

void check_case(const SltCase& test) {
    CAPTURE(test.file);
    CAPTURE(test.name);
    if (!test.error.empty()) {
        std::vector<InputStream> streams = read_inputs(test).streams;
        const auto compiled =
            Application::compile(test.sql, streams, options_of(read_tables(test)));
        REQUIRE_MESSAGE(!compiled.has_value(), test.name, " should be refused");
        const auto text = compiled.error().to_string();
        CHECK_MESSAGE(text.find(test.error) != std::string::npos, text);
        return;
    }
    REQUIRE_MESSAGE(!test.outputs.empty(), test.name, " expects nothing");
    const auto whole = run(test, 1000, false);
    for (std::size_t i = 0; i < whole.size(); ++i) {
        CAPTURE(test.outputs[i].line);
        CHECK_EQ(joined(whole[i]), joined(test.outputs[i].rows));
    }
    // Results depend neither on the batches nor on checkpoints between them.
    CHECK_EQ(joined_all(run(test, 1, false)), joined_all(whole));
    CHECK_EQ(joined_all(run(test, 1, true)), joined_all(whole));
    CHECK_EQ(joined_all(run(test, 2, true)), joined_all(whole));
}

}  // namespace

TEST_SUITE("sql") {
    TEST_CASE("text tests give their rows, in any batches, across checkpoints") {
        std::size_t count = 0;
        for (const auto& entry : std::filesystem::recursive_directory_iterator("tests/sql")) {
            if (entry.path().extension() != ".slt") continue;
            for (const auto& test : read_slt(entry.path().string())) {
                check_case(test);
                ++count;
            }
        }
        CHECK_GT(count, 20);
    }
}
