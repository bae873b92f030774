// The load of clients that speak Kinesis over HTTP.
#include <algorithm>
#include <memory>
#include <thread>

#include <fmt/format.h>

#include "bench/load/aws_request.h"
#include "bench/load/bench.h"
#include "bench/load/http_client.h"
#include "bench/load/load_target.h"
#include "bench/load/socket_wait.h"
#include "engine/base/random.h"

namespace tidemill::bench {
namespace {

constexpr std::size_t kPrebuiltRequests = 16;
constexpr std::uint32_t kPutRecordsMax = 500;     // records of one PutRecords
constexpr std::uint32_t kGetRecordsMax = 10'000;  // records of one GetRecords
constexpr auto kStallLimit = 30s;

WallTime wall_now() {
    return std::chrono::time_point_cast<WallTime::duration>(std::chrono::system_clock::now());
}

AwsForm form_of(const BenchOptions& options) {
    return {options.cbor, {options.access_key, options.secret_key}, options.connect};
}

/// One call that must succeed; its body.
Result<std::string> call(HttpClient& client, const AwsForm& form, std::string_view operation,
                         const std::string& body) {
    const std::string request = aws_request(form, operation, body, wall_now());
    ASSIGN(const HttpClient::Answer answer, client.ask(request));
    if (answer.status == 200) return std::string(answer.body);
    return fail(Errc::Unavailable,
                fmt::format("{}: {} {}", operation, answer.status, answer.body.substr(0, 300)));
}

std::string only(const AwsForm& form, std::string_view name, std::string_view value) {
    return AwsBody(form.is_cbor).begin_map().text(name, value).end_map().take();
}

/// The text behind `name` in an answer in JSON; empty when there is none.
std::string_view text_in_json(std::string_view json, std::string_view name) {
    auto at = json.find(fmt::format("\"{}\"", name));
    if (at == std::string_view::npos) return {};
    at = json.find('"', json.find(':', at));
    return json.substr(at + 1, json.find('"', at + 1) - at - 1);
}

std::size_t count_of(std::string_view text, std::string_view part) {
    std::size_t count = 0;
    for (auto at = text.find(part); at != std::string_view::npos;
         at = text.find(part, at + part.size()))
        ++count;
    return count;
}

/// Makes the stream if it is not there, and waits until it is active.
Status prepare_stream(HttpClient& client, const BenchOptions& options) {
    AwsForm form = form_of(options);
    form.is_cbor = false;  // to be read here
    const std::string describe = only(form, "StreamName", options.stream);
    if (!call(client, form, "DescribeStreamSummary", describe)) {
        const std::string create = AwsBody(false)
                                       .begin_map()
                                       .text("StreamName", options.stream)
                                       .number("ShardCount", options.shards)
                                       .end_map()
                                       .take();
        TRY(call(client, form, "CreateStream", create));
    }
    for (int tries = 0; tries < 600; ++tries) {
        ASSIGN(const std::string text, call(client, form, "DescribeStreamSummary", describe));
        if (text_in_json(text, "StreamStatus") == "ACTIVE") return {};
        std::this_thread::sleep_for(50ms);
    }
    return fail(Errc::Timeout, fmt::format("stream {} does not become active", options.stream));
}

/// Keys as in the other loads: of a thousand.
std::string build_put(const BenchOptions& options, bool is_single, Random& random) {
    const AwsForm form = form_of(options);
    std::string data(options.record_bytes, ' ');
    AwsBody body(options.cbor);
    body.begin_map().text("StreamName", options.stream);
    const auto add = [&] {
        for (char& letter : data)
            letter = static_cast<char>('a' + random.below(26));
        body.blob("Data", data).text("PartitionKey", fmt::format("k{:03}", random.below(1000)));
    };
    if (is_single) {
        add();
    } else {
        body.begin_list("Records");
        for (std::uint32_t i = 0; i < options.batch; ++i) {
            body.begin_map();
            add();
            body.end_map();
        }
        body.end_list();
    }
    return aws_request(form, is_single ? "PutRecord" : "PutRecords", body.end_map().take(),
                       wall_now());
}

/// What one connection does: a request, its answer, the next.
class Caller {
 public:
    virtual ~Caller() = default;
    virtual std::string_view next_request() = 0;
    /// Records that the answer stands for. Errors: it is not the one hoped for.
    virtual Result<std::uint64_t> take(const HttpClient::Answer& answer) = 0;
};

class Putter final : public Caller {
 public:
    Putter(const std::vector<std::string>& requests, std::uint32_t records, bool is_single,
           std::size_t first)
        : requests_(requests), records_(records), is_single_(is_single), next_(first) {}

    std::string_view next_request() override { return requests_[next_++ % requests_.size()]; }

    Result<std::uint64_t> take(const HttpClient::Answer& answer) override {
        using namespace std::string_view_literals;
        const std::string_view body = answer.body;
        const bool is_whole =
            is_single_ ? body.find("SequenceNumber") != std::string_view::npos
                       : body.find("\"FailedRecordCount\":0"sv) != std::string_view::npos ||
                             body.find("FailedRecordCount\0"sv) != std::string_view::npos;
        if (answer.status == 200 && is_whole) return records_;
        return fail(Errc::Unavailable, fmt::format("not all records were taken: {} {}",
                                                   answer.status, body.substr(0, 300)));
    }

 private:
    const std::vector<std::string>& requests_;
    const std::uint32_t records_;
    const bool is_single_;
    std::size_t next_;
};

/// Reads one shard page by page, and again from its oldest record when it has come to its end.
class Getter final : public Caller {
 public:
    Getter(AwsForm form, std::string oldest, std::uint32_t limit)
        : form_(std::move(form)), oldest_(std::move(oldest)), iterator_(oldest_), limit_(limit) {}

    std::string_view next_request() override {
        const std::string body = AwsBody(form_.is_cbor)
                                     .begin_map()
                                     .text("ShardIterator", iterator_)
                                     .number("Limit", limit_)
                                     .end_map()
                                     .take();
        request_ = aws_request(form_, "GetRecords", body, wall_now());
        return request_;
    }

    Result<std::uint64_t> take(const HttpClient::Answer& answer) override {
        if (answer.status != 200)
            return fail(Errc::Unavailable,
                        fmt::format("{} {}", answer.status, answer.body.substr(0, 300)));
        const std::uint64_t records = count_of(answer.body, "PartitionKey");
        iterator_ = next_iterator(answer.body);
        if (records == 0 || iterator_.empty()) iterator_ = oldest_;
        return records;
    }

 private:
    std::string next_iterator(std::string_view body) const {
        if (!form_.is_cbor) return std::string(text_in_json(body, "NextShardIterator"));
        constexpr std::string_view kName = "NextShardIterator";
        const auto at = body.rfind(kName);
        if (at == std::string_view::npos) return {};
        // A CBOR text of 24 to 65,535 bytes follows.
        const auto byte = [&](std::size_t i) {
            return static_cast<unsigned char>(body[at + kName.size() + i]);
        };
        if (byte(0) == 0x78) return std::string(body.substr(at + kName.size() + 2, byte(1)));
        const std::size_t size = std::size_t{byte(1)} << 8 | byte(2);
        return std::string(body.substr(at + kName.size() + 3, size));
    }

    const AwsForm form_;
    const std::string oldest_;
    std::string iterator_, request_;
    const std::uint32_t limit_;
};

/// Keeps one request under way on each connection until the time or the records are up.
Result<BenchResult> drive(const BenchOptions& options,
                          const std::vector<std::unique_ptr<Caller>>& callers) {
    struct Peer {
        HttpClient client;
        MonoTime since;
        bool is_busy = false;
    };
    const auto now = [] { return std::chrono::steady_clock::now(); };
    SocketWait sockets;
    std::vector<Peer> peers(callers.size());
    for (std::uint32_t i = 0; i < peers.size(); ++i) {
        TRY(peers[i].client.open(options.connect));
        sockets.add(peers[i].client.fd(), i);
    }
    BenchResult result;
    std::size_t busy = 0;
    const MonoTime start = now();
    const auto is_over = [&] {
        if (options.records != 0) return result.records >= options.records;
        return std::chrono::duration<double>(now() - start).count() >= options.seconds;
    };
    const auto go_on = [&](std::uint32_t index) -> Status {
        Peer& peer = peers[index];
        peer.is_busy = !is_over();
        if (!peer.is_busy) return {};
        ++busy;
        const std::string_view request = callers[index]->next_request();
        peer.since = now();
        TRY(peer.client.send(request));
        sockets.want_write(peer.client.fd(), index, peer.client.wants_write());
        return {};
    };
    for (std::uint32_t i = 0; i < peers.size(); ++i)
        TRY(go_on(i));
    while (busy > 0) {
        const auto& ready = sockets.wait_until(now() + kStallLimit);
        if (ready.empty()) return fail(Errc::Timeout, "nothing is answered");
        for (const std::uint32_t index : ready) {
            Peer& peer = peers[index];
            TRY(peer.client.flush());
            sockets.want_write(peer.client.fd(), index, peer.client.wants_write());
            ASSIGN(const bool is_whole, peer.client.fill());
            if (!is_whole || !peer.is_busy) continue;
            const auto waited = now() - peer.since;
            ASSIGN(const std::uint64_t records, callers[index]->take(peer.client.answer()));
            result.latency_ns.record(static_cast<std::uint64_t>(waited.count()));
            result.records += records;
            --busy;
            TRY(go_on(index));
        }
    }
    result.elapsed_seconds = std::chrono::duration<double>(now() - start).count();
    result.bytes = result.records * options.record_bytes;
    result.shards = options.shards;
    result.options = options;
    return result;
}

Result<BenchOptions> checked_for_http(BenchOptions options, std::uint32_t batch_max) {
    options.batch = std::min(options.batch, batch_max);
    return checked(std::move(options));
}

Result<BenchResult> put(const BenchOptions& options, bool is_single) {
    HttpClient client;
    TRY(client.open(options.connect));
    TRY(prepare_stream(client, options));
    Random random(1);
    std::vector<std::string> requests;
    for (std::size_t i = 0; i < kPrebuiltRequests; ++i)
        requests.push_back(build_put(options, is_single, random));
    std::vector<std::unique_ptr<Caller>> callers;
    for (std::uint32_t i = 0; i < options.connections; ++i)
        callers.push_back(
            std::make_unique<Putter>(requests, is_single ? 1 : options.batch, is_single, i));
    return drive(options, callers);
}

}  // namespace

Result<BenchResult> run_put_records(const BenchOptions& wanted) {
    ASSIGN(const BenchOptions options, checked_for_http(wanted, kPutRecordsMax));
    ASSIGN(BenchResult result, put(options, false));
    result.kind = "put-records";
    return result;
}

Result<BenchResult> run_put_record(const BenchOptions& wanted) {
    ASSIGN(const BenchOptions options, checked_for_http(wanted, 1));
    ASSIGN(BenchResult result, put(options, true));
    result.kind = "put-record";
    return result;
}

Result<BenchResult> run_get_records(const BenchOptions& wanted) {
    ASSIGN(const BenchOptions options, checked_for_http(wanted, kGetRecordsMax));
    HttpClient client;
    TRY(client.open(options.connect));
    TRY(prepare_stream(client, options));

    AwsForm form = form_of(options);
    form.is_cbor = false;
    ASSIGN(const std::string list,
           call(client, form, "ListShards", only(form, "StreamName", options.stream)));
    std::vector<std::string> oldest;
    for (auto at = list.find("\"ShardId\""); at != std::string::npos;
         at = list.find("\"ShardId\"", at + 1)) {
        const std::string body = AwsBody(false)
                                     .begin_map()
                                     .text("StreamName", options.stream)
                                     .text("ShardId", text_in_json(list.substr(at), "ShardId"))
                                     .text("ShardIteratorType", "TRIM_HORIZON")
                                     .end_map()
                                     .take();
        ASSIGN(const std::string got, call(client, form, "GetShardIterator", body));
        oldest.emplace_back(text_in_json(got, "ShardIterator"));
    }
    // Two pages of every shard, if it holds nothing yet.
    ASSIGN(const std::string first,
           call(client, form, "GetRecords", only(form, "ShardIterator", oldest.front())));
    if (count_of(first, "PartitionKey") == 0) {
        BenchOptions fill = options;
        fill.batch = kPutRecordsMax;
        fill.connections = 8;
        fill.records = 2ull * options.batch * oldest.size();
        TRY(put(fill, false));
    }
    std::vector<std::unique_ptr<Caller>> callers;
    for (std::uint32_t i = 0; i < options.connections; ++i)
        callers.push_back(
            std::make_unique<Getter>(form_of(options), oldest[i % oldest.size()], options.batch));
    ASSIGN(BenchResult result, drive(options, callers));
    result.kind = "get-records";
    return result;
}

}  // namespace tidemill::bench
