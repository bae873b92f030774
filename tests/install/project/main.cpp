// A program of someone else: only installed headers, C++20, no broker. What it asks must fail,
// clearly.
#include <cstdio>
#include <memory>

#include <tidemill/consumer/worker.h>
#include <tidemill/producer/admin_client.h>
#include <tidemill/producer/producer.h>

namespace {

struct Counting : tidemill::client::RecordProcessor {
    void process_records(const tidemill::client::Delivery& records,
                         tidemill::client::Checkpointer& checkpointer) override {
        count += records.records.size();
        checkpointer.checkpoint();
    }
    std::size_t count = 0;
};

bool is_unavailable(const tidemill::client::Failure& failure) {
    std::printf("%s: %s\n", failure.code.c_str(), failure.message.c_str());
    return failure.code == "unavailable" &&
           failure.message.find("127.0.0.1:1") != std::string::npos;
}

}  // namespace

int main() {
    using namespace tidemill::client;
    ProducerOptions to;
    to.endpoint = "tidemill://127.0.0.1:1";
    const auto producer = Producer::connect(to);
    ConsumerOptions from;
    from.endpoint = "127.0.0.1:1";
    from.stream = "s";
    Worker worker(from, [] { return std::make_unique<Counting>(); });
    const auto ran = worker.run();
    const auto admin = AdminClient::connect("127.0.0.1:1");
    if (producer.is_ok() || ran.is_ok() || admin.is_ok()) return 1;
    return is_unavailable(producer.failure()) && is_unavailable(ran.failure()) &&
                   is_unavailable(admin.failure())
               ? 0
               : 2;
}
