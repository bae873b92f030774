#include <doctest/doctest.h>

#include "operators/connect/record_layout.h"
#include "operators/connect/row_encoder.h"

using namespace tidemill;
using namespace tidemill::sql;

namespace {

/// What becomes of a JSON value in a column of the type: the row as JSON, or the error's name. The
/// same by both decoders, the plain one and that of paths.
std::string becomes(Type type, std::string_view value, bool is_nullable = true) {
    std::string outcome;
    const Schema schema{{{"c", type, is_nullable, false}}};
    for (const bool is_nested : {false, true}) {
        RecordLayout layout;
        if (is_nested) layout.column_paths = {"$.o.c"};
        std::string record = "{\"c\":" + std::string(value) + "}";
        if (is_nested) record = "{\"o\":" + record + "}";
        RowBatch rows(schema);
        RejectedRows rejected;
        (*make_record_decoder(layout, schema))->decode(record, {}, rows, rejected);
        REQUIRE_EQ(rows.size() + rejected.size(), 1);
        std::string got;
        if (rejected.empty()) {
            append_json_row(got, schema, rows.view(), 0);
            got = got.substr(5, got.size() - 6);
        } else {
            got = rejected[0].name;
            CHECK_EQ(rejected[0].data, record);
        }
        if (is_nested)
            CHECK_EQ(got, outcome);
        else
            outcome = got;
    }
    return outcome;
}

constexpr auto kMismatch = "TYPE_MISMATCH";

Type sized(TypeKind kind, std::uint32_t length) {
    Type type(kind);
    type.length = length;
    return type;
}

}  // namespace

TEST_SUITE("coercion") {
    TEST_CASE("null is NULL in every type, and nothing that NOT NULL takes") {
        for (const TypeKind kind : {TypeKind::Boolean, TypeKind::TinyInt, TypeKind::BigInt,
                                    TypeKind::Double, TypeKind::Varchar, TypeKind::Varbinary,
                                    TypeKind::Date, TypeKind::Time, TypeKind::Timestamp})
            CHECK_EQ(becomes(kind, "null"), "null");
        CHECK_EQ(becomes(TypeKind::BigInt, "null", false), "NOT_NULL");
        CHECK_EQ(becomes(TypeKind::BigInt, "1", false), "1");
    }

    TEST_CASE("booleans") {
        CHECK_EQ(becomes(TypeKind::Integer, "true"), "1");
        CHECK_EQ(becomes(TypeKind::Double, "false"), "0");
        CHECK_EQ(becomes(Type::decimal(5, 2), "true"), "1.00");
        CHECK_EQ(becomes(TypeKind::Boolean, "true"), "true");
        CHECK_EQ(becomes(Type::varchar(10), "false"), "\"false\"");
        CHECK_EQ(becomes(Type::varchar(2), "true"), "\"tr\"");
        CHECK_EQ(becomes(sized(TypeKind::Varbinary, 8), "true"), "\"AQ==\"");
        CHECK_EQ(becomes(sized(TypeKind::Binary, 3), "true"), "\"AAAB\"");
        CHECK_EQ(becomes(sized(TypeKind::Varbinary, 8), "false"), "\"AA==\"");
        for (const TypeKind kind : {TypeKind::Date, TypeKind::Time, TypeKind::Timestamp})
            CHECK_EQ(becomes(kind, "true"), kMismatch);
    }

    TEST_CASE("numbers") {
        CHECK_EQ(becomes(TypeKind::Integer, "123.4"), kMismatch);
        CHECK_EQ(becomes(TypeKind::Integer, "123.0"), "123");
        CHECK_EQ(becomes(TypeKind::TinyInt, "127"), "127");
        CHECK_EQ(becomes(TypeKind::TinyInt, "128"), kMismatch);
        CHECK_EQ(becomes(TypeKind::SmallInt, "-32769"), kMismatch);
        CHECK_EQ(becomes(TypeKind::BigInt, "9223372036854775807"), "9223372036854775807");
        CHECK_EQ(becomes(TypeKind::BigInt, "9223372036854775808"), kMismatch);
        CHECK_EQ(becomes(Type::decimal(4, 1), "1000"), kMismatch);
        CHECK_EQ(becomes(Type::decimal(19, 4), "123456789012345.6789"), "123456789012345.6789");
        CHECK_EQ(becomes(TypeKind::Boolean, "0"), "false");
        CHECK_EQ(becomes(TypeKind::Boolean, "0.0"), "false");
        CHECK_EQ(becomes(TypeKind::Boolean, "-2"), "true");
        CHECK_EQ(becomes(Type::varchar(10), "1.50"), "\"1.50\"");
        for (const TypeKind kind :
             {TypeKind::Date, TypeKind::Time, TypeKind::Timestamp, TypeKind::Varbinary})
            CHECK_EQ(becomes(kind, "5"), kMismatch);
        CHECK_EQ(becomes(TypeKind::Integer, "01"), "PARSE_ERROR");
    }

    TEST_CASE("texts") {
        CHECK_EQ(becomes(TypeKind::Integer, "\" 12 \""), "12");
        CHECK_EQ(becomes(TypeKind::Double, "\"1e3\""), "1000");
        CHECK_EQ(becomes(TypeKind::Integer, "\"12x\""), kMismatch);
        CHECK_EQ(becomes(TypeKind::Integer, "\"\""), kMismatch);
        CHECK_EQ(becomes(TypeKind::Boolean, "\"TRUE\""), "true");
        CHECK_EQ(becomes(TypeKind::Boolean, "\"yes\""), "false");
        CHECK_EQ(becomes(Type::varchar(3), "\"abcdef\""), "\"abc\"");
        CHECK_EQ(becomes(Type::varchar(3), "\"ab\\u00e4\""), "\"ab\"");
        CHECK_EQ(becomes(TypeKind::Date, "\"1992-02-14\""), "\"1992-02-14\"");
        CHECK_EQ(becomes(TypeKind::Timestamp, "\"1992-02-14 18:35:44.0\""),
                 "\"1992-02-14 18:35:44\"");
        CHECK_EQ(becomes(TypeKind::Timestamp, "\"14.2.1992\""), kMismatch);
        CHECK_EQ(becomes(sized(TypeKind::Varbinary, 8), "\"X'3F67A23A'\""), "\"P2eiOg==\"");
        CHECK_EQ(becomes(sized(TypeKind::Varbinary, 8), "\"P2eiOg==\""), "\"P2eiOg==\"");
        for (const auto* text :
             {"\"X'3F6'\"", "\"X'GG'\"", "\"P2e\"", "\"P2=i\"", "\"?aaa\"", "\"AAAAAAAAAAAA\""})
            CHECK_EQ(becomes(sized(TypeKind::Varbinary, 8), text), kMismatch);
    }

    TEST_CASE("arrays and objects") {
        CHECK_EQ(becomes(Type::varchar(50), "[1, {\"a\":\"b\"}]"),
                 "\"[1, {\\\"a\\\":\\\"b\\\"}]\"");
        CHECK_EQ(becomes(Type::varchar(3), "{\"a\":1}"), "\"{\\\"a\"");
        for (const TypeKind kind : {TypeKind::Integer, TypeKind::Boolean, TypeKind::Timestamp})
            CHECK_EQ(becomes(kind, "[1]"), kMismatch);
    }

    TEST_CASE("a document of 10 MiB, a thousand levels, and texts that are no UTF-8") {
        const std::string large(10 << 20, 'x');
        CHECK_EQ(becomes(Type::varchar(5), "\"" + large + "\""), "\"xxxxx\"");
        const auto nested = [](std::size_t levels) {
            return std::string(levels, '[') + std::string(levels, ']');
        };
        CHECK(becomes(Type::varchar(65'000), nested(1'000)).starts_with("\"[[[["));
        CHECK(becomes(Type::varchar(100), nested(100'000)) == "\"" + std::string(100, '[') + "\"");
        CHECK_EQ(becomes(Type::varchar(65'000), "[[[" + nested(2) + "]]"), "PARSE_ERROR");
        CHECK_EQ(becomes(Type::varchar(5), "\"a\xff\""), "PARSE_ERROR");
        CHECK_EQ(becomes(Type::varchar(5), "\"\\ud800\""), "PARSE_ERROR");
    }
}
