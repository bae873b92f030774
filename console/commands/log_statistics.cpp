#include <algorithm>
#include <cstdio>
#include <map>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

#include "console/commands/command.h"
#include "console/commands/log_reading.h"
#include "console/commands/output.h"

namespace tidemill::console {
namespace {

struct ShardSums {
    std::uint64_t batches = 0, records = 0, bytes = 0;
    Ordinal first = 0, end = 0;
    std::int64_t first_arrival_ms = 0, last_arrival_ms = 0;
};
using Shards = std::map<std::uint32_t, ShardSums>;

void add(Shards& shards, const ScannedCommit& commit, const DirectoryEntry& entry) {
    if (entry.is_control()) return;
    const auto [at, is_new] = shards.try_emplace(entry.shard);
    auto& sums = at->second;
    const std::int64_t arrival = commit.header.arrival_ms + std::int64_t{entry.arrival_delta};
    if (is_new) {
        sums.first = entry.first_ordinal;
        sums.first_arrival_ms = arrival;
    }
    ++sums.batches;
    sums.records += entry.count;
    sums.bytes += entry.bytes;
    sums.end = entry.first_ordinal + entry.count;
    sums.last_arrival_ms = arrival;
}

/// The sums over all lanes that `log stats` shows.
struct LogSums {
    std::uint64_t segments = 0, packed = 0, commits = 0, batches = 0, records = 0, batch_bytes = 0;
    std::uint64_t used_bytes = 0;  ///< from first commit to last of each live segment
    std::uint64_t live_bytes = 0, spare_bytes = 0, damaged = 0, problems = 0;
    std::int64_t first_arrival_ms = 0, last_arrival_ms = 0;

    explicit LogSums(const LogReport& report) {
        for (const auto& lane : report.lanes) {
            std::uint64_t live = 0;
            for (const auto& segment : lane.segments) {
                if (!segment.is_live) continue;
                ++segments;
                if (segment.is_packed) ++packed;
                commits += segment.commits;
                batches += segment.batches;
                records += segment.records;
                batch_bytes += segment.payload_bytes;
                used_bytes += segment.end_position - segment.header.first_position;
                live += segment.file_bytes;
                damaged += segment.damage.size();
                if (segment.commits == 0) continue;
                if (first_arrival_ms == 0 || segment.first_arrival_ms < first_arrival_ms)
                    first_arrival_ms = segment.first_arrival_ms;
                last_arrival_ms = std::max(last_arrival_ms, segment.last_arrival_ms);
            }
            live_bytes += live;
            spare_bytes += lane.file_bytes - std::min(lane.file_bytes, live);
            problems += lane.problems.size();
        }
    }
    double per_byte() const {
        return batch_bytes == 0
                   ? 0
                   : static_cast<double>(used_bytes) / static_cast<double>(batch_bytes);
    }
    std::uint64_t average_commit() const { return commits == 0 ? 0 : used_bytes / commits; }
};

std::string time_or_none(std::int64_t ms) { return ms == 0 ? "-" : iso_time(ms); }

void print_human(const LogReport& report, const LogSums& sums,
                 const std::vector<std::pair<std::uint32_t, ShardSums>>& top, std::size_t shards) {
    fmt::print("log {:016x}: {} lanes, {} shards with records\n", report.log_id,
               report.lanes.size(), shards);
    fmt::print("records   {} in {} batches and {} commits, {} to {}\n", sums.records, sums.batches,
               sums.commits, time_or_none(sums.first_arrival_ms),
               time_or_none(sums.last_arrival_ms));
    fmt::print(
        "segments  {} ({} packed): {} on disk, {} of it used; {} in files that wait for use\n",
        sums.segments, sums.packed, short_bytes(static_cast<double>(sums.live_bytes)),
        short_bytes(static_cast<double>(sums.used_bytes)),
        short_bytes(static_cast<double>(sums.spare_bytes)));
    fmt::print("commits   {} on average; {:.3f} bytes of log for each byte of batches\n",
               short_bytes(static_cast<double>(sums.average_commit())), sums.per_byte());
    if (sums.problems > 0) fmt::print("problems  {}: see tidemill log verify\n", sums.problems);
    if (top.empty()) return;
    fmt::print("\n{:>10} {:>14} {:>12} {:>12} {:>14} {:>14}  last arrival\n", "shard", "records",
               "batches", "bytes", "from", "to");
    for (const auto& [shard, of] : top)
        fmt::print("{:>10} {:>14} {:>12} {:>12} {:>14} {:>14}  {}\n", shard, of.records, of.batches,
                   short_bytes(static_cast<double>(of.bytes)), of.first, of.end,
                   time_or_none(of.last_arrival_ms));
}

void print_json(const LogReport& report, const LogSums& sums,
                const std::vector<std::pair<std::uint32_t, ShardSums>>& top, std::size_t shards) {
    fmt::print(
        R"({{"log_id":"{:016x}","lanes":{},"shards":{},"segments":{},"packed":{},"commits":{},)"
        R"("batches":{},"records":{},"batch_bytes":{},"used_bytes":{},"live_bytes":{},)"
        R"("spare_bytes":{},"average_commit_bytes":{},"log_bytes_per_batch_byte":{:.4f},)"
        R"("damaged_ranges":{},"problems":{},"first_arrival_ms":{},"last_arrival_ms":{},)"
        R"("top":[)",
        report.log_id, report.lanes.size(), shards, sums.segments, sums.packed, sums.commits,
        sums.batches, sums.records, sums.batch_bytes, sums.used_bytes, sums.live_bytes,
        sums.spare_bytes, sums.average_commit(), sums.per_byte(), sums.damaged, sums.problems,
        sums.first_arrival_ms, sums.last_arrival_ms);
    bool is_first = true;
    for (const auto& [shard, of] : top) {
        fmt::print(R"({}{{"shard":{},"records":{},"batches":{},"bytes":{},"first":{},"end":{},)"
                   R"("first_arrival_ms":{},"last_arrival_ms":{}}})",
                   is_first ? "" : ",", shard, of.records, of.batches, of.bytes, of.first, of.end,
                   of.first_arrival_ms, of.last_arrival_ms);
        is_first = false;
    }
    fmt::print("]}}\n");
}

/// The broker's page of figures. Blocks.
Result<std::string> fetch_metrics(const std::string& address) {
    const auto colon = address.rfind(':');
    if (colon == std::string::npos)
        return fail(Errc::InvalidArgument, address + " is not HOST:PORT");
    try {
        boost::asio::io_context context;
        boost::asio::ip::tcp::resolver resolver(context);
        boost::asio::ip::tcp::socket socket(context);
        boost::asio::connect(socket,
                             resolver.resolve(address.substr(0, colon), address.substr(colon + 1)));
        const std::string request =
            "GET /metrics HTTP/1.1\r\nHost: " + address + "\r\nConnection: close\r\n\r\n";
        boost::asio::write(socket, boost::asio::buffer(request));
        std::string answer;
        boost::system::error_code ended;
        boost::asio::read(socket, boost::asio::dynamic_buffer(answer), ended);
        const auto body = answer.find("\r\n\r\n");
        if (!answer.starts_with("HTTP/1.1 200") || body == std::string::npos)
            return fail(Errc::Unavailable,
                        address + " gives no figures: " + answer.substr(0, answer.find('\r')));
        return answer.substr(body + 4);
    } catch (const boost::system::system_error& error) {
        return fail(Errc::Unavailable,
                    fmt::format("cannot reach {}: {}", address, error.code().message()));
    }
}

int live_stats(const LogOptions& options) {
    const auto page = fetch_metrics(options.connect);
    if (!page) return report(page.error().message);
    const bool is_json = choose_format(options.format, stdout_is_terminal()) != OutputFormat::Human;
    std::string json;
    for (std::size_t at = 0; at < page->size();) {
        const auto end = std::min(page->find('\n', at), page->size());
        const std::string_view line(page->data() + at, end - at);
        at = end + 1;
        const auto space = line.rfind(' ');
        if (!line.starts_with("tidemill_log_") || space == std::string_view::npos) continue;
        const auto name = line.substr(0, space).substr(std::string_view("tidemill_log_").size());
        if (is_json)
            json += fmt::format("{}{}:{}", json.empty() ? "" : ",", json_string(name),
                                line.substr(space + 1));
        else
            fmt::print("{:<40} {}\n", name, line.substr(space + 1));
    }
    if (is_json) fmt::print("{{{}}}\n", json);
    return kExitOk;
}

}  // namespace

int stats_command(const LogOptions& options) {
    if (!options.connect.empty()) return live_stats(options);
    if (options.data.empty())
        return report("log stats needs a data directory, or --connect HOST:PORT"), kExitUsage;
    Shards shards;
    const auto found = read_log(
        options, [&shards](const SegmentReport&, const ScannedCommit& commit,
                           const DirectoryEntry& entry, bool) { add(shards, commit, entry); });
    if (!found) return report(found.error().message);
    std::vector<std::pair<std::uint32_t, ShardSums>> top(shards.begin(), shards.end());
    std::ranges::sort(top, [](const auto& a, const auto& b) {
        return std::pair(b.second.bytes, a.first) < std::pair(a.second.bytes, b.first);
    });
    top.resize(std::min<std::size_t>(top.size(), options.top));
    const LogSums sums(*found);
    if (choose_format(options.format, stdout_is_terminal()) == OutputFormat::Human)
        print_human(*found, sums, top, shards.size());
    else
        print_json(*found, sums, top, shards.size());
    std::fflush(stdout);
    return kExitOk;
}

}  // namespace tidemill::console
