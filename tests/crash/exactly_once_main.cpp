// Two producers of the library write through a proxy that breaks their connections with answers in
// hand, to a broker that is killed with SIGKILL and started again. Every record must be reported as
// stored, and stand in the log exactly once, in its key's order, where its result said.
//   exactly_once_test PROGRAM DATA_DIRECTORY [--kills N] [--cuts N] [--seed S] [--cores N]
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

#include <fmt/format.h>

#include "engine/base/random.h"
#include "producer/admin_client.h"
#include "producer/broker_connection.h"
#include "producer/producer.h"
#include "proto/record_batch.h"
#include "tests/process/broker_process.h"
#include "tests/process/cutting_proxy.h"

using namespace tidemill;
using namespace tidemill::test;

namespace {

constexpr std::uint32_t kShards = 4;
constexpr std::uint64_t kKeys = 16;
constexpr std::uint64_t kRecordsAfter = 2000;  // when nothing is broken any more

[[noreturn]] void die(const std::string& text) {
    std::fprintf(stderr, "FAILED: %s\n", text.c_str());
    std::exit(1);
}

/// What was put and what its results said.
struct Ledger {
    struct Place {
        std::string shard;
        std::uint64_t ordinal = 0;
    };
    std::mutex mutex;  // results come on the producers' threads
    std::map<std::string, std::map<std::uint64_t, Place>> stored;  // by key, then number
    std::uint64_t count = 0, duplicates = 0;
    std::string failure;

    std::uint64_t stored_count() {
        const std::lock_guard lock(mutex);
        return count;
    }
};

struct Writer {
    client::Producer producer;
    std::string name;
    std::map<std::string, std::uint64_t> next;  // by key
};

void put_one(Writer& writer, Ledger& ledger, Random& random) {
    const auto key = fmt::format("{}{}", writer.name, random.below(kKeys));
    const std::uint64_t number = writer.next[key]++;
    const auto data = fmt::format("{}/{}", number, std::string(random.below(200), 'x'));
    writer.producer.put_async("s", key, data, [&ledger, key, number](const auto& result) {
        const std::lock_guard lock(ledger.mutex);
        if (!result) {
            ledger.failure = fmt::format("{}/{}: {}", key, number, result.failure().message);
            return;
        }
        ++ledger.count;
        ledger.duplicates += result.is_duplicate() ? 1 : 0;
        if (!ledger.stored[key]
                 .emplace(number, Ledger::Place{result.shard_id(), result.ordinal()})
                 .second)
            ledger.failure = fmt::format("{}/{} has two results", key, number);
    });
}

/// Reads a shard and strikes what it holds off the ledger.
std::uint64_t verify_shard(const std::string& address, const client::ShardDescription& shard,
                           Ledger& ledger, std::map<std::string, std::uint64_t>& next) {
    client::BrokerConnection connection(*client::Endpoint::parse(address));
    std::uint64_t records = 0;
    for (Ordinal from = 0;;) {
        const wire::FetchRequest request(from, shard.uid, 8u << 20, 0, 0);
        const auto reply = connection.call(wire::Kind::Fetch, wire::struct_bytes(request));
        if (!reply) die("reading back: " + reply.error().to_string());
        Bytes rest = reply->attachment;
        if (rest.empty()) return records;
        while (!rest.empty()) {
            const auto batch = RecordBatchView::parse_stamped(rest);
            if (!batch || !batch->payload_is_intact()) die("a batch that was read is damaged");
            RecordCursor cursor(*batch);
            for (RecordView record; cursor.next(record); ++records) {
                const std::string key(record.partition_key);
                const auto number =
                    std::strtoull(std::string(as_text(record.data)).c_str(), nullptr, 10);
                if (number != next[key]++)
                    die(fmt::format("{}: record {} of {} where {} was due", shard.id, number, key,
                                    next[key] - 1));
                const auto& place = ledger.stored[key].at(number);
                if (place.shard != shard.id || place.ordinal != cursor.ordinal())
                    die(fmt::format("{}/{} stands at {} of {}, its result said {} of {}", key,
                                    number, cursor.ordinal(), shard.id, place.ordinal,
                                    place.shard));
            }
            rest = rest.subspan(batch->bytes().size());
            from = batch->end_ordinal();
        }
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) {
        std::fprintf(stderr,
                     "usage: %s PROGRAM DATA_DIRECTORY [--kills N] [--cuts N] [--seed S] "
                     "[--cores N]\n",
                     argv[0]);
        return 2;
    }
    std::uint64_t kills = 20, cuts = 100, seed = 1;
    std::string cores = "1";
    for (int i = 3; i + 1 < argc; i += 2) {
        const auto number = std::strtoull(argv[i + 1], nullptr, 10);
        if (std::strcmp(argv[i], "--kills") == 0) kills = number;
        if (std::strcmp(argv[i], "--cuts") == 0) cuts = number;
        if (std::strcmp(argv[i], "--seed") == 0) seed = number;
        if (std::strcmp(argv[i], "--cores") == 0) cores = argv[i + 1];
    }
    std::printf("seed %lu, %lu kills, %lu connections broken\n", seed, kills, cuts);
    Random random(seed);
    std::filesystem::remove_all(argv[2]);
    std::filesystem::create_directories(argv[2]);
    BrokerProcess broker(argv[1], argv[2], {"--cores", cores});
    broker.start();
    CuttingProxy proxy(seed, cuts);
    proxy.lead_to(broker.address());
    {
        auto admin = client::AdminClient::connect(broker.address());
        if (!admin) die(admin.failure().message);
        auto made = admin->create_stream({"s", kShards, false, std::chrono::hours(24), {}});
        if (!made) die(made.failure().message);
    }

    Ledger ledger;
    client::ProducerOptions options;
    options.endpoint = proxy.address();
    options.linger = std::chrono::microseconds(200);
    options.batch_bytes_max = 4096;
    options.memory_bytes_max = 200'000;
    options.record_ttl = std::chrono::minutes(10);
    options.retry_backoff_min = std::chrono::milliseconds(1);
    options.retry_backoff_max = std::chrono::milliseconds(50);
    std::vector<std::unique_ptr<Writer>> writers;
    for (const char* name : {"a", "b"}) {
        auto producer = client::Producer::connect(options);
        if (!producer) die(producer.failure().message);
        writers.push_back(std::make_unique<Writer>(Writer{std::move(producer.value()), name, {}}));
    }

    std::uint64_t put = 0, next_kill = 500, kills_left = kills, rest = 0;
    while (rest < kRecordsAfter) {
        for (auto& writer : writers)
            put_one(*writer, ledger, random);
        put += writers.size();
        if (kills_left > 0 && ledger.stored_count() >= next_kill) {
            broker.kill();
            --kills_left;
            broker.start();
            proxy.lead_to(broker.address());
            next_kill = ledger.stored_count() + 1 + random.below(3000);
        }
        const bool is_over = kills_left == 0 && proxy.answers_lost() + proxy.requests_cut() == cuts;
        rest += is_over ? writers.size() : 0;
    }
    std::uint64_t retried = 0, reconnects = 0, anew = 0;
    for (auto& writer : writers) {
        writer->producer.close();
        const auto metrics = writer->producer.metrics();
        retried += metrics.batches_retried;
        reconnects += metrics.reconnects;
        anew += metrics.sequences_begun_anew;
    }
    if (!ledger.failure.empty()) die(ledger.failure);
    if (ledger.count != put) die(fmt::format("{} records put, {} stored", put, ledger.count));
    if (anew != 0) die("a producer had to begin its numbers anew");
    if (kills + cuts > 20 && ledger.duplicates == 0)
        die("no answer was lost: the test shows nothing");

    auto admin = client::AdminClient::connect(broker.address());
    if (!admin) die(admin.failure().message);
    std::uint64_t records = 0;
    std::map<std::string, std::uint64_t> next;
    const auto stream = admin->describe_stream("s");
    if (!stream) die(stream.failure().message);
    for (const auto& shard : stream->shards)
        records += verify_shard(broker.address(), shard, ledger, next);
    if (records != put) die(fmt::format("{} records put, {} in the log", put, records));
    if (broker.terminate() != 0) die("the broker did not end cleanly");
    std::printf(
        "%lu records, each stored once and in order; %lu answers lost, %lu requests cut, %lu "
        "reconnects, %lu batches sent again, %lu records found stored by an earlier sending\n",
        records, proxy.answers_lost(), proxy.requests_cut(), reconnects, retried,
        ledger.duplicates);
    std::filesystem::remove_all(argv[2]);
    return 0;
}
