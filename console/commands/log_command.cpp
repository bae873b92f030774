#include <cstdio>
#include <memory>

#include <CLI/CLI.hpp>

#include "console/commands/command.h"
#include "console/commands/output.h"
#include "engine/log/verify.h"
#include "engine/reactor/call_on.h"
#include "engine/reactor/reactor.h"

namespace tidemill::console {
namespace {

struct Options {
    std::string data, format;
    std::string directory = "log";
};

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

int verify(const Options& options) {
    ReactorConfig config;
    config.data_directory = options.data;
    config.spin = std::chrono::microseconds(0);
    auto reactors = ReactorGroup::start(1, config);
    if (!reactors) return report(reactors.error().message);
    Reactor& reactor = (*reactors)->at(CoreId{0});
    const auto found = run_on(reactor, [&reactor, directory = options.directory] {
        return verify_log(reactor.disk(), directory);
    });
    (*reactors)->stop();
    if (!found) return report(found.error().message);
    if (choose_format(options.format, stdout_is_terminal()) == OutputFormat::Human)
        std::fputs(to_text(*found).c_str(), stdout);
    else
        std::printf("%s\n", report_json(*found).c_str());
    return found->is_sound() ? kExitOk : kExitFailed;
}

}  // namespace

void add_log_command(CLI::App& app, Run& run) {
    auto options = std::make_shared<Options>();
    auto* log = app.add_subcommand("log", "Look at a data directory that no broker has open");
    log->require_subcommand(1);
    auto* command = log->add_subcommand(
        "verify", "Check every commit and batch; exit code 1 when something is damaged");
    command->add_option("--data,data", options->data, "The data directory")
        ->required()
        ->check(CLI::ExistingDirectory);
    command->add_option("-o,--output", options->format, "json or human")
        ->check(CLI::IsMember({"json", "jsonl", "human"}));
    command->callback([&run, options] { run = [options] { return verify(*options); }; });
}

}  // namespace tidemill::console
