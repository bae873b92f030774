#include <cstdio>
#include <memory>

#include <CLI/CLI.hpp>

#include "console/commands/command.h"
#include "console/commands/log_reading.h"
#include "console/commands/output.h"

namespace tidemill::console {
namespace {

std::string report_json(const LogReport& found) {
    std::uint64_t segments = 0, commits = 0, batches = 0, records = 0, bytes = 0, taken = 0,
                  damaged = 0, torn = 0;
    std::string problems;
    for (const auto& lane : found.lanes) {
        for (const auto& segment : lane.segments) {
            if (!segment.is_live) continue;
            ++segments;
            commits += segment.commits;
            batches += segment.batches;
            records += segment.records;
            bytes += segment.payload_bytes;
            taken += segment.end_position - segment.header.first_position;
            damaged += segment.damage.size();
            torn += segment.is_torn ? 1 : 0;
        }
        for (const auto& problem : lane.problems)
            problems += (problems.empty() ? "" : ",") + json_string(problem);
    }
    char text[512];
    std::snprintf(
        text, sizeof text,
        R"({"sound":%s,"lanes":%zu,"segments":%lu,"commits":%lu,"batches":%lu,"records":%lu,"payload_bytes":%lu,"commit_bytes":%lu,)"
        R"("damaged_ranges":%lu,"torn_tails":%lu,"problems":[)",
        found.is_sound() ? "true" : "false", found.lanes.size(), segments, commits, batches,
        records, bytes, taken, damaged, torn);
    return text + problems + "]}";
}

void add_data(CLI::App& command, LogOptions& options, bool is_required) {
    auto* data = command.add_option("--data,data", options.data, "The data directory")
                     ->check(CLI::ExistingDirectory);
    if (is_required) data->required();
    command.add_option("-o,--output", options.format, "json, jsonl or human (also: text)")
        ->check(CLI::IsMember({"json", "jsonl", "human", "text"}));
}

}  // namespace

int verify_command(const LogOptions& options) {
    const auto found = read_log(options, nullptr);
    if (!found) return report(found.error().message);
    if (choose_format(options.format, stdout_is_terminal()) == OutputFormat::Human)
        std::fputs(to_text(*found).c_str(), stdout);
    else
        std::printf("%s\n", report_json(*found).c_str());
    return found->is_sound() ? kExitOk : kExitFailed;
}

void add_log_command(CLI::App& app, Run& run) {
    auto options = std::make_shared<LogOptions>();
    const auto then = [&run, options](int (*command)(const LogOptions&)) {
        return [&run, options, command] {
            if (options->format == "text") options->format = "human";
            run = [options, command] { return command(*options); };
        };
    };
    auto* log = app.add_subcommand("log", "Look at a data directory that no broker has open");
    log->require_subcommand(1);
    auto* verify = log->add_subcommand(
        "verify", "Check every commit and batch; exit code 1 when something is damaged");
    add_data(*verify, *options, true);
    verify->callback(then(verify_command));

    auto* dump = log->add_subcommand("dump", "Print segments, commits and batches as they stand");
    add_data(*dump, *options, true);
    auto* lane = dump->add_option("--lane", options->lane, "Only this lane");
    auto* shard = dump->add_option("--shard", options->shard, "Only this shard (its uid)");
    dump->add_option("--from", options->from, "Only from this record of the shard on")
        ->needs(shard);
    dump->add_flag("--records", options->with_records,
                   "Also the records: key, size, the beginning of the data");
    dump->callback([options, lane, shard, run_it = then(dump_command)] {
        options->has_lane = lane->count() > 0;
        options->has_shard = shard->count() > 0;
        run_it();
    });

    auto* stats = log->add_subcommand("stats", "How much is there, and what it costs on disk");
    add_data(*stats, *options, false);
    stats->add_option("--top", options->top, "How many of the largest shards to show (10)");
    stats->add_option("--connect", options->connect,
                      "Instead: the figures of the running broker at HOST:PORT");
    stats->callback(then(stats_command));
}

}  // namespace tidemill::console
