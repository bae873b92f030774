#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/query/application_checkpoint.h"
#include "engine/query/application_definition.h"
#include "engine/query/application_feed.h"
#include "engine/query/input_journal.h"
#include "engine/query/output.h"
#include "engine/query/query_limits.h"
#include "engine/query/table_loader.h"
#include "engine/reactor/gate.h"
#include "engine/reactor/reactor.h"
#include "engine/service/stream_service.h"
#include "operators/exec/application.h"

namespace tidemill::query {

enum class ApplicationStatus : std::uint8_t { Stopped, Starting, Running, Failed };
std::string_view status_name(ApplicationStatus status);  ///< "stopped", "starting", ...

/// What an application does and has done since its first start.
struct ApplicationState {
    ApplicationDefinition definition;
    ApplicationStatus status = ApplicationStatus::Stopped;
    std::string message;         ///< why it failed, or what it waits for
    std::uint64_t rows_in = 0;   ///< pushed
    std::uint64_t rows_out = 0;  ///< acknowledged by the output streams
    std::uint64_t errors = 0;    ///< rows of error_stream since it was started
    std::int64_t lag_ms = 0;
    std::uint64_t checkpoints = 0;     ///< saved since it was started
    std::vector<sql::PumpInfo> pumps;  ///< of `detailed_state`, while it runs
    std::vector<sql::OperatorStats> operators;
};

/// The kinds of blobs that applications are kept in.
constexpr const char* kDefinitionBlob = "sql_application";
constexpr const char* kCheckpointBlob = "sql_checkpoint";

/// One application while it runs: sources, the compiled SQL, outputs, and the checkpoints that let
/// it go on after a restart. Exactly once into streams of the broker: what is pushed after a
/// checkpoint is journaled before its rows are written, and after a crash it is pushed again in the
/// same order, so that rows which are in a stream already are known by their numbers
/// (docs/decisions/0013). Core: the one that made it.
class HostedApplication {
 public:
    HostedApplication(StreamService& service, Reactor& reactor, const QueryLimits& limits,
                      ApplicationDefinition definition);

    /// Begins; what goes wrong shows in `state`.
    void start();
    /// Stops the sources, lets the outputs drain, saves a last checkpoint. Resumes when nothing of
    /// it runs any more. Idempotent.
    Task<void> stop();

    ApplicationState state() const;
    /// With pumps and operators; as costly as a snapshot.
    ApplicationState detailed_state() const;

 private:
    Task<void> live();
    Task<Status> open();
    std::unique_ptr<Output> make_output(const OutputDefinition& output, const sql::Schema& schema,
                                        std::uint64_t before, OutputPosition position);
    Task<Status> open_outputs(const ApplicationCheckpoint* from);
    Task<Result<std::optional<ApplicationCheckpoint>>> load_checkpoint();
    Task<Status> save_checkpoint(MonoTime deadline);
    Task<Status> save_checkpoint_alone(MonoTime deadline);

    StreamService& service_;
    Reactor& reactor_;
    const QueryLimits& limits_;
    ApplicationDefinition definition_;
    std::unique_ptr<ApplicationFeed> feed_;
    std::unique_ptr<sql::Application> application_;
    std::vector<std::unique_ptr<Output>> outputs_;
    TableLoader tables_;
    std::unique_ptr<InputJournal> journal_;  // none: at least once
    bool is_saving_ = false;
    Signal saved_;
    ApplicationStatus status_ = ApplicationStatus::Stopped;
    std::string message_;
    std::string checkpoint_trouble_;
    std::uint64_t errors_ = 0, checkpoints_ = 0;
    std::optional<std::vector<ShardPosition>> saved_positions_;  // of the last checkpoint
    std::vector<std::uint64_t> saved_rows_out_;
    bool is_stopped_ = false;
    Gate gate_;
};

/// A SQL error as this layer's error: InvalidArgument with place, line and caret.
std::unexpected<Error> sql_failure(const sql::SqlError& error);

}  // namespace tidemill::query
