#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "engine/query/application_definition.h"
#include "engine/query/output.h"
#include "engine/query/output_numbers.h"
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
/// write in flight; what the broker refuses for now is written again until it is taken. Each row
/// has a number in its shard, so that one which is made again after a crash is written once.
/// Durability: `acknowledged` rows are committed. Core: the one that made it.
class OutputWriter final : public Output {
 public:
    /// Errors: NotFound when the key column is not there.
    static Status check(const OutputDefinition& output, const sql::Schema& schema);

    OutputWriter(StreamService& service, Reactor& reactor, const QueryLimits& limits,
                 OutputDefinition output, sql::Schema schema, std::uint64_t rows_before,
                 OutputPosition from, Hooks hooks);

    void start() override;
    void take(const sql::Batch& batch) override;
    void mark() override {
        mark_ = taken_;
        changed_.notify_all();
    }
    OutputPosition position() const override { return position_; }
    Task<bool> wait_acknowledged(std::uint64_t taken, MonoTime deadline) override;
    Task<void> stop() override;

    std::uint64_t taken() const override { return taken_; }
    std::uint64_t acknowledged() const override { return acknowledged_; }
    const std::string& trouble() const override { return trouble_; }

 private:
    static constexpr std::uint64_t kNoMark = UINT64_MAX;
    struct Row {
        std::size_t key, data, end;  // offsets into the text
        std::uint64_t number;        // among all rows of this output
    };
    struct Rows {
        std::string text;
        std::vector<Row> rows;
    };

    /// What one write does in one shard.
    struct ShardRows;

    Task<void> run();
    Task<void> write(Rows rows);
    Task<Status> write_once(Rows& rows);
    static Status check_row(const StreamInfo& stream, const Row& row);
    void refuse(const Rows& rows, const Row& row, const Error& error);
    Task<Status> append(const Rows& rows, std::vector<ShardRows>& parts);

    StreamService& service_;
    Reactor& reactor_;
    const QueryLimits& limits_;
    OutputDefinition output_;
    sql::Schema schema_;
    Hooks hooks_;
    std::optional<std::size_t> key_column_;
    Rows waiting_;
    std::uint64_t taken_, acknowledged_;
    OutputNumbers numbers_;
    bool has_asked_ = false;        // the log, for what it has already
    std::uint64_t mark_ = kNoMark;  // rows of the checkpoint that is being made
    OutputPosition position_;
    RecordBatchBuilder builder_;
    std::string trouble_;
    Signal changed_;
    bool is_stopped_ = false;
    Gate gate_;
};

}  // namespace tidemill::query
