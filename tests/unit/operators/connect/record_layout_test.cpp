#include "operators/connect/record_layout.h"

#include <doctest/doctest.h>

#include "engine/base/hash_key.h"
#include "operators/connect/json_path.h"
#include "operators/connect/kpl_aggregate.h"
#include "operators/connect/row_encoder.h"

using namespace tidemill;
using namespace tidemill::sql;

namespace {

struct Decoded {
    std::string rows;  // as CSV, one a line
    RejectedRows rejected;
};

Decoded decode(const RecordLayout& layout, const Schema& schema, std::string_view record,
               std::optional<std::size_t> rowtime = {}) {
    auto decoder = make_record_decoder(layout, schema, rowtime);
    REQUIRE_MESSAGE(decoder.has_value(), (decoder ? "" : decoder.error().message));
    RowBatch rows(schema);
    Decoded decoded;
    RecordMetadata metadata;
    metadata.rowtime = 1000;
    metadata.partition_key = "key";
    (*decoder)->decode(record, metadata, rows, decoded.rejected);
    const auto batch = rows.view();
    batch.selection.for_each([&](std::size_t row) {
        append_csv_row(decoded.rows, schema, batch, row);
        decoded.rows += '\n';
    });
    return decoded;
}

RecordLayout json(std::string row_path, std::vector<std::string> paths) {
    RecordLayout layout;
    layout.row_path = std::move(row_path);
    layout.column_paths = std::move(paths);
    return layout;
}

Schema texts(std::initializer_list<std::string_view> names) {
    Schema schema;
    for (const auto name : names)
        schema.fields.push_back({std::string(name), Type::varchar(200)});
    return schema;
}

constexpr std::string_view kOrder = R"({
  "customerName": "John Doe",
  "address": { "streetAddress": [ {"number": "123"}, {"street": "AnyStreet"} ], "city": "Anytown" },
  "orders": [
    { "orderId": "23284", "itemName": "Widget", "itemPrice": "33.99" },
    { "orderId": "63122", "itemName": "Gadget", "itemPrice": "22.50" },
    { "orderId": "77284", "itemName": "Sprocket", "itemPrice": "12.00" } ]
})";

std::string varint_field(int number, std::string_view bytes) {
    std::string text(1, static_cast<char>(number << 3 | 2));
    text += static_cast<char>(bytes.size());
    return text.append(bytes);
}

/// What the Kinesis Producer Library makes of records with these keys and data.
std::string aggregate(const std::vector<std::pair<std::string, std::string>>& records) {
    std::string body;
    for (const auto& [key, data] : records)
        body += varint_field(1, key);
    for (std::size_t i = 0; i < records.size(); ++i)
        body += varint_field(
            3, std::string("\x08") + static_cast<char>(i) + varint_field(3, records[i].second));
    std::string text = "\xf3\x89\x9a\xc2" + body;
    const auto digest = hash_partition_key(body);
    for (int shift = 120; shift >= 0; shift -= 8)
        text += static_cast<char>(static_cast<unsigned char>(digest >> shift));
    return text;
}

}  // namespace

TEST_SUITE("record layout") {
    TEST_CASE("paths read back as they are written, and say what is wrong with them") {
        for (const auto* path : {"$", "$.a.b", "$.items[0:]", "$.items[0:].id", "$['a b'].c",
                                 "$[0:].x", "$['it\\'s']"})
            CHECK_EQ(JsonPath::parse(path)->to_string(), path);
        CHECK_EQ(JsonPath::parse("$[\"a\"]")->to_string(), "$.a");
        for (const auto* path : {"", "a.b", "$.", "$.a[1]", "$.a[", "$.a['x", "$.a..b", "$.a[*]"})
            CHECK_FALSE_MESSAGE(JsonPath::parse(path).has_value(), path);
        CHECK(JsonPath::parse("$.a[3]").error().message.find("[0:]") != std::string::npos);
    }

    TEST_CASE("members, nested members, and those that are not there") {
        const auto schema = texts({"NAME", "CITY", "STREET", "NONE", "WRONG_CASE"});
        const auto decoded =
            decode(json("$", {"$.customerName", "$.address.city", "$.address.streetAddress.street",
                              "$.customerId", "$.CustomerName"}),
                   schema, kOrder);
        CHECK_EQ(decoded.rows, "John Doe,Anytown,AnyStreet,,\n");
        CHECK(decoded.rejected.empty());
    }

    TEST_CASE("an array is one text, or as many rows as it has elements") {
        const auto whole = decode(json("$", {"$.orders[0:]"}), texts({"ORDERS"}), kOrder);
        CHECK(whole.rows.starts_with("\"[\n    { \"\"orderId\"\""));
        const auto flat = decode(json("", {"$.customerName", "$.orders[0:].orderId"}),
                                 texts({"NAME", "ID"}), kOrder);
        CHECK_EQ(flat.rows, "John Doe,23284\nJohn Doe,63122\nJohn Doe,77284\n");
        const auto both = decode(json("$", {"$.a[0:].x", "$.b[0:]"}), texts({"X", "B"}),
                                 R"({"b":[1,2],"a":[{"x":1},{"y":2},{"x":3}]})");
        CHECK_EQ(both.rows, "1,\"[1,2]\"\n,\"[1,2]\"\n3,\"[1,2]\"\n");
        // The text and the elements of the same array.
        const auto same = decode(json("$", {"$.a[0:]", "$.a[0:].x"}), texts({"A", "X"}),
                                 R"({"a":[{"x":1},{"x":2}]})");
        CHECK_EQ(same.rows,
                 "\"[{\"\"x\"\":1},{\"\"x\"\":2}]\",1\n"
                 "\"[{\"\"x\"\":1},{\"\"x\"\":2}]\",2\n");
    }

    TEST_CASE("an array makes at least one row, of NULLs") {
        const auto layout = json("$", {"$.name", "$.a[0:].x"});
        const auto schema = texts({"NAME", "X"});
        CHECK_EQ(decode(layout, schema, R"({"name":"n","a":[]})").rows, ",\n");
        CHECK_EQ(decode(layout, schema, R"({"name":"n"})").rows, "n,\n");
        CHECK_EQ(decode(layout, schema, R"({"name":"n","a":{"x":1}})").rows, "n,1\n");
        CHECK_EQ(decode(layout, schema, R"({"name":"n","a":[1,null]})").rows, "n,\nn,\n");
    }

    TEST_CASE("only one array can be flattened") {
        const auto two =
            make_record_decoder(json("$", {"$.a[0:].x", "$.b[0:].x"}), texts({"A", "B"}));
        REQUIRE_FALSE(two.has_value());
        CHECK(two.error().message.find("$.a[0:] and $.b[0:]") != std::string::npos);
        CHECK_FALSE(make_record_decoder(json("$", {"$.a[0:].b[0:].c"}), texts({"A"})).has_value());
    }

    TEST_CASE("a row path says where the rows are") {
        const auto schema = texts({"id", "SIZE"});
        const std::string_view record = R"({"items":[{"id":1,"s":{"n":5}},{"id":2}],"id":9})";
        const std::string_view rows = "1,5\n2,\n";
        CHECK_EQ(decode(json("$.items[0:]", {"", "$.s.n"}), schema, record).rows, rows);
        CHECK_EQ(decode(json("$.items", {"", "$.s.n"}), schema, record).rows, rows);
        // Paths from the document on.
        CHECK_EQ(
            decode(json("$.items[0:]", {"$.items[0:].id", "$.items[0:].s.n"}), schema, record).rows,
            rows);
        CHECK_EQ(decode(json("$.s", {"$.id", "$.n"}), schema, R"({"s":{"id":7,"n":8}})").rows,
                 "7,8\n");
        CHECK_EQ(
            decode(json("$[0:]", {"$.id", "$.s"}), schema, R"([{"id":1},{"id":2,"s":3}])").rows,
            "1,\n2,3\n");
        CHECK_EQ(decode(json("$.payload", {"$.payload.id", "$.payload.a[0:].x"}), schema,
                        R"({"payload":{"id":1,"a":[{"x":2},{"x":3}]}})")
                     .rows,
                 "1,2\n1,3\n");
    }

    TEST_CASE("a record may hold several documents, and a bad row does not take the others") {
        Schema schema = texts({"NAME"});
        schema.fields.push_back({"N", TypeKind::TinyInt});
        const auto decoded =
            decode(json("$", {"$.a.name", "$.n"}), schema,
                   "{\"a\":{\"name\":\"x\"},\"n\":1}{\"n\":300}\n{\"n\":\n[{\"n\":2},{\"n\":3}]");
        CHECK_EQ(decoded.rows, "x,1\n,2\n,3\n");
        REQUIRE_EQ(decoded.rejected.size(), 2);
        CHECK_EQ(decoded.rejected[0].name, "TYPE_MISMATCH");
        CHECK_EQ(decoded.rejected[0].message, "'300' does not fit column \"N\" (TINYINT)");
        CHECK_EQ(decoded.rejected[0].data, "{\"n\":300}");
        CHECK_EQ(decoded.rejected[0].data_rowtime, 1000);
        CHECK_EQ(decoded.rejected[1].name, "PARSE_ERROR");
    }

    TEST_CASE("ROWTIME may come from a nested column") {
        Schema schema{{{"T", TypeKind::Timestamp}}};
        auto decoder = make_record_decoder(json("$", {"$.meta.at"}), schema, 0);
        REQUIRE(decoder.has_value());
        RowBatch rows(schema);
        RejectedRows rejected;
        (*decoder)->decode(R"({"meta":{"at":"1970-01-01 00:00:05"}}{"meta":{}})", {}, rows,
                           rejected);
        REQUIRE_EQ(rows.size(), 1);
        CHECK_EQ(rows.rowtime.int_at(0), 5000);
        REQUIRE_EQ(rejected.size(), 1);
        CHECK_EQ(rejected[0].name, "ROWTIME_ERROR");
    }

    TEST_CASE("CSV with delimiters of one's own, a header, more fields than columns") {
        RecordLayout layout;
        layout.format = RecordFormat::Csv;
        layout.column_delimiter = "||";
        layout.row_delimiter = ";";
        const Schema schema{{{"A", TypeKind::Integer}, {"B", Type::varchar(10)}}};
        CHECK_EQ(decode(layout, schema, "1||x||more;2;3||\"a;b||c\";").rows, "1,x\n2,\n3,a;b||c\n");
        layout.has_header = true;
        CHECK_EQ(decode(layout, schema, "A||B;1||x").rows, "1,x\n");
        layout = {};
        layout.format = RecordFormat::Csv;
        const auto decoded = decode(layout, schema, "1,x\r\nbad,y\n\n3,z\n");
        CHECK_EQ(decoded.rows, "1,x\n3,z\n");
        REQUIRE_EQ(decoded.rejected.size(), 1);
        CHECK_EQ(decoded.rejected[0].data, "bad,y");
        layout.column_delimiter = "";
        CHECK_FALSE(make_record_decoder(layout, schema).has_value());
    }

    TEST_CASE(
        "an aggregate of the Kinesis Producer Library is opened, a broken one is left alone") {
        const auto record = aggregate({{"k1", "one"}, {"k2", "two"}, {"k1", ""}});
        const auto records = open_kpl_aggregate(record);
        REQUIRE(records.has_value());
        REQUIRE_EQ(records->size(), 3);
        CHECK_EQ((*records)[1].partition_key, "k2");
        CHECK_EQ((*records)[1].data, "two");
        CHECK_EQ((*records)[2].data, "");
        for (std::size_t i = 0; i < record.size(); ++i) {
            std::string broken = record;
            broken[i] = static_cast<char>(broken[i] ^ 1);
            CHECK_FALSE(open_kpl_aggregate(broken).has_value());
            CHECK_FALSE(open_kpl_aggregate(record.substr(0, i)).has_value());
        }
        CHECK_FALSE(open_kpl_aggregate("plain").has_value());
    }
}
