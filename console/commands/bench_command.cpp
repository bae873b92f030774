#include <cstdio>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "bench/load/bench.h"
#include "console/commands/broker_options.h"
#include "console/commands/output.h"
#include "console/repl/sql_client.h"
#include "operators/anomaly/forest_bench.h"
#include "operators/anomaly/hot_spots_bench.h"

namespace tidemill::console {
namespace {

using bench::BenchOptions;
using bench::BenchResult;

struct Options {
    BenchOptions load;
    std::string format;
    anomaly::ForestConfig forest;
    bool has_explanation = false;
    anomaly::HotSpotConfig hot_spots;
    std::uint64_t points = 100000;
};

void print_human(const BenchResult& result) {
    std::printf("%s  %s records in %.2f s: %s records/s, %s/s\n", result.kind.c_str(),
                short_count(static_cast<double>(result.records)).c_str(), result.elapsed_seconds,
                short_count(result.records_per_second()).c_str(),
                short_bytes(result.bytes_per_second()).c_str());
    if (!result.durability.empty()) std::printf("durability %s, ", result.durability.c_str());
    std::printf("%u B a record, batches of %u, %u connection%s, %u shards\n",
                result.options.record_bytes, result.options.batch, result.options.connections,
                result.options.connections == 1 ? "" : "s", result.shards);
    if (result.latency_ns.count() > 0) {
        const auto us = [&](double q) {
            return static_cast<double>(result.latency_ns.quantile(q)) / 1000;
        };
        std::printf("latency us  p50 %.0f  p99 %.0f  p99.9 %.0f  max %.0f\n", us(0.5), us(0.99),
                    us(0.999), static_cast<double>(result.latency_ns.max()) / 1000);
    }
}

using Measure = Result<BenchResult> (*)(const BenchOptions&);

constexpr const char* kBenchApplication = "bench-latency";
constexpr const char* kBenchSql =
    "CREATE STREAM \"OUT\" (\"t\" BIGINT, \"p\" VARCHAR(65535));\n"
    "CREATE PUMP \"P\" AS INSERT INTO \"OUT\" SELECT STREAM \"t\", \"p\" FROM \"IN\" WHERE \"t\" > "
    "0;\n";
constexpr std::uint32_t kSqlRecordBytesMin = 48;

/// Latency from the intended sending of a record to its row in the output stream of an application
/// that is made for it, and deleted.
Result<BenchResult> run_sql_latency(const BenchOptions& wanted) {
    BenchOptions options = wanted;
    options.sql_output = options.stream + "-out";
    if (options.record_bytes < kSqlRecordBytesMin)
        return fail(Errc::InvalidArgument,
                    fmt::format("a JSON record has at least {} bytes here", kSqlRecordBytesMin));
    ASSIGN(auto endpoint, client::Endpoint::parse(options.connect));
    SqlClient client(std::move(endpoint), {}, {});
    TRY(bench::prepare_streams(options));
    (void)client.delete_application(kBenchApplication);  // of a run that was broken off
    NewApplication application;
    application.name = kBenchApplication;
    application.sql_text = fmt::format(
        "CREATE STREAM \"IN\" (\"t\" BIGINT, \"p\" VARCHAR(65535)) WITH (source = "
        "'{}');\n{}",
        options.stream, kBenchSql);
    application.outputs = {{"OUT", options.sql_output, {}}};
    TRY(client.create_application(application));
    for (bool is_running = false; !is_running;) {
        ASSIGN(const auto lines, client.list_applications());
        for (const auto& line : lines) {
            if (line.name != kBenchApplication) continue;
            if (line.status == "failed") return fail(Errc::Internal, line.message);
            is_running = line.status == "running";
        }
    }
    auto result = bench::run_latency(options);
    const auto deleted = client.delete_application(kBenchApplication);
    if (result && !deleted) return std::unexpected(deleted.error());
    return result;
}

Run measured(const std::shared_ptr<Options>& options, Measure measure) {
    return [options, measure] {
        const auto result = measure(options->load);
        if (!result) return report(result.error().message);
        if (choose_format(options->format, stdout_is_terminal()) == OutputFormat::Human)
            print_human(*result);
        else
            std::printf("%s\n", result->to_json().c_str());
        return kExitOk;
    };
}

CLI::App* add_load(CLI::App& bench, Run& run, const std::shared_ptr<Options>& options,
                   const char* name, const char* what, Measure measure) {
    auto* command = bench.add_subcommand(name, what);
    auto& load = options->load;
    add_connect_option(*command, load.connect);
    command->add_option("--stream", load.stream, "Stream to use; made when it is missing")
        ->capture_default_str();
    command->add_option("--shards", load.shards, "Shards of a new stream")
        ->check(CLI::Range(1, 100000))
        ->capture_default_str();
    command->add_option("--record-bytes", load.record_bytes, "Data of one record")
        ->check(CLI::Range(8, 10485760))
        ->capture_default_str();
    auto* records = command->add_option("--records", load.records, "Stop after so many");
    command->add_option("--seconds", load.seconds, "Stop after so long (default 5)")
        ->excludes(records);
    command->add_option("--rate", load.rate,
                        "Records a second, open loop; default: as fast as the window allows");
    command->add_option("--batch", load.batch, "Records a batch")
        ->check(CLI::Range(1, 100000))
        ->capture_default_str();
    command->add_option("--connections", load.connections, "Connections")
        ->check(CLI::Range(1, 10000))
        ->capture_default_str();
    command->add_option("--window", load.window,
                        "Unacknowledged records a connection (default: 32 batches)");
    command->add_option_function<std::string>(
        "--compression",
        [options](const std::string& text) {
            const auto compression = parse_compression(text);
            if (!compression)
                throw CLI::ValidationError("--compression", compression.error().message);
            options->load.compression = *compression;
        },
        "Of the batches sent, made of JSON then: none, lz4, zstd or zstd:LEVEL");
    add_output_option(*command, options->format);
    command->callback([&run, options, measure] { run = measured(options, measure); });
    return command;
}

void add_http_load(CLI::App& bench, Run& run, const std::shared_ptr<Options>& options,
                   const char* name, const char* what, Measure measure) {
    auto* command = add_load(bench, run, options, name, what, measure);
    for (const char* other : {"--rate", "--window", "--compression"})
        command->remove_option(command->get_option(other));
    command->add_flag("--cbor", options->load.cbor, "CBOR instead of JSON");
    command->add_option_function<std::string>(
        "--sign",
        [options](const std::string& text) {
            const auto colon = text.find(':');
            if (colon == std::string::npos || colon == 0)
                throw CLI::ValidationError("--sign", "is KEY:SECRET");
            options->load.access_key = text.substr(0, colon);
            options->load.secret_key = text.substr(colon + 1);
        },
        "Sign every request with this KEY:SECRET");
}

int run_forest(const Options& options) {
    if (const auto valid = options.forest.validate(); !valid) return report(valid.error().message);
    constexpr std::uint32_t kBatch = 256;
    const auto result =
        anomaly::run_forest_bench(options.forest, options.points, kBatch, options.has_explanation);
    if (choose_format(options.format, stdout_is_terminal()) == OutputFormat::Human)
        std::printf("%s points/s  (%u trees, sample %u, decay %u, %u columns, shingle %u)\n",
                    short_count(result.points_per_second).c_str(), options.forest.trees,
                    options.forest.sample, options.forest.time_decay, options.forest.columns,
                    options.forest.shingle);
    else
        std::printf(
            R"({"points_per_second":%.1f,"points_per_cpu_second":%.1f,"points":%lu,"trees":%u,"sample":%u,"decay":%u,"dims":%u,"shingle":%u,"explain":%s,"kernel":"%.*s","memory_bytes":%zu,"snapshot_bytes":%zu})"
            "\n",
            result.points_per_second, result.points_per_cpu_second, options.points,
            options.forest.trees, options.forest.sample, options.forest.time_decay,
            options.forest.columns, options.forest.shingle,
            options.has_explanation ? "true" : "false", static_cast<int>(result.kernel.size()),
            result.kernel.data(), result.memory_bytes, result.snapshot_bytes);
    return kExitOk;
}

int run_hot_spots(const Options& options) {
    if (const auto valid = options.hot_spots.validate(); !valid)
        return report(valid.error().message);
    const auto result = anomaly::run_hot_spots_bench(options.hot_spots, options.points, 42);
    const auto& config = options.hot_spots;
    if (choose_format(options.format, stdout_is_terminal()) == OutputFormat::Human)
        std::printf(
            "%s records/s with the text of each, %s/s without  (window %u, %u columns, "
            "radius %g, minimum %u; %.1f hot spots, %.0f bytes of text)\n",
            short_count(result.records_per_second).c_str(),
            short_count(result.state_per_cpu_second).c_str(), config.window, config.columns,
            config.radius, config.minimum, result.mean_hot_spots, result.mean_text_bytes);
    else
        std::printf(
            R"({"records_per_second":%.1f,"records_per_cpu_second":%.1f,"state_per_cpu_second":%.1f,"records":%lu,"window":%u,"dims":%u,"radius":%g,"minimum":%u,"hot_spots":%.2f,"text_bytes":%.1f})"
            "\n",
            result.records_per_second, result.records_per_cpu_second, result.state_per_cpu_second,
            result.records, config.window, config.columns, config.radius, config.minimum,
            result.mean_hot_spots, result.mean_text_bytes);
    return kExitOk;
}

}  // namespace

void add_bench_command(CLI::App& app, Run& run) {
    auto options = std::make_shared<Options>();
    options->load.connect = default_endpoint();
    auto* bench =
        app.add_subcommand("bench", "Measure a broker, the forest, hot spots, or streaming SQL");
    bench->require_subcommand(1);
    add_load(*bench, run, options, "produce", "Write as fast as acknowledgements allow",
             bench::run_produce)
        ->add_flag("--until-broken", options->load.until_broken,
                   "A lost connection ends the run: report what was acknowledged until then");
    add_load(*bench, run, options, "consume", "Read all shards and check every checksum",
             bench::run_consume);
    add_load(*bench, run, options, "catchup",
             "Read once what a stream holds, from its oldest record", bench::run_catchup)
        ->add_option("--sample-shards", options->load.sample_shards,
                     "Read so many shards only, spread over the stream, one after another");
    add_load(*bench, run, options, "latency", "Write at a rate, measure to delivery",
             bench::run_latency);

    add_load(*bench, run, options, "sql-latency",
             "Write JSON at a rate, measure to its row in the output stream of a SQL application",
             run_sql_latency)
        ->remove_option(bench->get_subcommand("sql-latency")->get_option("--compression"));

    add_http_load(*bench, run, options, "put-records",
                  "Kinesis over HTTP: PutRecords, one request under way a connection",
                  bench::run_put_records);
    add_http_load(*bench, run, options, "put-record", "Kinesis over HTTP: PutRecord",
                  bench::run_put_record);
    add_http_load(*bench, run, options, "get-records",
                  "Kinesis over HTTP: GetRecords in pages of --batch records",
                  bench::run_get_records);

    auto* forest =
        bench->add_subcommand("rcf", "Random cut forest: score and learn, one core, no broker");
    forest->add_option("--trees", options->forest.trees, "Trees")->capture_default_str();
    forest->add_option("--sample", options->forest.sample, "Points a tree keeps")
        ->capture_default_str();
    forest->add_option("--decay", options->forest.time_decay, "Time decay in records")
        ->capture_default_str();
    forest->add_option("--dims", options->forest.columns, "Columns")->capture_default_str();
    forest->add_option("--shingle", options->forest.shingle, "Records a point")
        ->capture_default_str();
    forest->add_flag("--explain", options->has_explanation,
                     "With the columns' shares of each score");
    forest->add_option("--points", options->points, "Points to measure")->capture_default_str();
    forest->add_option("--seed", options->forest.seed, "Seed")->capture_default_str();
    add_output_option(*forest, options->format);
    forest->callback([&run, options] { run = [options] { return run_forest(*options); }; });

    options->hot_spots.radius = 0.2;
    options->hot_spots.minimum = 17;
    auto* spots = bench->add_subcommand("hotspots", "Hot spots of a window, one core, no broker");
    spots->add_option("--window", options->hot_spots.window, "Records that count")
        ->capture_default_str();
    spots->add_option("--dims", options->hot_spots.columns, "Columns")->capture_default_str();
    spots->add_option("--radius", options->hot_spots.radius, "Neighbours are within it")
        ->capture_default_str();
    spots->add_option("--minimum", options->hot_spots.minimum, "Neighbours that make a core")
        ->capture_default_str();
    spots->add_option("--points", options->points, "Records to measure")->capture_default_str();
    add_output_option(*spots, options->format);
    spots->callback([&run, options] { run = [options] { return run_hot_spots(*options); }; });
    add_nexmark_bench_command(*bench, run);
}

}  // namespace tidemill::console
