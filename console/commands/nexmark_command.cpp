#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>

#include <CLI/CLI.hpp>

#include "console/commands/broker_options.h"
#include "console/commands/command.h"
#include "console/commands/output.h"
#include "operators/nexmark/nexmark_bench.h"
#include "operators/nexmark/queries.h"

namespace tidemill::console {
namespace {

struct Options {
    nexmark::BenchOptions bench;
    std::string file, format;
    unsigned cores = 1;
    bool is_list = false;
};

void print_human(const std::string& name, const nexmark::BenchResult& result) {
    std::printf("%s  %s events in %.2f s: %s events/s per core, %s rows out\n", name.c_str(),
                short_count(static_cast<double>(result.events)).c_str(), result.seconds,
                short_count(result.events_per_second()).c_str(),
                short_count(static_cast<double>(result.rows_out)).c_str());
    std::printf("CPU %.2f s; making the events alone %s/s; %llu checkpoint%s in %.3f s, up to %s\n",
                result.cpu_seconds, short_count(result.generator_events_per_second).c_str(),
                static_cast<unsigned long long>(result.checkpoints),
                result.checkpoints == 1 ? "" : "s", result.checkpoint_seconds,
                short_bytes(static_cast<double>(result.checkpoint_bytes)).c_str());
    if (result.record_bytes > 0)
        std::printf("bids as JSON records of %.0f B, rows out as JSON of %s\n", result.record_bytes,
                    short_bytes(static_cast<double>(result.bytes_out)).c_str());
    if (result.errors > 0)
        std::printf("%llu rows in error_stream: %s\n",
                    static_cast<unsigned long long>(result.errors), result.first_error.c_str());
}

void print_json(const std::string& name, const nexmark::BenchResult& result) {
    std::printf(
        R"({"query":"%s","events":%llu,"cores":1,"events_per_second":%.0f,"rows_out":%llu,)"
        R"("errors":%llu,"seconds":%.3f,"cpu_seconds":%.3f,"generator_events_per_second":%.0f,)"
        R"("checkpoints":%llu,"checkpoint_bytes":%llu,"checkpoint_seconds":%.4f,)"
        R"("record_bytes":%.1f,"bytes_out":%llu})"
        "\n",
        name.c_str(), static_cast<unsigned long long>(result.events), result.events_per_second(),
        static_cast<unsigned long long>(result.rows_out),
        static_cast<unsigned long long>(result.errors), result.seconds, result.cpu_seconds,
        result.generator_events_per_second, static_cast<unsigned long long>(result.checkpoints),
        static_cast<unsigned long long>(result.checkpoint_bytes), result.checkpoint_seconds,
        result.record_bytes, static_cast<unsigned long long>(result.bytes_out));
}

int run_nexmark(Options options) {
    if (options.is_list) {
        for (const auto& query : nexmark::queries())
            std::printf("-- %.*s\n%.*s\n", static_cast<int>(query.name.size()), query.name.data(),
                        static_cast<int>(query.sql.size()), query.sql.data());
        return kExitOk;
    }
    if (!options.file.empty()) {
        std::ifstream in(options.file, std::ios::binary);
        if (!in) return report("cannot read " + options.file);
        options.bench.sql_text.assign(std::istreambuf_iterator<char>(in), {});
    }
    const auto result = nexmark::run_bench(options.bench);
    if (!result) return report(result.error().message);
    const auto& name = options.file.empty() ? options.bench.query : options.file;
    if (choose_format(options.format, stdout_is_terminal()) == OutputFormat::Human)
        print_human(name, *result);
    else
        print_json(name, *result);
    return kExitOk;
}

}  // namespace

void add_nexmark_bench_command(CLI::App& bench, Run& run) {
    auto options = std::make_shared<Options>();
    auto* command = bench.add_subcommand(
        "nexmark", "Streaming SQL: a Nexmark query over events made in this process, no broker");
    auto& load = options->bench;
    auto* query =
        command->add_option("--query", load.query, "Its name, q0 to q22")->capture_default_str();
    command->add_option("-f,--file", options->file, "SQL of your own over PERSON, AUCTION and BID")
        ->excludes(query);
    command->add_option("--events", load.events, "Events to make; of 50, 46 are bids")
        ->check(CLI::Range(1ULL, 1'000'000'000'000ULL))
        ->capture_default_str();
    command->add_option("--cores", options->cores, "Cores to use: one query is one core's work")
        ->check(CLI::Range(1, 1))
        ->capture_default_str();
    command
        ->add_option("--event-rate", load.generator.events_per_second,
                     "Events a second of event time")
        ->check(CLI::Range(1ULL, 1'000'000'000ULL))
        ->capture_default_str();
    command->add_option("--checkpoint", load.checkpoint_seconds, "Seconds between checkpoints")
        ->check(CLI::Range(0.01, 3600.0))
        ->capture_default_str();
    command
        ->add_option_function<std::string>(
            "--source",
            [options](const std::string& form) {
                options->bench.form =
                    form == "json" ? nexmark::EventForm::Json : nexmark::EventForm::Generated;
            },
            "columns: events made as columns; json: bids decoded from JSON, rows encoded to it")
        ->check(CLI::IsMember({"columns", "json"}));
    command->add_option("--seed", load.generator.seed, "Seed of the events")->capture_default_str();
    command->add_flag("--list", options->is_list, "Print the queries instead");
    add_output_option(*command, options->format);
    command->callback([&run, options] { run = [options] { return run_nexmark(*options); }; });
}

}  // namespace tidemill::console
