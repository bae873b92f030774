#include <doctest/doctest.h>

#include "engine/query/sql_door.h"
#include "proto/sql_generated.h"
#include "tests/unit/engine/query/query_fixture.h"

using namespace tidemill;
using namespace tidemill::query;

namespace {

/// What a connection would have sent.
struct Frames {
    bool wanted = true;
    std::vector<std::vector<std::byte>> tables;
    std::vector<Error> errors;
    bool is_ended = false;

    bool is_wanted() const { return wanted; }
    void send(Bytes table, bool is_last = true) {
        tables.emplace_back(table.begin(), table.end());
        is_ended |= is_last;
    }
    void send_error(const Error& error) {
        errors.push_back(error);
        is_ended = true;
    }
    Task<void> wait_for_room() { co_return; }

    const wire::SqlQueryReply* query(std::size_t i) const {
        return flatbuffers::GetRoot<wire::SqlQueryReply>(tables.at(i).data());
    }
};

struct Request {
    std::uint8_t kind;
    wire::TableBytes message;
};

Request question(std::string_view text, const std::vector<std::string>& print = {},
                 wire::SqlQueryMode mode = wire::SqlQueryMode::Rows) {
    flatbuffers::FlatBufferBuilder builder;
    const auto name = builder.CreateString("SOURCE_SQL_STREAM_001");
    const auto stream = builder.CreateString("in");
    const auto input = wire::CreateSqlInput(builder, name, stream, wire::SqlRecordFormat::Json, 0,
                                            wire::SqlStartingPosition::TrimHorizon);
    const auto inputs = builder.CreateVector(&input, 1);
    const auto sql_text = builder.CreateString(text);
    const auto names = builder.CreateVectorOfStrings(print);
    builder.Finish(wire::CreateSqlQuery(builder, sql_text, inputs, names, 42, true, mode));
    return {static_cast<std::uint8_t>(wire::SqlKind::Query),
            wire::TableBytes(wire::finished_bytes(builder))};
}

/// Serves the request in the background of the fixture's reactor.
class Asked {
 public:
    Asked(QueryFixture& fixture, Request request) : fixture_(fixture), door_(fixture.service()) {
        fixture.reactor.run_in_turn(
            [&] { fixture.reactor.spawn(gate_, serve_sql(door_, std::move(request), frames)); });
    }
    ~Asked() {
        frames.wanted = false;
        fixture_.reactor.run([](Gate& gate) -> Task<void> { co_await gate.close(); }(gate_));
    }
    Frames frames;

 private:
    QueryFixture& fixture_;
    SqlDoor door_;
    Gate gate_;
};

}  // namespace

TEST_SUITE("live queries") {
    TEST_CASE("a bare SELECT pushes rows until it is given up") {
        QueryFixture f;
        f.streams.add_stream("in");
        f.streams.put("in", "{\"city\":\"Oslo\",\"value\":1.5}");
        f.streams.put("in", "{\"city\":null,\"value\":7}");
        Asked asked(f, question("SELECT STREAM \"city\", \"value\" * 2 AS \"twice\"\n"
                                "FROM \"SOURCE_SQL_STREAM_001\";"));
        f.reactor.advance(1s);
        auto& frames = asked.frames;
        REQUIRE(frames.errors.empty());
        REQUIRE_GE(frames.tables.size(), 2);
        REQUIRE(frames.query(0)->streams() != nullptr);
        const auto* head = frames.query(0)->streams()->Get(0);
        CHECK_EQ(head->fields()->Get(0)->name()->str(), "city");
        CHECK_EQ(head->fields()->Get(1)->name()->str(), "twice");
        const auto* rows = frames.query(1)->rows()->Get(0);
        REQUIRE_EQ(rows->rowtime()->size(), 2);
        CHECK_EQ(rows->columns()->Get(0)->texts()->Get(0)->str(), "Oslo");
        CHECK_EQ(rows->columns()->Get(0)->nulls()->Get(1), 1);
        CHECK_EQ(std::bit_cast<double>(rows->columns()->Get(1)->slots()->Get(1)), 14.0);
        const auto before = frames.tables.size();
        f.streams.put("in", "{\"city\":\"Rome\",\"value\":2}");
        f.reactor.advance(1s);
        CHECK_EQ(frames.tables.size(), before + 1);
        CHECK_FALSE(frames.is_ended);
        frames.wanted = false;
        f.reactor.advance(1s);
        CHECK(frames.is_ended);
        CHECK(f.streams.blobs.empty());
    }

    TEST_CASE("a plan is one answer, a measurement one a second, and neither has rows") {
        QueryFixture f;
        f.streams.add_stream("in");
        constexpr std::string_view kText =
            "SELECT STREAM \"n\" FROM \"SOURCE_SQL_STREAM_001\" WHERE \"n\" > 1;";
        {
            Asked early(f, question(kText, {}, wire::SqlQueryMode::Plan));
            f.reactor.advance(1s);
            REQUIRE_EQ(early.frames.errors.size(), 1);  // no record to find columns in: no wait
            CHECK_EQ(early.frames.errors[0].code, Errc::Unavailable);
        }
        f.streams.put("in", "{\"n\":1}");
        f.streams.put("in", "{\"n\":2}");
        Asked plan(f, question(kText, {}, wire::SqlQueryMode::Plan));
        f.reactor.advance(1s);
        CHECK(plan.frames.is_ended);
        REQUIRE_EQ(plan.frames.tables.size(), 3);  // streams, pumps, end
        REQUIRE_EQ(plan.frames.query(1)->pumps()->size(), 1);
        CHECK(plan.frames.query(1)->pumps()->Get(0)->plan()->str().contains("Filter"));
        CHECK(plan.frames.query(1)->operators() == nullptr);

        Asked measured(f, question(kText, {}, wire::SqlQueryMode::Measure));
        f.reactor.advance(3500ms);
        REQUIRE_GE(measured.frames.tables.size(), 4);
        const auto* last = measured.frames.query(measured.frames.tables.size() - 1);
        CHECK(last->rows() == nullptr);
        std::uint64_t filtered = 0;
        for (const auto* op : *last->operators())
            if (op->name()->str() == "Filter") {
                CHECK_EQ(op->rows_in(), 2);
                CHECK(op->step()->str().starts_with("Filter"));
                filtered += op->rows_out();
            }
        CHECK_EQ(filtered, 1);
        CHECK_FALSE(measured.frames.is_ended);
    }

    TEST_CASE("a SQL error comes with its place") {
        QueryFixture f;
        f.streams.add_stream("in");
        f.streams.put("in", "{\"city\":\"Oslo\"}");
        Asked asked(f, question("SELECT STREAM\n  \"town\" FROM \"SOURCE_SQL_STREAM_001\";"));
        f.reactor.advance(1s);
        REQUIRE_EQ(asked.frames.tables.size(), 1);
        CHECK(asked.frames.is_ended);
        const auto* error = asked.frames.query(0)->error();
        REQUIRE(error != nullptr);
        CHECK_EQ(error->line(), 2);
        CHECK_EQ(error->column(), 3);
        CHECK_MESSAGE(error->snippet()->str().find("^") != std::string::npos,
                      error->snippet()->str());
    }

    TEST_CASE("streams that nobody knows are named") {
        QueryFixture f;
        f.streams.add_stream("in");
        f.streams.put("in", "{\"city\":\"Oslo\"}");
        Asked asked(f, question("CREATE STREAM \"S\" (\"city\" VARCHAR(9));", {"T"}));
        f.reactor.advance(1s);
        REQUIRE_EQ(asked.frames.errors.size(), 1);
        CHECK_EQ(asked.frames.errors[0].code, Errc::NotFound);
    }

    TEST_CASE("the service's end is the query's end") {
        QueryFixture f;
        f.streams.add_stream("in");
        Asked asked(f, question("SELECT STREAM * FROM \"SOURCE_SQL_STREAM_001\";"));
        f.reactor.advance(1s);
        CHECK_FALSE(asked.frames.is_ended);  // waits for a first record
        f.reactor.run(f.service().stop());
        CHECK(asked.frames.is_ended);
    }

    TEST_CASE("applications are made and changed over the wire") {
        QueryFixture f;
        f.streams.add_stream("in");
        f.streams.add_stream("out");
        const auto ask = [&](wire::SqlKind kind, Bytes message) {
            Frames frames;
            SqlDoor door(f.service());
            f.reactor.run(serve_sql(
                door, Request{static_cast<std::uint8_t>(kind), wire::TableBytes(message)}, frames));
            return frames;
        };
        const auto made = ask(wire::SqlKind::CreateApplication,
                              encode_definition(definition_of("copy", kCopyRows)));
        REQUIRE(made.errors.empty());
        flatbuffers::FlatBufferBuilder name;
        name.Finish(wire::CreateSqlApplicationName(name, name.CreateString("copy")));
        f.reactor.advance(1s);
        const auto told = ask(wire::SqlKind::DescribeApplication, wire::finished_bytes(name));
        REQUIRE(told.errors.empty());
        const auto* one = flatbuffers::GetRoot<wire::SqlApplicationList>(told.tables.at(0).data());
        CHECK_EQ(one->applications()->Get(0)->definition()->name()->str(), "copy");
        CHECK(ask(wire::SqlKind::StopApplication, wire::finished_bytes(name)).errors.empty());
        const auto listed = ask(wire::SqlKind::ListApplications, {});
        const auto* list =
            flatbuffers::GetRoot<wire::SqlApplicationList>(listed.tables.at(0).data());
        REQUIRE_EQ(list->applications()->size(), 1);
        CHECK_EQ(list->applications()->Get(0)->status()->str(), "stopped");
        CHECK_EQ(list->applications()->Get(0)->definition()->text()->str(), kCopyRows);
        CHECK(ask(wire::SqlKind::DeleteApplication, wire::finished_bytes(name)).errors.empty());
        const auto gone = ask(wire::SqlKind::StartApplication, wire::finished_bytes(name));
        REQUIRE_EQ(gone.errors.size(), 1);
        CHECK_EQ(gone.errors[0].code, Errc::NotFound);
        const auto garbage = ask(wire::SqlKind::Query, as_bytes("no table, surely"));
        REQUIRE_EQ(garbage.errors.size(), 1);
        CHECK_EQ(garbage.errors[0].code, Errc::Corrupt);
        CHECK_EQ(ask(static_cast<wire::SqlKind>(95), {}).errors.at(0).code, Errc::Unsupported);
    }
}
