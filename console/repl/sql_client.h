#pragma once

#include <string>
#include <vector>

#include "console/repl/sql_runner.h"
#include "operators/connect/record_decoder.h"
#include "operators/sql/discover_parser.h"
#include "producer/broker_connection.h"

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

struct ApplicationLine {
    std::string name, status, message;
    std::uint64_t rows_in = 0, rows_out = 0, errors = 0;
    std::int64_t lag_ms = 0;
};

struct NewApplication {
    std::string name, sql_text;
    std::vector<StreamBinding> inputs, outputs;
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

    Result<Summary> run(const std::string& sql_text, const std::vector<std::string>& print,
                        sql::PrintFormat format, std::ostream& out,
                        const std::function<bool()>& is_wanted) override;
    Result<std::string> describe_streams() override;

    Status create_application(const NewApplication& application);
    Status start_application(const std::string& name);
    Status stop_application(const std::string& name);
    Status delete_application(const std::string& name);
    Result<std::vector<ApplicationLine>> list_applications();

 private:
    Result<std::string> discover(const sql::DiscoverStatement& statement);
    Result<std::uint32_t> ask(const std::string& sql_text, const std::vector<std::string>& print);
    Status change(std::uint8_t kind, const std::string& name);

    client::BrokerConnection connection_;
    std::vector<StreamBinding> bind_;
    StreamInputOptions options_;
};

}  // namespace tidemill::console
