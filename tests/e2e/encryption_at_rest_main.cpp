// Nothing that was put can be read on disk: streams encrypted, a SQL application over them whose
// state holds what was put, the broker killed and stopped; then every file is searched. With the
// key all of it comes back.
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

#include <fmt/format.h>
#include <unistd.h>

#include "console/repl/sql_client.h"
#include "engine/base/check.h"
#include "producer/admin_client.h"
#include "producer/producer.h"
#include "tests/process/broker_process.h"

using namespace tidemill;
using namespace tidemill::console;
namespace fs = std::filesystem;

namespace {

// In data, partition keys, rows that are errors, and the application's groups.
constexpr std::string_view kMark = "MARKEDPLAINTEXT";
// The window of an hour keeps its groups in the state; the second pump writes them to a stream.
constexpr const char* kText =
    "CREATE STREAM \"SUMS\" (\"who\" VARCHAR(64), \"total\" BIGINT);\n"
    "CREATE STREAM \"OUT\" (\"who\" VARCHAR(64), \"n\" BIGINT);\n"
    "CREATE PUMP \"P\" AS INSERT INTO \"OUT\" SELECT STREAM \"who\", \"n\" FROM \"IN\";\n"
    "CREATE PUMP \"Q\" AS INSERT INTO \"SUMS\" SELECT STREAM \"who\", SUM(\"n\") FROM \"IN\"\n"
    "GROUP BY \"who\", STEP(\"IN\".ROWTIME BY INTERVAL '60' MINUTE);\n";
constexpr std::chrono::seconds kPatience{30};

void put(const test::BrokerProcess& broker, const std::string& stream, int from, int to) {
    client::ProducerOptions options;
    options.endpoint = broker.address();
    auto producer = client::Producer::connect(options);
    TM_CHECK(producer.is_ok());
    for (int n = from; n < to; ++n)
        producer->put_async(stream, fmt::format("{} key {}", kMark, n % 7),
                            fmt::format(R"({{"who":"{} {}","n":{}}})", kMark, n % 50, n),
                            [](const client::PutResult& result) { TM_CHECK(result.is_ok()); });
    producer->flush();
}

/// Waits until the application has written `rows` rows, and has checkpointed since.
void await_rows(const test::BrokerProcess& broker, std::uint64_t rows) {
    SqlClient client(*client::Endpoint::parse(broker.address()), {}, {});
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    for (;;) {
        const auto lines = client.list_applications();
        TM_CHECK(lines.has_value() && lines->size() == 1);
        if (lines->front().rows_out >= rows) break;
        TM_CHECK(std::chrono::steady_clock::now() < deadline, "{} rows of {}: {} {}",
                 lines->front().rows_out, rows, lines->front().status, lines->front().message);
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1500));  // a checkpoint a second
}

enum class Where { Everywhere, BesideTheLog };

bool shows_mark(const fs::path& directory, Where where = Where::Everywhere) {
    for (const auto& entry : fs::recursive_directory_iterator(directory)) {
        const auto first = *fs::relative(entry.path(), directory).begin();
        if (!entry.is_regular_file()) continue;
        if (where == Where::BesideTheLog && first == "log") continue;
        std::ifstream in(entry.path(), std::ios::binary);
        const std::string content{std::istreambuf_iterator<char>(in), {}};
        if (content.find(kMark) == std::string::npos) continue;
        std::printf("%s is readable\n", entry.path().c_str());
        return true;
    }
    return false;
}

void make_streams_and_application(const test::BrokerProcess& broker) {
    auto admin = client::AdminClient::connect(broker.address());
    TM_CHECK(admin.is_ok());
    client::NewStream stream;
    stream.shard_count = 2;
    for (const char* name : {"in", "out"}) {
        stream.name = name;
        TM_CHECK(admin->create_stream(stream).is_ok());
    }
    NewApplication application;
    application.name = "sums";
    application.sql_text = kText;
    application.inputs = {{"IN", "in"}};
    application.outputs = {{"OUT", "out"}};
    application.input_options.from_oldest = true;
    SqlClient client(*client::Endpoint::parse(broker.address()), {}, {});
    const auto made = client.create_application(application);
    TM_CHECK(made.has_value(), "{}", made.error().to_string());
}

/// The whole story under one configuration; true when the mark was found on disk.
bool run_and_search(const std::string& program, const fs::path& data, const fs::path& config) {
    const std::vector<std::string> more{"--cores", "2", "--config", config.string()};
    {
        test::BrokerProcess broker(program, data.string(), more);
        broker.start();
        make_streams_and_application(broker);
        put(broker, "in", 0, 2000);
        await_rows(broker, 2000);
        broker.kill();
    }
    if (shows_mark(data)) return true;
    test::BrokerProcess broker(program, data.string(), more);
    broker.start();
    put(broker, "in", 2000, 3000);
    await_rows(broker, 1000);
    TM_CHECK(broker.terminate() == 0);
    return shows_mark(data);
}

}  // namespace

int main(int argc, char** argv) {
    TM_CHECK(argc == 2, "the program to test");
    const fs::path place =
        fs::temp_directory_path() / ("tidemill-encryption-at-rest-" + std::to_string(::getpid()));
    fs::create_directories(place);
    const fs::path key = place / "master.key", plain = place / "plain.toml",
                   sealed = place / "sealed.toml";
    std::ofstream(key) << "00112233445566778899aabbccddeeff0123456789abcdef0123456789abcdef\n";
    fs::permissions(key, fs::perms::owner_read | fs::perms::owner_write);
    std::ofstream(plain) << "[encryption]\nown_key = \"off\"\n";
    std::ofstream(sealed) << "[encryption]\nmaster_key_file = \"" << key.string()
                          << "\"\ndefault = \"on\"\n";
    // The search must be able to find what it looks for.
    TM_CHECK(run_and_search(argv[1], place / "plain", plain),
             "nothing was found where all is plain");
    TM_CHECK(!run_and_search(argv[1], place / "sealed", sealed), "found where all is encrypted");

    // Application state from before there was a key leaves the catalog's file with the first start
    // that has one. (The records stay: they were written plain.)
    TM_CHECK(shows_mark(place / "plain", Where::BesideTheLog), "the state was to be readable");
    {
        test::BrokerProcess broker(argv[1], (place / "plain").string(),
                                   {"--cores", "2", "--config", sealed.string()});
        broker.start();
        broker.kill();
    }
    TM_CHECK(!shows_mark(place / "plain", Where::BesideTheLog), "the state is still readable");
    fs::remove_all(place);
    std::puts("ok");
}
