#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "engine/io/blocking_worker.h"
#include "engine/query/application_definition.h"
#include "engine/query/output.h"
#include "engine/query/query_limits.h"
#include "engine/reactor/gate.h"
#include "engine/reactor/reactor.h"
#include "engine/reactor/signal.h"
#include "operators/vector/schema.h"

namespace tidemill::query {

/// Writes the rows of one in-application stream to a file, to the broker's standard output, or to
/// an HTTP server, in their order, one write in flight. A file gets a row a line, behind what it
/// holds; HTTP gets POSTs of batches, JSON as an array, CSV as lines. What fails for now is tried
/// again, HTTP as often as the output says; then, and when it is refused (4xx but 408 and 429), its
/// rows go to the error stream. Durability: `acknowledged` rows are in the file's storage, or
/// answered with 2xx. Core: the one that made it.
class OutsideWriter final : public Output {
 public:
    /// Errors: AccessDenied (the broker's settings do not allow it), InvalidArgument.
    static Status check(const OutputDefinition& output, const QueryLimits& limits);

    OutsideWriter(Reactor& reactor, const QueryLimits& limits, OutputDefinition output,
                  sql::Schema schema, std::uint64_t rows_before, Hooks hooks);

    void start() override { reactor_.spawn(gate_, run()); }
    void take(const sql::Batch& batch) override;
    Task<bool> wait_acknowledged(std::uint64_t taken, MonoTime deadline) override;
    Task<void> stop() override;

    std::uint64_t taken() const override { return taken_; }
    std::uint64_t acknowledged() const override { return acknowledged_; }
    const std::string& trouble() const override { return trouble_; }

 private:
    struct Rows {
        std::string text;
        std::vector<std::size_t> ends;  // of each row in the text
    };

    Task<void> run();
    Task<void> write(Rows rows);
    Task<Status> write_once(const Rows& rows);
    Rows take_some();
    void refuse(const Rows& rows, const std::string& why);
    void settle(std::size_t rows);

    Reactor& reactor_;
    const QueryLimits& limits_;
    OutputDefinition output_;
    sql::Schema schema_;
    Hooks hooks_;
    Rows waiting_;
    std::uint64_t taken_, acknowledged_;
    std::string trouble_;
    Signal changed_;
    bool is_stopped_ = false;
    Gate gate_;
    BlockingWorker worker_;
};

/// A file's place below the directory that the settings name. Errors: AccessDenied,
/// InvalidArgument.
Result<std::string> allowed_file(const std::string& path, const QueryLimits& limits);

}  // namespace tidemill::query
