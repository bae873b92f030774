// A SQL application in a real broker of several cores: made over the wire, fed, restarted with it.
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string>
#include <thread>

#include <unistd.h>

#include "console/repl/sql_client.h"
#include "engine/base/check.h"
#include "producer/admin_client.h"
#include "producer/producer.h"
#include "tests/process/broker_process.h"

using namespace tidemill;
using namespace tidemill::console;

namespace {

constexpr const char* kText =
    "CREATE STREAM \"OUT\" (\"n\" BIGINT);\n"
    "CREATE PUMP \"P\" AS INSERT INTO \"OUT\" SELECT STREAM \"n\" FROM \"IN\" WHERE \"n\" > 0;\n";
constexpr std::chrono::seconds kPatience{30};

SqlClient client_of(const test::BrokerProcess& broker) {
    return SqlClient(*client::Endpoint::parse(broker.address()), {}, {});
}

void put(const test::BrokerProcess& broker, int from, int to) {
    client::ProducerOptions options;
    options.endpoint = broker.address();
    auto producer = client::Producer::connect(options);
    TM_CHECK(producer.is_ok());
    for (int n = from; n < to; ++n)
        producer->put_async("in", std::to_string(n), "{\"n\":" + std::to_string(n) + "}",
                            [](const client::PutResult& result) { TM_CHECK(result.is_ok()); });
    producer->flush();
}

/// Waits until the application has written `rows` rows in all.
ApplicationLine await_rows(const test::BrokerProcess& broker, std::uint64_t rows) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    for (;;) {
        auto client = client_of(broker);
        const auto lines = client.list_applications();
        TM_CHECK(lines.has_value(), "{}", lines.error().to_string());
        TM_CHECK(lines->size() == 1);
        const auto& line = lines->front();
        TM_CHECK(line.rows_out <= rows, "{} rows, too many", line.rows_out);
        if (line.rows_out == rows) return line;
        TM_CHECK(std::chrono::steady_clock::now() < deadline, "{} rows of {}: {} {}", line.rows_out,
                 rows, line.status, line.message);
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
}

}  // namespace

int main(int argc, char** argv) {
    TM_CHECK(argc == 2, "the program to test");
    const auto place = std::filesystem::temp_directory_path() /
                       ("tidemill-sql-application-" + std::to_string(::getpid()));
    {
        test::BrokerProcess broker(argv[1], place.string(), {"--cores", "2"});
        broker.start();
        auto admin = client::AdminClient::connect(broker.address());
        TM_CHECK(admin.is_ok());
        client::NewStream stream;
        stream.shard_count = 4;
        for (const char* name : {"in", "out"}) {
            stream.name = name;
            TM_CHECK(admin->create_stream(stream).is_ok());
        }
        NewApplication application;
        application.name = "positive";
        application.sql_text = kText;
        application.inputs = {{"IN", "in"}};
        application.outputs = {{"OUT", "out"}};
        application.input_options.from_oldest = true;
        auto client = client_of(broker);
        const auto made = client.create_application(application);
        TM_CHECK(made.has_value(), "{}", made.error().to_string());
        put(broker, -500, 1001);
        const auto line = await_rows(broker, 1000);
        TM_CHECK(line.status == "running" && line.errors == 0, "{}", line.message);
        TM_CHECK(broker.terminate() == 0);
    }
    {
        test::BrokerProcess broker(argv[1], place.string(), {"--cores", "2"});
        broker.start();
        put(broker, 1, 501);
        await_rows(broker, 1500);
        auto client = client_of(broker);
        TM_CHECK(client.stop_application("positive").has_value());
        TM_CHECK(client.delete_application("positive").has_value());
        TM_CHECK(client.list_applications()->empty());
        TM_CHECK(broker.terminate() == 0);
    }
    std::filesystem::remove_all(place);
    std::puts("ok");
}
