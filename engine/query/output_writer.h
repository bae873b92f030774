#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "engine/query/application_definition.h"
#include "engine/query/output.h"
#include "engine/query/query_limits.h"
#include "engine/reactor/gate.h"
#include "engine/reactor/reactor.h"
#include "engine/reactor/signal.h"
#include "engine/service/stream_service.h"
#include "operators/connect/rejected_row.h"
#include "operators/vector/batch.h"
#include "operators/vector/schema.h"

namespace tidemill::query {

/// Writes the rows of one in-application stream to a stream of the broker, in their order, one
/// write in flight; what the broker refuses for now is written again until it is taken.
/// Durability: `acknowledged` rows are committed. Core: the one that made it.
class OutputWriter final : public Output {
 public:
    /// Errors: NotFound when the key column is not there.
    static Status check(const OutputDefinition& output, const sql::Schema& schema);

    OutputWriter(StreamService& service, Reactor& reactor, const QueryLimits& limits,
                 OutputDefinition output, sql::Schema schema, std::uint64_t rows_before,
                 Hooks hooks);

    void start() override;
    void take(const sql::Batch& batch) override;
    Task<bool> wait_acknowledged(std::uint64_t taken, MonoTime deadline) override;
    Task<void> stop() override;

    std::uint64_t taken() const override { return taken_; }
    std::uint64_t acknowledged() const override { return acknowledged_; }
    const std::string& trouble() const override { return trouble_; }

 private:
    struct Row {
        std::size_t key, data, end;  // offsets into the text
    };
    struct Rows {
        std::string text;
        std::vector<Row> rows;
    };

    Task<void> run();
    Task<void> write(Rows rows);
    Task<Status> write_once(Rows& rows);

    StreamService& service_;
    Reactor& reactor_;
    const QueryLimits& limits_;
    OutputDefinition output_;
    sql::Schema schema_;
    Hooks hooks_;
    std::optional<std::size_t> key_column_;
    Rows waiting_;
    std::uint64_t taken_, acknowledged_;
    std::string trouble_;
    Signal changed_;
    bool is_stopped_ = false;
    Gate gate_;
};

}  // namespace tidemill::query
