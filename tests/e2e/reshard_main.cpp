// Keys written at full speed and read all the while, as their shards are split, merged and scaled:
// each key's records arrive as 1, 2, ... n, no gap, no repetition, in order.
//   e2e_reshard PROGRAM [--seed N] [--seconds N] [--kill] [--verbose]
// --kill: the broker is killed and started again in the middle, at a moment when a change of shards
// is under way; the batches whose answers were lost then are sent again, and stored once.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <thread>

#include <fmt/format.h>
#include <unistd.h>

#include "consumer/consumer.h"
#include "producer/admin_client.h"
#include "producer/producer.h"
#include "tests/process/broker_process.h"

namespace {

using namespace std::chrono_literals;
using namespace tidemill;
using namespace tidemill::client;
using Clock = std::chrono::steady_clock;

constexpr const char* kStream = "s";
constexpr int kWriters = 3, kKeys = 40;

struct Options {
    std::string program;
    std::uint64_t seed = 1;
    double seconds = 2;
    bool kill = false, verbose = false;
};

[[noreturn]] void give_up(const std::string& why) {
    std::fprintf(stderr, "FAILED: %s\n", why.c_str());
    std::fflush(stderr);
    std::_Exit(1);
}

template <class T>
T must(Outcome<T> outcome, const char* what) {
    if (!outcome) give_up(fmt::format("{}: {}", what, outcome.failure().message));
    return std::move(*outcome);
}

/// What was put, and what has become of it.
struct Ledger {
    std::mutex mutex;
    std::map<std::string, std::uint64_t> put;
    std::atomic<std::uint64_t> stored{0}, retried{0};
    std::atomic<std::int64_t> slowest_us{0};  // of the probe's puts
};

void write(const Options& options, const std::string& address, int writer,
           const std::atomic<bool>& is_stopping, Ledger& ledger) {
    ProducerOptions wanted;
    wanted.endpoint = address;
    wanted.linger = 1ms;
    wanted.memory_bytes_max = 4 * 1024 * 1024;
    wanted.record_ttl = 120s;
    auto producer = must(Producer::connect(wanted), "a producer");
    std::vector<std::uint64_t> counts(kKeys);
    std::minstd_rand random(
        static_cast<unsigned>(options.seed * 100 + 1 + static_cast<unsigned>(writer)));
    while (!is_stopping) {
        const auto key = random() % kKeys;
        producer.put_async(
            kStream, fmt::format("{}-{}", writer, key),
            fmt::format("{} padding to about a hundred bytes ..................", ++counts[key]),
            [&](const PutResult& result) {
                if (!result) give_up("a record: " + result.failure().message);
                ++ledger.stored;
            });
    }
    producer.flush();
    const auto metrics = producer.metrics();
    ledger.retried += metrics.batches_retried;
    const std::lock_guard lock(ledger.mutex);
    for (std::size_t key = 0; key < counts.size(); ++key)
        ledger.put[fmt::format("{}-{}", writer, key)] = counts[key];
}

/// Puts one record after the other and remembers the longest wait: how long a key cannot be
/// written.
void probe(const std::string& address, const std::atomic<bool>& is_stopping, Ledger& ledger) {
    ProducerOptions wanted;
    wanted.endpoint = address;
    wanted.linger = 0us;
    wanted.record_ttl = 120s;
    auto producer = must(Producer::connect(wanted), "a producer");
    std::uint64_t count = 0;
    while (!is_stopping) {
        const auto began = Clock::now();
        const auto result = producer.put(kStream, "probe", std::to_string(++count)).get();
        if (!result) give_up("the probe: " + result.failure().message);
        const auto took =
            std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - began);
        ledger.slowest_us = std::max<std::int64_t>(ledger.slowest_us, took.count());
        std::this_thread::sleep_for(200us);
    }
    const std::lock_guard lock(ledger.mutex);
    ledger.put["probe"] = count;
}

/// Checks the order of each key as it comes.
struct Reading {
    std::string name;
    std::map<std::string, std::uint64_t> last;
    std::uint64_t records = 0;
    std::size_t shards_ended = 0;

    void take(const Delivery& delivery) {
        for (const auto& record : delivery.records) {
            const std::uint64_t number = std::strtoull(record.data.c_str(), nullptr, 10);
            auto& before = last[record.partition_key];
            ++records;
            if (number == before + 1) {
                ++before;
            } else {
                give_up(fmt::format("{}: key {} has {} after {} ({} ordinal {})", name,
                                    record.partition_key, number, before, delivery.shard_id(),
                                    record.ordinal));
            }
        }
    }
    bool has_all(Ledger& ledger) {
        const std::lock_guard lock(ledger.mutex);
        return !ledger.put.empty() && std::ranges::all_of(ledger.put, [&](const auto& entry) {
            return entry.second == 0 || last[entry.first] == entry.second;
        });
    }
};

void read(const std::string& address, const std::string& application, Reading& reading,
          const std::atomic<bool>& is_written, Ledger& ledger) {
    ConsumerOptions wanted;
    wanted.endpoint = address;
    wanted.stream = kStream;
    wanted.application = application;
    wanted.sync_interval = 500ms;
    auto consumer = must(Consumer::connect(wanted), "a consumer");
    auto deadline = Clock::now() + 120s;
    while (!is_written || !reading.has_all(ledger)) {
        if (Clock::now() > deadline) {
            std::string missing;
            const std::lock_guard lock(ledger.mutex);
            for (const auto& [key, count] : ledger.put)
                if (reading.last[key] != count)
                    missing += fmt::format(" {}: {} of {}", key, reading.last[key], count);
            give_up(reading.name + " misses" + missing);
        }
        auto next = consumer.next_batch(50ms);
        if (!next) give_up(reading.name + ": " + next.failure().message);
        if (!next->has_value()) continue;
        reading.take(**next);
        if ((*next)->kind == Delivery::Kind::LeaseLost)
            give_up(reading.name + ": lost a lease to nobody");
        if ((*next)->kind != Delivery::Kind::ShardEnded) continue;
        ++reading.shards_ended;
        for (int attempt = 0; !consumer.checkpoint(**next); ++attempt) {
            if (attempt > 100) give_up(reading.name + ": no checkpoint at a shard's end");
            std::this_thread::sleep_for(100ms);
        }
    }
    consumer.close();
}

struct Changes {
    std::map<std::string, int> done;
    std::map<std::string, std::chrono::microseconds> longest;
    int refused = 0;
};

/// Changes shards one way or another; false when the broker did not answer.
bool change_once(AdminClient& admin, std::minstd_rand& random, Changes& changes) {
    auto stream = admin.describe_stream(kStream);
    if (!stream) return false;
    std::vector<const ShardDescription*> open;
    for (const auto& shard : stream->shards)
        if (shard.is_open()) open.push_back(&shard);
    // By start of range: decimal texts of one length compare as numbers.
    std::ranges::sort(open, {}, [](const ShardDescription* shard) {
        return std::string(40 - shard->first_hash_key.size(), '0') + shard->first_hash_key;
    });
    const auto at = random() % open.size();
    const auto began = Clock::now();
    std::string what;
    Outcome<StreamDescription> changed = Failure{"", "", false};
    if (const auto choice = random() % 5; choice < 2 && open.size() < 16) {
        what = "split";
        changed = admin.split_shard(kStream, open[at]->index);
    } else if (choice < 4 && open.size() > 2) {
        what = "merge";
        const auto next = at + 1 < open.size() ? at + 1 : at - 1;
        changed = admin.merge_shards(kStream, open[at]->index, open[next]->index);
    } else {
        what = "scale";
        changed = admin.scale_stream(kStream, 1 + static_cast<std::uint32_t>(random() % 12));
    }
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - began);
    if (!changed) {
        const auto& code = changed.failure().code;
        if (code == "unavailable" || code == "timeout" || code == "unknown") return false;
        // A split so narrow that nothing is left, or one that a crash has completed by itself.
        if (code != "invalid_argument" && code != "resource_in_use" && code != "not_found")
            give_up(what + ": " + changed.failure().message);
        ++changes.refused;
        return true;
    }
    ++changes.done[what];
    changes.longest[what] = std::max(changes.longest[what], took);
    return true;
}

void change(const Options& options, const std::string& address,
            const std::atomic<bool>& is_stopping, Changes& changes) {
    std::minstd_rand random(static_cast<unsigned>(options.seed + 77));
    while (!is_stopping) {
        auto admin = AdminClient::connect(address);
        if (!admin) {
            std::this_thread::sleep_for(20ms);
            continue;
        }
        while (!is_stopping && change_once(*admin, random, changes))
            std::this_thread::sleep_for(std::chrono::milliseconds(random() % 60));
    }
}

/// Whoever begins at the tip of a stream that has been resharded often sees what comes after, all
/// of it and no more, also across a further change.
void check_latest(const std::string& address, AdminClient& admin, const std::string& application) {
    ConsumerOptions wanted;
    wanted.endpoint = address;
    wanted.stream = kStream;
    wanted.application = application;
    wanted.start = StartPosition::latest();
    auto consumer = must(Consumer::connect(wanted), "a consumer at the tip");
    const auto shards_of = [&] {
        const auto stream = must(admin.describe_stream(kStream), "the stream");
        return static_cast<std::size_t>(
            std::ranges::count_if(stream.shards, &ShardDescription::is_open));
    };
    const std::size_t open = shards_of();
    // With an application the closed shards are passed over one generation after the other.
    const auto deadline = Clock::now() + 60s;
    while (consumer.metrics().shards_held < open && Clock::now() < deadline)
        if (auto early = consumer.next_batch(20ms); !early || early->has_value())
            give_up("the reader at the tip was given something before there was anything");
    ProducerOptions to;
    to.endpoint = address;
    auto producer = must(Producer::connect(to), "a producer");
    std::map<std::string, std::string> seen;
    std::size_t count = 0, put = 0;
    for (int round = 0; round < 3; ++round) {
        for (int i = 0; i < 200; ++i)
            producer.put_async(kStream, fmt::format("tip {}", i), std::to_string(round));
        producer.flush();
        put += 200;
        must(admin.scale_stream(kStream, static_cast<std::uint32_t>(2 + 3 * round)), "a scaling");
        while (count < put) {
            auto next = consumer.next_batch(60s);
            if (!next || !next->has_value()) give_up("the reader at the tip misses records");
            for (const auto& record : (*next)->records) {
                ++count;
                auto& last = seen[record.partition_key];
                if (!record.partition_key.starts_with("tip ") ||
                    record.data != std::to_string(last.size()))
                    give_up(fmt::format("the reader at the tip: key {} has {} after {}",
                                        record.partition_key, record.data, last));
                last += record.data;
            }
            if ((*next)->kind == Delivery::Kind::ShardEnded)
                if (const auto done = consumer.checkpoint(**next); !done)
                    give_up("the reader at the tip: " + done.failure().message);
        }
    }
    consumer.close();
}

void run(const Options& options, const std::string& data) {
    std::vector<std::string> more;
    if (!options.verbose) more = {"--log-level", "error"};
    test::BrokerProcess broker(options.program, data, more);
    broker.keep_port();
    broker.start();
    const std::string address = broker.address();
    {
        auto admin = must(AdminClient::connect(address), "the broker");
        NewStream stream;
        stream.name = kStream;
        stream.shard_count = 3;
        must(admin.create_stream(stream), "the stream");
    }
    Ledger ledger;
    Changes changes;
    std::atomic<bool> is_stopping{false}, is_changing_over{false}, is_written{false};
    Reading live;
    live.name = "the live reader";
    std::vector<std::thread> writers;
    for (int i = 0; i < kWriters; ++i)
        writers.emplace_back([&, i] { write(options, address, i, is_stopping, ledger); });
    writers.emplace_back([&] { probe(address, is_stopping, ledger); });
    std::thread reader([&] { read(address, "app", live, is_written, ledger); });
    std::thread changer([&] { change(options, address, is_changing_over, changes); });

    const auto time = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::duration<double>(options.seconds));
    std::this_thread::sleep_for(time / 2);
    const auto slowest_before = ledger.slowest_us.load();
    if (options.kill) {
        broker.kill();
        broker.start();
    }
    std::this_thread::sleep_for(time / 2);
    is_changing_over = true;
    changer.join();
    is_stopping = true;
    for (auto& writer : writers)
        writer.join();
    is_written = true;
    reader.join();

    // Once more from the beginning, by somebody who was not there.
    Reading later;
    later.name = "the later reader";
    read(address, "", later, is_written, ledger);

    auto admin = must(AdminClient::connect(address), "the broker");
    check_latest(address, admin, "");
    check_latest(address, admin, "app at the tip");

    std::uint64_t put = 0;
    for (const auto& [key, count] : ledger.put)
        put += count;
    const auto stream = must(admin.describe_stream(kStream), "the stream");
    std::printf("records %llu, read live %llu, read later %llu, batches retried %llu\n",
                static_cast<unsigned long long>(put), static_cast<unsigned long long>(live.records),
                static_cast<unsigned long long>(later.records),
                static_cast<unsigned long long>(ledger.retried));
    for (const auto& [what, count] : changes.done)
        std::printf("%-5s %4d times, longest %.1f ms\n", what.c_str(), count,
                    static_cast<double>(changes.longest[what].count()) / 1000);
    std::printf(
        "shards %zu, refused changes %d, longest wait of a lone put %.1f ms\n",
        stream.shards.size(), changes.refused,
        static_cast<double>(options.kill ? slowest_before : ledger.slowest_us.load()) / 1000);
    if (live.records != later.records) give_up("the two readers differ");
    if (live.records != put) give_up("not what was put");
    if (stream.status != "active") give_up("the stream is " + stream.status);
    if (changes.done["split"] + changes.done["merge"] + changes.done["scale"] < 5)
        give_up("too few changes of shards to say anything");
    if (broker.terminate() != 0) give_up("the broker did not stop as asked");
}

}  // namespace

int main(int count, char** words) {
    Options options;
    if (count < 2) give_up("usage: e2e_reshard PROGRAM [--seed N] [--seconds N] [--kill]");
    options.program = words[1];
    for (int i = 2; i < count; ++i) {
        if (std::strcmp(words[i], "--kill") == 0) options.kill = true;
        if (std::strcmp(words[i], "--verbose") == 0) options.verbose = true;
        if (i + 1 >= count) break;
        if (std::strcmp(words[i], "--seed") == 0)
            options.seed = std::strtoull(words[i + 1], nullptr, 10);
        if (std::strcmp(words[i], "--seconds") == 0) options.seconds = std::atof(words[i + 1]);
    }
    std::printf("seed %llu\n", static_cast<unsigned long long>(options.seed));
    char folder[] = "/tmp/tidemill-reshard-XXXXXX";
    if (::mkdtemp(folder) == nullptr) give_up("no directory for the broker's data");
    run(options, std::string(folder) + "/data");
    std::filesystem::remove_all(folder);
    return 0;
}
