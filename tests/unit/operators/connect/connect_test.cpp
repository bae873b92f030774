#include <filesystem>
#include <fstream>

#include <doctest/doctest.h>

#include "engine/base/random.h"
#include "operators/connect/csv_reader.h"
#include "operators/connect/file_source.h"
#include "operators/connect/record_decoder.h"
#include "operators/connect/row_encoder.h"
#include "operators/connect/schema_discovery.h"

using namespace tidemill;
using namespace tidemill::sql;

namespace {

struct Decoded {
    RowBatch rows;
    RejectedRows rejected;
};

Decoded decode(RecordFormat format, const Schema& schema, std::string_view record) {
    Decoded result{RowBatch(schema), {}};
    RecordMetadata metadata;
    metadata.rowtime = 1000;
    metadata.arrival_time = 900;
    metadata.partition_key = "key";
    make_record_decoder(format, schema)->decode(record, metadata, result.rows, result.rejected);
    return result;
}

std::string csv_of(const Decoded& decoded, const Schema& schema) {
    std::string text;
    const auto batch = decoded.rows.view();
    batch.selection.for_each([&](std::size_t row) {
        append_csv_row(text, schema, batch, row);
        text += ';';
    });
    return text;
}

const Schema kSchema{{{"id", TypeKind::BigInt},
                      {"price", TypeKind::Double},
                      {"small", TypeKind::TinyInt},
                      {"name", Type::varchar(4)},
                      {"flag", TypeKind::Boolean},
                      {"at", TypeKind::Timestamp},
                      {"sum", Type::decimal(6, 2)}}};

struct TemporaryFile {
    std::filesystem::path path;
    explicit TemporaryFile(std::string_view text)
        : path(std::filesystem::temp_directory_path() /
               ("tidemill-connect-" + std::to_string(::getpid()))) {
        std::ofstream(path, std::ios::binary) << text;
    }
    ~TemporaryFile() { std::filesystem::remove(path); }
};

}  // namespace

TEST_SUITE("operators/connect") {
    TEST_CASE("JSON values are coerced as the dialect says") {
        const auto row = [&](std::string_view text) {
            return csv_of(decode(RecordFormat::Json, kSchema, text), kSchema);
        };
        CHECK_EQ(
            row(R"({"id":7,"price":1.5,"small":-3,"name":"ab","flag":true,"at":"2014-07-01 00:30:00","sum":12.345})"),
            "7,1.5,-3,ab,true,2014-07-01 00:30:00,12.35;");
        CHECK_EQ(row(R"({})"), ",,,,,,;");
        CHECK_EQ(row(R"({"id":null,"ID":5,"other":[1,{"a":2}]})"), ",,,,,,;");
        CHECK_EQ(row(R"({"id":true,"price":false,"name":12345,"flag":"TRUE"})"),
                 "1,0,,1234,true,,;" + std::string());
    }

    TEST_CASE("a text too long is cut between characters, an object becomes its text") {
        const Schema schema{{{"name", Type::varchar(5)}, {"rest", Type::varchar(100)}}};
        CHECK_EQ(
            csv_of(decode(RecordFormat::Json, schema, R"({"name":"grüße","rest":{"a": [1, 2]}})"),
                   schema),
            "grü,\"{\"\"a\"\": [1, 2]}\";");
    }

    TEST_CASE("a value that does not fit is rejected with its column, the other rows stand") {
        for (const auto* bad : {R"({"id":1.5})", R"({"id":9223372036854775808})",
                                R"({"small":128})", R"({"at":5})", R"({"at":"yesterday"})",
                                R"({"price":"x"})", R"({"id":[1]})", R"({"sum":99999.99})"}) {
            const auto result =
                decode(RecordFormat::Json, kSchema, std::string(bad) + "\n{\"id\":3}\n");
            CHECK_MESSAGE(csv_of(result, kSchema) == "3,,,,,,;", bad);
            REQUIRE_EQ(result.rejected.size(), 1);
            CHECK_EQ(result.rejected[0].name, "TYPE_MISMATCH");
            CHECK_EQ(result.rejected[0].data, bad);
        }
        for (const auto* bad :
             {"nonsense", "{\"id\":1", "{\"id\":01}", "{'id':1}", "\"text\"", "17"}) {
            const auto result =
                decode(RecordFormat::Json, kSchema, std::string(bad) + "\n{\"id\":3}");
            CHECK_MESSAGE(csv_of(result, kSchema) == "3,,,,,,;", bad);
            REQUIRE_EQ(result.rejected.size(), 1);
        }
    }

    TEST_CASE("one record may hold several documents, in lines, side by side, or in an array") {
        for (const auto* text : {"{\"id\":1}{\"id\":2}", "{\"id\":1}\n\n{\n \"id\": 2 }\n",
                                 "[{\"id\":1}, {\"id\":2}]"})
            CHECK_MESSAGE(
                csv_of(decode(RecordFormat::Json, kSchema, text), kSchema) == "1,,,,,,;2,,,,,,;",
                text);
    }

    TEST_CASE("nesting without end is an error, not a crash") {
        const std::string deep(100000, '[');
        const auto result = decode(RecordFormat::Json, kSchema, "{\"id\":1,\"x\":" + deep + "}");
        CHECK_EQ(result.rows.size(), 0);
        CHECK_GE(result.rejected.size(), 1);
    }

    TEST_CASE("hidden columns come from the record's carrier, never from its text") {
        Schema schema{{{"id", TypeKind::BigInt}}};
        for (auto& field : record_metadata_fields())
            schema.fields.push_back(field);
        CHECK_EQ(csv_of(decode(RecordFormat::Json, schema, R"({"PARTITION_KEY":"forged","id":1})"),
                        schema),
                 "1,1970-01-01 00:00:00.900,key,\"\",\"\";");
        CHECK_EQ(csv_of(decode(RecordFormat::Csv, schema, "1\n"), schema),
                 "1,1970-01-01 00:00:00.900,key,\"\",\"\";");
    }

    TEST_CASE("CSV lines are split by RFC 4180") {
        CsvLine line(",");
        const auto texts = [&](std::string_view text) {
            std::string joined;
            for (const auto& field : line.split(text))
                joined += "<" + std::string(field.text) + ">";
            return joined;
        };
        CHECK_EQ(texts("a,b,"), "<a><b><>");
        CHECK_EQ(texts("\"a,b\",\"say \"\"hi\"\"\",c"), "<a,b><say \"hi\"><c>");
        CHECK_EQ(texts("\"open"), "<open>");
        CHECK_EQ(texts(""), "<>");
        std::string_view rest = "a,\"x\ny\"\r\nb,c";
        CHECK_EQ(take_row(RecordFormat::Csv, rest), "a,\"x\ny\"");
        CHECK_EQ(take_row(RecordFormat::Csv, rest), "b,c");
        CHECK_FALSE(take_row(RecordFormat::Csv, rest).has_value());
    }

    TEST_CASE("an empty CSV field is NULL, a quoted empty one an empty text") {
        const Schema schema{{{"n", TypeKind::BigInt}, {"t", Type::varchar(10)}}};
        CHECK_EQ(csv_of(decode(RecordFormat::Csv, schema, ",\n1,\"\"\n"), schema), ",;1,\"\";");
        CHECK_EQ(decode(RecordFormat::Csv, schema, "1,2,3\n").rejected.size(), 1);
    }

    TEST_CASE("discovery finds names in order and types that later rows fit") {
        const auto found = discover_schema(
            RecordFormat::Csv,
            {"t,n,x,b,s,none", "2014-07-01 00:00:00,1,2,true,a,", "2014-07-01,2,2.5,false,,"});
        REQUIRE(found.has_value());
        const auto type = [&](std::size_t i) { return found->schema[i].type.kind; };
        CHECK_EQ(type(0), TypeKind::Timestamp);
        CHECK_EQ(type(1), TypeKind::BigInt);
        CHECK_EQ(type(2), TypeKind::Double);
        CHECK_EQ(type(3), TypeKind::Boolean);
        CHECK_EQ(type(4), TypeKind::Varchar);
        CHECK_EQ(type(5), TypeKind::Varchar);
        const auto json = discover_schema(
            RecordFormat::Json, {R"({"a":1,"b":"2"})", R"({"b":"x","a":1.5,"c":{"d":1}})"});
        REQUIRE(json.has_value());
        CHECK_EQ(json->schema[0].type.kind, TypeKind::Double);
        CHECK_EQ(json->schema[1].type.kind, TypeKind::Varchar);
        CHECK_EQ(json->schema[2].type.kind, TypeKind::Varchar);
        CHECK_FALSE(discover_schema(RecordFormat::Json, {"[]"}).has_value());
        CHECK_EQ(guess_delimiter("a;b;c,d"), ';');
    }

    TEST_CASE("a file gives its rows, its ROWTIME, and says which rows do not fit") {
        const TemporaryFile file(
            "\xef\xbb\xbftime,value\r\n2014-07-01 00:00:00,1\r\n2014-07-01 00:30:00,\r\n"
            "2014-06-30 00:00:00,5\r\n,7\r\n2014-07-01 01:00:00,3\r\n");
        auto source = open_file_source({file.path.string(), "TIME"});
        REQUIRE(source.has_value());
        RowBatch rows((*source)->schema());
        RejectedRows rejected;
        const auto state = (*source)->poll(rows, rejected);
        REQUIRE(state.has_value());
        CHECK_EQ(*state, SourceState::Finished);
        REQUIRE_EQ(rows.size(), 3);
        CHECK_EQ(rows.rowtime.int_at(0), 1404172800000);
        CHECK(rows.columns[1].is_null(1));
        REQUIRE_EQ(rejected.size(), 2);
        CHECK_EQ(rejected[0].name, "OUT_OF_ORDER");
        CHECK_EQ(rejected[1].name, "ROWTIME_ERROR");
        CHECK_FALSE(open_file_source({file.path.string(), "tme"}).has_value());
        CHECK_EQ(open_file_source({"does/not/exist.csv", ""}).error().code, Errc::NotFound);
    }

    TEST_CASE("a number too large for a time is no ROWTIME") {
        const TemporaryFile file("{\"t\":1.5,\"v\":1}\n{\"t\":1e300,\"v\":2}\n");
        auto source = open_file_source({file.path.string(), "t"});
        REQUIRE(source.has_value());
        RowBatch rows((*source)->schema());
        RejectedRows rejected;
        REQUIRE((*source)->poll(rows, rejected).has_value());
        CHECK_EQ(rows.size(), 1);
        REQUIRE_EQ(rejected.size(), 1);
        CHECK_EQ(rejected[0].name, "ROWTIME_ERROR");
    }

    TEST_CASE("a source continues where its position says") {
        std::string text = "n\n";
        for (int i = 0; i < 5000; ++i)
            text += std::to_string(i) + "\n";
        const TemporaryFile file(text);
        auto source = open_file_source({file.path.string(), ""});
        REQUIRE(source.has_value());
        RowBatch rows((*source)->schema());
        RejectedRows rejected;
        REQUIRE_EQ(*(*source)->poll(rows, rejected), SourceState::Ready);
        REQUIRE_EQ(rows.size(), kBatchRows);
        auto again = open_file_source({file.path.string(), ""});
        REQUIRE((*again)->seek((*source)->position()).has_value());
        REQUIRE((*again)->poll(rows, rejected).has_value());
        CHECK_EQ(rows.columns[0].int_at(0), static_cast<std::int64_t>(kBatchRows));
        CHECK_FALSE((*again)->seek("not a place").has_value());
    }

    TEST_CASE("random bytes are rejected or decoded, never a crash") {
        Random random(5);
        for (int i = 0; i < 3000; ++i) {
            std::string text =
                R"({"id":1,"price":2.5,"name":"a\"b","flag":true,"at":"2014-07-01"})";
            for (std::uint64_t k = random.below(6); k > 0; --k)
                text[random.below(text.size())] = static_cast<char>(random.next());
            text.resize(random.below(text.size() + 1));
            decode(RecordFormat::Json, kSchema, text);
            decode(RecordFormat::Csv, kSchema, text);
        }
    }
}
