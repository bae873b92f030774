#pragma once

#include <string>
#include <vector>

#include "console/repl/sql_runner.h"
#include "operators/connect/record_decoder.h"
#include "operators/sql/discover_parser.h"
#include "producer/broker_connection.h"
#include "proto/sql_generated.h"

namespace tidemill::console {

/// An in-application input stream fed by a stream of the broker.
struct StreamBinding {
    std::string name;
    std::string stream;
};

/// How records of the bound streams are read.
struct StreamInputOptions {
    sql::RecordFormat format = sql::RecordFormat::Json;
    std::string rowtime_column;  ///< empty: the time of arrival
    bool from_oldest = false;    ///< else only what arrives from now on
};

/// An in-application stream whose rows go to a stream of the broker.
struct OutputBinding {
    std::string name;
    std::string stream;
    std::string key_column = {};  ///< its text is the partition key; empty: rows are spread evenly
};

struct ApplicationLine {
    std::string name, status, message;
    std::uint64_t rows_in = 0, rows_out = 0, errors = 0;
    std::int64_t lag_ms = 0;
    std::uint64_t checkpoints = 0;
    bool is_started = false;  ///< whether it should run
    std::string sql_text;
    std::vector<StreamBinding> inputs;
    std::vector<OutputBinding> outputs;
    std::vector<sql::PumpInfo> pumps;  ///< of describe_application, while it runs
    std::vector<sql::OperatorStats> operators;
};

struct NewApplication {
    std::string name, sql_text;
    std::vector<StreamBinding> inputs;
    std::vector<OutputBinding> outputs;
    StreamInputOptions input_options;
    bool is_started = true;
};

/// SQL in a broker, over the native protocol: queries that push rows until they are given up, and
/// applications. Connects when needed. Threads: one. Errors: the broker's.
class SqlClient final : public SqlRunner {
 public:
    SqlClient(client::Endpoint endpoint, std::vector<StreamBinding> bind,
              StreamInputOptions options)
        : connection_(std::move(endpoint)), bind_(std::move(bind)), options_(std::move(options)) {}

    Result<Summary> run(const Request& request, std::ostream& out,
                        const IsWanted& is_wanted) override;
    Result<Explanation> explain(const std::string& sql_text) override;
    Result<Explanation> measure(
        const std::string& sql_text, const IsWanted& is_wanted,
        const std::function<void(const Explanation&)>& on_progress) override;
    Result<std::pair<Explanation, Explanation>> explain_application(
        const std::string& name) override;
    Result<std::vector<KnownStream>> streams() override;
    Result<sql::Schema> columns_of(const std::string& sql_text, const std::string& stream) override;
    void bind(const std::string& name, const std::string& target) override;
    void read_from_oldest(bool is_oldest) override { options_.from_oldest = is_oldest; }
    std::string target_word() const override { return "stream"; }

    Status create_application(const NewApplication& application);
    /// Another text for an application that is there; it keeps its inputs and outputs if none are
    /// given. Returns what became of each pump, a line each.
    Result<std::vector<std::string>> replace_application(const NewApplication& application);
    Status start_application(const std::string& name);
    Status stop_application(const std::string& name);
    Status delete_application(const std::string& name);
    Result<std::vector<ApplicationLine>> list_applications();
    Result<ApplicationLine> describe_application(const std::string& name);

 private:
    Result<std::string> discover(const sql::DiscoverStatement& statement);
    struct Answer;
    Result<std::uint32_t> ask(const std::string& sql_text, const std::vector<std::string>& print,
                              wire::SqlQueryMode mode);
    /// Gives every answer to `visit` until that says no, the last one came or `is_wanted` says no.
    /// Between answers `visit` is called without one.
    Status follow(std::uint32_t id, const IsWanted& is_wanted,
                  const std::function<Result<bool>(const wire::SqlQueryReply*)>& visit);
    /// `bind_`, and streams of the broker that the text reads by their own names.
    Result<std::vector<StreamBinding>> bindings_for(const std::string& sql_text);
    Result<client::BrokerReply> send_application(std::uint8_t kind,
                                                 const NewApplication& application);
    Status change(std::uint8_t kind, const std::string& name);

    client::BrokerConnection connection_;
    std::vector<StreamBinding> bind_;
    StreamInputOptions options_;
};

}  // namespace tidemill::console
