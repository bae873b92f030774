// A SQL application copies, counts and windows what producers write, in a broker that is killed
// with SIGKILL and started again, while output shards are split. What stands in its output streams
// must be what an application that nobody disturbs writes: each row once.
//   application_crash_test PROGRAM DATA_DIRECTORY [--kills N] [--seed S] [--cores N]
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include <fmt/format.h>

#include "console/repl/sql_client.h"
#include "engine/base/random.h"
#include "producer/admin_client.h"
#include "producer/broker_connection.h"
#include "producer/producer.h"
#include "proto/record_batch.h"
#include "tests/process/broker_process.h"

using namespace tidemill;
using namespace tidemill::test;

namespace {

constexpr std::uint64_t kKeys = 12;
constexpr std::uint64_t kSplits = 6;
constexpr std::chrono::seconds kPatience{60};
// Windows close by the clock; the sums over days depend on every row before.
constexpr const char* kText = R"(
CREATE STREAM "ALL" ("k" BIGINT, "n" BIGINT);
CREATE PUMP "P1" AS INSERT INTO "ALL" SELECT STREAM "k", "n" FROM "IN";
CREATE STREAM "COUNTS" ("k" BIGINT, "c" BIGINT);
CREATE PUMP "P2" AS INSERT INTO "COUNTS"
SELECT STREAM "k", COUNT(*) OVER (PARTITION BY "k" RANGE INTERVAL '20' DAY PRECEDING) FROM "IN";
CREATE STREAM "WINDOWS" ("k" BIGINT, "c" BIGINT);
CREATE PUMP "P3" AS INSERT INTO "WINDOWS"
SELECT STREAM "k", COUNT(*) FROM "IN" GROUP BY "k", STEP("IN".ROWTIME BY INTERVAL '1' SECOND);
)";

[[noreturn]] void die(const std::string& text) {
    std::fprintf(stderr, "FAILED: %s\n", text.c_str());
    std::exit(1);
}

struct Ledger {
    std::mutex mutex;  // results come on the producer's thread
    std::uint64_t count = 0;
    std::string failure;
    std::uint64_t stored() {
        const std::lock_guard lock(mutex);
        return count;
    }
};

/// Calls `see` with the texts of all records of a stream.
void read_stream(const std::string& address, const std::string& name,
                 const std::function<void(const std::string&)>& see) {
    auto admin = client::AdminClient::connect(address);
    if (!admin) die(admin.failure().message);
    const auto stream = admin->describe_stream(name);
    if (!stream) die(stream.failure().message);
    client::BrokerConnection connection(*client::Endpoint::parse(address));
    for (const auto& shard : stream->shards) {
        for (Ordinal from = 0;;) {
            const wire::FetchRequest request(from, shard.uid, 8u << 20, 0, 0);
            const auto reply = connection.call(wire::Kind::Fetch, wire::struct_bytes(request));
            if (!reply) die("reading back: " + reply.error().to_string());
            Bytes rest = reply->attachment;
            if (rest.empty()) break;
            while (!rest.empty()) {
                const auto batch = RecordBatchView::parse_stamped(rest);
                if (!batch || !batch->payload_is_intact()) die("a batch that was read is damaged");
                RecordCursor cursor(*batch);
                for (RecordView record; cursor.next(record);)
                    see(std::string(as_text(record.data)));
                rest = rest.subspan(batch->bytes().size());
                from = batch->end_ordinal();
            }
        }
    }
}

/// {"k":1,"n":2}
std::pair<std::uint64_t, std::uint64_t> numbers_of(const std::string& text) {
    const auto first = text.find(':'), second = text.rfind(':');
    if (first == std::string::npos || second == first) die("an output has " + text);
    return {std::strtoull(text.c_str() + first + 1, nullptr, 10),
            std::strtoull(text.c_str() + second + 1, nullptr, 10)};
}

using Rows = std::map<std::pair<std::uint64_t, std::uint64_t>, std::uint64_t>;

Rows rows_of(const std::string& address, const std::string& stream, std::uint64_t& count) {
    Rows rows;
    count = 0;
    read_stream(address, stream, [&](const std::string& text) {
        ++rows[numbers_of(text)];
        ++count;
    });
    return rows;
}

void check_each_once(const std::string& address, const std::string& stream,
                     const std::map<std::uint64_t, std::uint64_t>& of_key, std::uint64_t first,
                     std::uint64_t total) {
    const auto until = std::chrono::steady_clock::now() + kPatience;
    std::uint64_t count = 0;
    Rows rows;
    do
        rows = rows_of(address, stream, count);
    while (count < total && std::chrono::steady_clock::now() < until);
    for (const auto& [row, times] : rows)
        if (times != 1)
            die(fmt::format("{}: row {}, {} stands there {} times", stream, row.first, row.second,
                            times));
    for (const auto& [key, records] : of_key)
        for (std::uint64_t n = first; n < first + records; ++n)
            if (!rows.contains({key, n})) die(fmt::format("{}: no row {}, {}", stream, key, n));
    if (count != total) die(fmt::format("{}: {} rows, not {}", stream, count, total));
}

void check_sums(const std::string& address, std::uint64_t total) {
    const auto until = std::chrono::steady_clock::now() + kPatience;
    std::uint64_t sum = 0, count = 0;
    do {
        sum = 0;
        for (const auto& [row, times] : rows_of(address, "windows", count))
            sum += row.second * times;
    } while (sum < total && std::chrono::steady_clock::now() < until);
    if (sum != total) die(fmt::format("windows: {} records are counted, not {}", sum, total));
}

void split_a_shard(const std::string& address, const std::string& name, Random& random) {
    auto admin = client::AdminClient::connect(address);
    if (!admin) return;
    const auto stream = admin->describe_stream(name);
    if (!stream) return;
    std::vector<std::uint32_t> open;
    for (const auto& shard : stream->shards)
        if (shard.is_open()) open.push_back(shard.index);
    if (!open.empty()) admin->split_shard(name, open[random.below(open.size())]);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) {
        std::fprintf(stderr,
                     "usage: %s PROGRAM DATA_DIRECTORY [--kills N] [--seed S] [--cores N]\n",
                     argv[0]);
        return 2;
    }
    std::uint64_t kills = 100, seed = 1;
    std::string cores = "1";
    for (int i = 3; i + 1 < argc; i += 2) {
        if (std::strcmp(argv[i], "--kills") == 0) kills = std::strtoull(argv[i + 1], nullptr, 10);
        if (std::strcmp(argv[i], "--seed") == 0) seed = std::strtoull(argv[i + 1], nullptr, 10);
        if (std::strcmp(argv[i], "--cores") == 0) cores = argv[i + 1];
    }
    std::printf("seed %lu, %lu kills, %s cores\n", seed, kills, cores.c_str());
    Random random(seed);
    std::filesystem::remove_all(argv[2]);
    std::filesystem::create_directories(argv[2]);
    BrokerProcess broker(argv[1], argv[2], {"--cores", cores});
    broker.keep_port();
    broker.start();
    {
        auto admin = client::AdminClient::connect(broker.address());
        if (!admin) die(admin.failure().message);
        for (const auto& [name, shards] :
             {std::pair{"in", 4u}, {"all", 3u}, {"counts", 2u}, {"windows", 1u}})
            if (auto made = admin->create_stream({name, shards, false, std::chrono::hours(24), {}});
                !made)
                die(made.failure().message);
        console::NewApplication application;
        application.name = "crash";
        application.sql_text = kText;
        application.inputs = {{"IN", "in"}};
        application.outputs = {{"ALL", "all"}, {"COUNTS", "counts"}, {"WINDOWS", "windows"}};
        application.input_options.from_oldest = true;
        console::SqlClient client(*client::Endpoint::parse(broker.address()), {}, {});
        if (auto made = client.create_application(application); !made)
            die(made.error().to_string());
    }

    Ledger ledger;
    client::ProducerOptions options;
    options.endpoint = broker.address();
    options.linger = std::chrono::microseconds(500);
    options.batch_bytes_max = 4096;
    options.memory_bytes_max = 60'000;
    options.record_ttl = std::chrono::minutes(10);
    options.retry_backoff_min = std::chrono::milliseconds(1);
    options.retry_backoff_max = std::chrono::milliseconds(20);
    auto producer = client::Producer::connect(options);
    if (!producer) die(producer.failure().message);

    std::map<std::uint64_t, std::uint64_t> next;  // by key
    std::uint64_t put = 0, killed = 0, starts_killed = 0, next_kill = 200;
    while (killed < kills || put % 500 != 0) {
        const auto key = random.below(kKeys);
        producer->put_async("in", std::to_string(key),
                            fmt::format("{{\"k\":{},\"n\":{}}}", key, next[key]++),
                            [&](const client::PutResult& result) {
                                const std::lock_guard lock(ledger.mutex);
                                if (!result)
                                    ledger.failure = result.failure().message;
                                else
                                    ++ledger.count;
                            });
        ++put;
        if (killed == kills || ledger.stored() < next_kill) continue;
        if (killed % (kills / kSplits + 1) == 0)
            split_a_shard(broker.address(), killed % 2 == 0 ? "all" : "counts", random);
        broker.kill();
        ++killed;
        broker.start();
        // While it goes on from its checkpoint, too.
        if (killed < kills && random.below(4) == 0) {
            broker.kill();
            ++killed;
            ++starts_killed;
            broker.start();
        }
        next_kill = ledger.stored() + 1 + random.below(1500);
    }
    producer->close();
    if (!ledger.failure.empty()) die(ledger.failure);
    if (ledger.count != put) die(fmt::format("{} records put, {} stored", put, ledger.count));
    check_each_once(broker.address(), "all", next, 0, put);
    check_each_once(broker.address(), "counts", next, 1, put);
    check_sums(broker.address(), put);
    if (broker.terminate() != 0) die("the broker did not end well");
    std::filesystem::remove_all(argv[2]);
    std::printf("%lu kills, %lu of them at a start; %lu records: each row once\n", killed,
                starts_killed, put);
}
