#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/query/application_definition.h"
#include "engine/query/hosted_application.h"
#include "engine/query/live_query.h"
#include "engine/query/query_limits.h"
#include "engine/query/query_reply.h"
#include "engine/query/stream_sample.h"
#include "engine/reactor/gate.h"
#include "engine/reactor/reactor.h"
#include "engine/service/stream_service.h"

namespace tidemill::query {

/// SQL applications of this broker: kept by name, run on streams, spread over the reactors. One a
/// process. Definitions and checkpoints are blobs of the StreamService, so applications come back
/// after a restart and go on from their checkpoint. Core: made and destroyed on any thread while
/// nothing of it runs; every function below may be called on any reactor and resumes there.
class QueryService {
 public:
    QueryService(StreamService& service, ReactorGroup& reactors, QueryLimits limits = {});
    ~QueryService();
    QueryService(const QueryService&) = delete;
    QueryService& operator=(const QueryService&) = delete;

    /// Loads all definitions and starts the applications that ran. A definition that cannot be read
    /// is reported in the log and left alone. After the StreamService is ready. Errors: those of
    /// listing the blobs.
    Task<Status> start();
    /// Stops all applications with a last checkpoint, and ends live queries. Before the
    /// StreamService stops; nothing may be called after.
    Task<void> stop();

    /// Keeps a new application and starts it when `is_started` is set. The SQL is compiled first if
    /// the columns of all inputs are declared or can be found now; otherwise its errors show in its
    /// state. Durability: it is kept once this returns. Errors: InvalidArgument (definition; SQL,
    /// with line, column and caret), AlreadyExists, NotFound (a stream), LimitExceeded.
    Task<Status> create_application(ApplicationDefinition definition);
    /// From its checkpoint, if it has one. Errors: NotFound, ResourceInUse (another change is
    /// under way). Starting what runs, and stopping what does not, is fine.
    Task<Status> start_application(std::string name);
    Task<Status> stop_application(std::string name);
    /// Gives the application of that name another definition; without inputs it keeps its own, and
    /// its outputs. It goes on where it stopped reading, and so does the state of what did not
    /// change (sql::Application::carry); says what became of each pump. It runs afterwards if it
    /// ran, or `is_started` is set. Errors: those of create_application, NotFound, ResourceInUse;
    /// it is then as it was.
    Task<Result<std::vector<sql::PumpCarried>>> replace_application(
        ApplicationDefinition definition);
    /// Stops it and forgets it and its checkpoint. Errors: NotFound, ResourceInUse.
    Task<Status> delete_application(std::string name);

    Task<std::vector<ApplicationState>> list_applications();  ///< by name
    Task<Result<ApplicationState>> describe_application(std::string name);

    /// Some records of a stream. Errors: NotFound, those of reading.
    Task<Result<std::vector<std::string>>> sample_stream(std::string stream, SampleFrom from,
                                                         std::size_t most) {
        return query::sample_stream(service_, std::move(stream), from, most);
    }

    /// Ad-hoc query on the current core; ends when `reply` is not wanted, or with `stop`.
    /// Ownership: `reply` outlives the task.
    Task<void> run_query(LiveQueryRequest request, QueryReply& reply);

    /// Prometheus lines of all applications.
    Task<std::string> metrics_text();

 private:
    struct Entry {
        ApplicationDefinition definition;
        CoreId core;
        std::unique_ptr<HostedApplication> hosted;  // made, used and destroyed on `core`
        bool is_changing = false;
    };
    /// Holds an entry for one change at a time.
    struct Change {
        explicit Change(Entry& held) : entry(held) { entry.is_changing = true; }
        ~Change() { entry.is_changing = false; }
        Change(const Change&) = delete;
        Change& operator=(const Change&) = delete;
        Entry& entry;
    };

    Reactor& home() const { return reactors_.at(CoreId{0}); }
    Task<Status> load();
    Task<void> stop_all();
    Task<Status> create(ApplicationDefinition definition);
    Task<Result<std::vector<sql::PumpCarried>>> replace(ApplicationDefinition definition);
    Task<Status> check(ApplicationDefinition definition);
    Task<Result<std::vector<sql::PumpCarried>>> carry_checkpoint(ApplicationDefinition from,
                                                                 ApplicationDefinition to);
    Task<Result<std::vector<sql::PumpCarried>>> carry_state(const ApplicationDefinition& to,
                                                            Bytes snapshot,
                                                            ApplicationCheckpoint& carried);
    Task<Status> start_one(std::string name);
    Task<Status> stop_one(std::string name);
    Task<Status> remove(std::string name);
    Task<std::vector<ApplicationState>> list(std::string only);
    Task<Status> try_compile(ApplicationDefinition definition);
    Task<void> host(Entry& entry);
    Task<void> unhost(Entry& entry);
    Task<Status> keep(ApplicationDefinition definition);
    Result<Entry*> entry_for_change(const std::string& name);

    StreamService& service_;
    ReactorGroup& reactors_;
    QueryLimits limits_;
    // On the home core only:
    std::map<std::string, Entry, std::less<>> applications_;
    std::uint32_t next_core_ = 0;
    bool is_stopped_ = false;
    // Live queries, each core its own:
    struct PerCore {
        Gate gate;
        bool is_stopping = false;
    };
    std::vector<std::unique_ptr<PerCore>> cores_;
};

}  // namespace tidemill::query
