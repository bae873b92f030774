// Writes ten records and reads them back: put_and_read [HOST:PORT]
#include <cstdio>
#include <future>
#include <string>
#include <vector>

#include "consumer/consumer.h"
#include "producer/admin_client.h"
#include "producer/producer.h"

int main(int argc, char** argv) {
    namespace client = tidemill::client;
    const std::string endpoint = argc > 1 ? argv[1] : "127.0.0.1:4567";

    auto admin = client::AdminClient::connect(endpoint);
    if (!admin) {
        std::fprintf(stderr, "%s\n", admin.failure().message.c_str());
        return 1;
    }
    client::NewStream stream;
    stream.name = "example";
    stream.shard_count = 2;
    if (auto made = admin->create_stream(stream);
        !made && made.failure().code != "already_exists") {
        std::fprintf(stderr, "%s\n", made.failure().message.c_str());
        return 1;
    }

    client::ProducerOptions producing;
    producing.endpoint = endpoint;
    auto producer = client::Producer::connect(producing);
    if (!producer) return 1;
    std::vector<std::future<client::PutResult>> results;
    for (int i = 0; i < 10; ++i)
        results.push_back(
            producer->put("example", "key-" + std::to_string(i), "hello " + std::to_string(i)));
    for (auto& result : results) {
        const auto stored = result.get();
        if (!stored) {
            std::fprintf(stderr, "%s\n", stored.failure().message.c_str());
            return 1;
        }
    }

    client::ConsumerOptions consuming;
    consuming.endpoint = endpoint;
    consuming.stream = "example";
    auto consumer = client::Consumer::connect(consuming);
    if (!consumer) return 1;
    for (int seen = 0; seen < 10;) {
        auto batch = consumer->next_batch(std::chrono::seconds(5));
        if (!batch || !*batch) return 1;
        for (const auto& record : (*batch)->records) {
            std::printf("%s %s %s\n", (*batch)->shard_id().c_str(), record.partition_key.c_str(),
                        record.data.c_str());
            ++seen;
        }
    }
    return 0;
}
