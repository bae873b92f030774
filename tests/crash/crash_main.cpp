// Kills a real broker with SIGKILL at random moments under load and proves, after each restart,
// that every acknowledged record is read back once, whole, in order, at the ordinal of its
// acknowledgement.
//   crash_test PROGRAM DATA_DIRECTORY [--kills N] [--seed S] [--cores N]
// The moment of a kill is a number of acknowledgements drawn from the seed; some kills fall into
// the restart itself. Load: a connection a shard, several batches in flight each. Unacknowledged
// batches may be there whole, once, or not at all.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <filesystem>
#include <memory>
#include <vector>

#include <fmt/format.h>

#include "engine/base/random.h"
#include "producer/admin_client.h"
#include "producer/broker_connection.h"
#include "proto/record_batch.h"
#include "tests/crash/ledger.h"
#include "tests/process/broker_process.h"

using namespace tidemill;
using namespace tidemill::test;

namespace {

constexpr std::uint32_t kShards = 4;
constexpr std::size_t kWindow = 16;

struct Writer {
    ShardUid shard;
    ShardLedger ledger;
    client::FrameChannel channel;
    std::map<std::uint32_t, std::uint64_t> in_flight;  // request id -> batch number
};

[[noreturn]] void die(const std::string& text) {
    std::fprintf(stderr, "FAILED: %s\n", text.c_str());
    std::exit(1);
}

MonoTime soon() { return std::chrono::steady_clock::now() + 10s; }

void send_batch(Writer& writer, Random& random) {
    const auto records =
        static_cast<std::uint32_t>(1 + random.below(random.chance(0.2) ? 300 : 10));
    const auto number = writer.ledger.sent(records);
    RecordBatchBuilder builder;
    for (std::uint32_t i = 0; i < records; ++i)
        builder.add(ShardLedger::key_of(number, i), as_bytes(ShardLedger::data_of(number, i)));
    const wire::ProduceRequest request(writer.shard.value, 0);
    const auto id = writer.channel.next_request_id();
    writer.channel.send(wire::Kind::Produce, id, wire::struct_bytes(request),
                        builder.finish().bytes());
    writer.in_flight[id] = number;
}

// Takes the answers that are there; false when the connection is gone.
bool take_answers(Writer& writer, std::uint64_t& acknowledgements) {
    const auto filled = writer.channel.fill();
    if (!filled) return false;
    for (;;) {
        const auto frame = writer.channel.next();
        if (!frame) return false;
        if (!*frame) return true;
        const auto& reply = **frame;
        const auto it = writer.in_flight.find(reply.header.request_id);
        if (it == writer.in_flight.end()) die("an answer to no request");
        if (reply.is_error())
            die("the broker refused a batch: " +
                error_of(reply, writer.channel.endpoint()).message);
        const auto answer = wire::read_struct<wire::ProduceReply>(reply.envelope);
        if (!answer) die("an answer of the wrong size");
        writer.ledger.acknowledged(it->second, answer->first_ordinal());
        writer.in_flight.erase(it);
        ++acknowledgements;
    }
}

// Writes until `wanted` batches are acknowledged, then kills the broker with the rest in flight and
// collects the acknowledgements that were already under way: they count as well.
void load_and_kill(BrokerProcess& broker, std::vector<std::unique_ptr<Writer>>& writers,
                   std::uint64_t wanted, Random& random) {
    const auto endpoint = client::Endpoint::parse(broker.address());
    for (auto& writer : writers) {
        if (const auto opened = writer->channel.open(*endpoint, soon()); !opened)
            die(opened.error().to_string());
        writer->in_flight.clear();
    }
    std::uint64_t acknowledgements = 0;
    while (acknowledgements < wanted)
        for (auto& writer : writers) {
            while (writer->in_flight.size() < kWindow)
                send_batch(*writer, random);
            if (!writer->channel.flush() || !take_answers(*writer, acknowledgements))
                die("the broker closed a connection under load");
        }
    broker.kill();
    for (auto& writer : writers) {
        while (writer->channel.is_open() && take_answers(*writer, acknowledgements)) {
        }
        writer->channel.close();
    }
}

std::uint64_t verify(const std::string& address, Writer& writer) {
    client::BrokerConnection connection(*client::Endpoint::parse(address));
    std::uint64_t records = 0;
    writer.ledger.restart_reading();
    for (Ordinal from = 0;;) {
        const wire::FetchRequest request(from, writer.shard.value, 8u << 20, 0, 0);
        const auto reply = connection.call(wire::Kind::Fetch, wire::struct_bytes(request));
        if (!reply) die("reading back: " + reply.error().to_string());
        Bytes rest = reply->attachment;
        if (rest.empty()) break;
        while (!rest.empty()) {
            const auto batch = RecordBatchView::parse_stamped(rest);
            if (!batch || !batch->payload_is_intact()) die("a batch that was read is damaged");
            RecordCursor cursor(*batch);
            std::string why;
            for (RecordView record; cursor.next(record); ++records)
                if (!writer.ledger.read(cursor.ordinal(), record.partition_key, record.data, why))
                    die(fmt::format("shard {}: {}", writer.shard, why));
            rest = rest.subspan(batch->bytes().size());
        }
        from = writer.ledger.next_expected();
    }
    std::string why;
    if (!writer.ledger.finish(why)) die(fmt::format("shard {}: {}", writer.shard, why));
    return records;
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
    std::printf("seed %lu, %lu kills\n", seed, kills);
    Random random(seed);
    std::filesystem::remove_all(argv[2]);
    std::filesystem::create_directories(argv[2]);
    BrokerProcess broker(argv[1], argv[2], {"--cores", cores});
    broker.start();

    std::vector<std::unique_ptr<Writer>> writers;
    {
        auto admin = client::AdminClient::connect(broker.address());
        if (!admin) die(admin.failure().message);
        auto stream = admin->create_stream({"crash", kShards, false, std::chrono::hours(24), {}});
        if (!stream) die(stream.failure().message);
        for (const auto& shard : stream->shards) {
            writers.push_back(std::make_unique<Writer>());
            writers.back()->shard = ShardUid{shard.uid};
        }
    }

    std::uint64_t kills_in_restart = 0, records = 0;
    for (std::uint64_t kill = 0; kill < kills;) {
        load_and_kill(broker, writers, 1 + random.below(random.chance(0.5) ? 30 : 1000), random);
        ++kill;
        while (kill < kills && random.chance(0.25)) {
            // Into the restart: as soon as the process exists, or once it has begun to listen.
            broker.launch();
            if (random.chance(0.5)) broker.await_ready();
            broker.kill();
            ++kill;
            ++kills_in_restart;
        }
        broker.start();
        // All of it now and then, and at the end; reading back grows with what was written.
        if (kill % 5 == 0 || kill >= kills) {
            records = 0;
            for (auto& writer : writers)
                records += verify(broker.address(), *writer);
        }
    }
    std::uint64_t acknowledged = 0;
    for (auto& writer : writers)
        acknowledged += writer->ledger.acknowledged_records();
    if (broker.terminate() != 0) die("the broker did not end cleanly");
    broker.start();
    for (auto& writer : writers)
        verify(broker.address(), *writer);
    broker.terminate();
    std::printf(
        "%lu kills (%lu of them during a restart): %lu records acknowledged, %lu read back, each "
        "once and in order\n",
        kills, kills_in_restart, acknowledged, records);
    std::filesystem::remove_all(argv[2]);
    return 0;
}
