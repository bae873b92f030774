#include <atomic>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "console/commands/broker_options.h"
#include "console/commands/output.h"
#include "producer/producer.h"

namespace tidemill::console {
namespace {

struct Options {
    std::string connect = default_endpoint();
    std::string stream, key, key_delimiter, format, compression = "none";
    std::vector<std::string> files;
    bool quiet = false;
};

struct Tally {
    std::atomic<std::uint64_t> stored{0}, failed{0};
    std::atomic<bool> has_reported{false};
};

// One record a line; an empty line is an empty record no one wants.
void put_lines(std::istream& in, client::Producer& producer, const Options& options, Tally& tally,
               std::uint64_t& sent) {
    for (std::string line; std::getline(in, line);) {
        if (line.empty()) continue;
        std::string_view data = line;
        std::string key = options.key;
        if (!options.key_delimiter.empty()) {
            const auto at = data.find(options.key_delimiter);
            if (at != std::string_view::npos) {
                key = std::string(data.substr(0, at));
                data.remove_prefix(at + options.key_delimiter.size());
            }
        }
        if (key.empty()) key = std::to_string(sent);  // spreads over the shards
        ++sent;
        producer.put_async(options.stream, key, data, [&tally](const client::PutResult& result) {
            if (result) {
                ++tally.stored;
            } else {
                ++tally.failed;
                if (!tally.has_reported.exchange(true)) report(result.failure());
            }
        });
        if (!options.quiet && sent % 10000 == 0 && stderr_is_terminal())
            std::fprintf(stderr, "\r%s sent, %s stored ",
                         short_count(static_cast<double>(sent)).c_str(),
                         short_count(static_cast<double>(tally.stored)).c_str());
    }
}

int put(const Options& options) {
    client::ProducerOptions settings;
    settings.endpoint = options.connect;
    settings.compression = options.compression;
    auto producer = client::Producer::connect(settings);
    if (!producer) return report(producer.failure());
    Tally tally;
    std::uint64_t sent = 0;
    int code = kExitOk;
    if (options.files.empty()) put_lines(std::cin, *producer, options, tally, sent);
    for (const auto& file : options.files) {
        if (file == "-") {
            put_lines(std::cin, *producer, options, tally, sent);
            continue;
        }
        std::ifstream in(file, std::ios::binary);
        if (!in) {
            code = report("cannot open " + file);
            break;
        }
        put_lines(in, *producer, options, tally, sent);
    }
    producer->close();
    if (!options.quiet && stderr_is_terminal()) std::fputs("\r\x1b[K", stderr);
    if (choose_format(options.format, stdout_is_terminal()) == OutputFormat::Human)
        std::printf(
            "%lu records stored in %s%s\n", tally.stored.load(), options.stream.c_str(),
            tally.failed > 0 ? fmt::format(", {} failed", tally.failed.load()).c_str() : "");
    else
        std::printf("{\"stream\":%s,\"stored\":%lu,\"failed\":%lu}\n",
                    json_string(options.stream).c_str(), tally.stored.load(), tally.failed.load());
    return tally.failed > 0 ? kExitFailed : code;
}

}  // namespace

void add_put_command(CLI::App& app, Run& run) {
    auto options = std::make_shared<Options>();
    auto* command = app.add_subcommand(
        "put", "Write lines from files or standard input to a stream, one record each");
    command->add_option("stream", options->stream, "The stream")->required();
    command->add_option("files", options->files, "Files; none or - for standard input");
    add_connect_option(*command, options->connect);
    auto* key = command->add_option(
        "-k,--key", options->key, "Partition key of all records (default: spread over the shards)");
    command
        ->add_option("-K,--key-delimiter", options->key_delimiter,
                     "What stands before this in a line is its key")
        ->excludes(key);
    command
        ->add_option("--compression", options->compression,
                     "Of batches, kept by the broker as it is: none, lz4, zstd or zstd:LEVEL")
        ->capture_default_str();
    add_output_option(*command, options->format);
    command->add_flag("--no-progress", options->quiet, "No progress on standard error");
    command->callback([&run, options] { run = [options] { return put(*options); }; });
}

}  // namespace tidemill::console
