#pragma once

#include <memory>
#include <string>

#include "engine/query/query_service.h"
#include "engine/reactor/test_reactor.h"
#include "tests/unit/engine/query/memory_streams.h"

namespace tidemill::query {

/// All reactors there are: the test's.
class OneReactor final : public ReactorGroup {
 public:
    explicit OneReactor(Reactor& reactor) : reactor_(reactor) {}
    std::uint32_t size() const override { return 1; }
    Reactor& at(CoreId) override { return reactor_; }
    void stop() override {}

 private:
    Reactor& reactor_;
};

/// A broker's SQL over streams in memory; `restart` ends the service and begins a new one over the
/// same streams and blobs.
class QueryFixture {
 public:
    QueryFixture() { begin(); }
    ~QueryFixture() { end(); }

    TestReactor reactor;
    MemoryStreams streams{reactor};

    QueryService& service() { return *service_; }
    void begin() {
        service_ = std::make_unique<QueryService>(streams, group_);
        TM_CHECK(reactor.run(service_->start()).has_value());
    }
    void end() {
        if (service_) reactor.run(service_->stop());
        service_.reset();
    }
    void restart() {
        end();
        begin();
    }
    ApplicationState state(const std::string& name) {
        return reactor.run(service_->describe_application(name)).value();
    }

 private:
    OneReactor group_{reactor};
    std::unique_ptr<QueryService> service_;
};

/// SOURCE_SQL_STREAM_001 from `in`, DESTINATION_SQL_STREAM to `out`; columns "id" and "value".
inline ApplicationDefinition definition_of(std::string name, std::string sql_text) {
    ApplicationDefinition definition;
    definition.name = std::move(name);
    definition.sql_text = std::move(sql_text);
    InputDefinition input;
    input.name = "SOURCE_SQL_STREAM_001";
    input.stream = "in";
    input.start = StartingPosition::TrimHorizon;
    input.columns.fields = {{"id", sql::TypeKind::BigInt}, {"value", sql::TypeKind::Double}};
    definition.inputs.push_back(std::move(input));
    definition.outputs.push_back({"DESTINATION_SQL_STREAM", "out", ""});
    definition.is_started = true;
    return definition;
}

inline std::string row(int id, double value) {
    return "{\"id\":" + std::to_string(id) + ",\"value\":" + std::to_string(value) + "}";
}

constexpr const char* kCopyRows =
    "CREATE STREAM \"DESTINATION_SQL_STREAM\" (\"id\" BIGINT);\n"
    "CREATE PUMP \"P\" AS INSERT INTO \"DESTINATION_SQL_STREAM\"\n"
    "SELECT STREAM \"id\" FROM \"SOURCE_SQL_STREAM_001\" WHERE \"value\" > 0;\n";

constexpr const char* kCountByMinute =
    "CREATE STREAM \"DESTINATION_SQL_STREAM\" (\"rows\" BIGINT);\n"
    "CREATE PUMP \"P\" AS INSERT INTO \"DESTINATION_SQL_STREAM\"\n"
    "SELECT STREAM COUNT(*) FROM \"SOURCE_SQL_STREAM_001\"\n"
    "GROUP BY STEP(\"SOURCE_SQL_STREAM_001\".ROWTIME BY INTERVAL '60' SECOND);\n";

}  // namespace tidemill::query
