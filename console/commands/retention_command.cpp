#include <cstdio>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "console/commands/command.h"
#include "console/commands/output.h"
#include "engine/server/config.h"
#include "producer/admin_client.h"

namespace tidemill::console {
namespace {

struct Options {
    std::string connect = default_endpoint();
    std::string format, name, max_bytes;
    int hours = 0;
};

int change(const Options& options) {
    client::RetentionWish wish;
    if (options.hours != 0) wish.retention = std::chrono::hours(options.hours);
    if (!options.max_bytes.empty()) {
        const auto bytes = parse_size(options.max_bytes);
        if (!bytes) return report(bytes.error().message);
        wish.max_bytes = *bytes;
    }
    auto admin = client::AdminClient::connect(options.connect);
    if (!admin) return report(admin.failure());
    const auto changed = wish.retention || wish.max_bytes ? admin->set_retention(options.name, wish)
                                                          : admin->describe_stream(options.name);
    if (!changed) return report(changed.failure());
    if (choose_format(options.format, stdout_is_terminal()) == OutputFormat::Human)
        std::printf(
            "%s keeps its records for %ld hours%s\n", changed->name.c_str(),
            static_cast<long>(changed->retention.count()),
            changed->max_bytes == 0
                ? ""
                : (", at most " + short_bytes(static_cast<double>(changed->max_bytes))).c_str());
    else
        std::printf("%s\n", fmt::format(R"({{"name":{},"retention_hours":{},"max_bytes":{}}})",
                                        json_string(changed->name), changed->retention.count(),
                                        changed->max_bytes)
                                .c_str());
    return kExitOk;
}

}  // namespace

void add_stream_retention_command(CLI::App& stream, Run& run) {
    auto options = std::make_shared<Options>();
    auto* command = stream.add_subcommand(
        "retention", "Show or change how long, and how much of, a stream is kept");
    command->add_option("name", options->name, "The stream")->required();
    command->add_option("--hours", options->hours, "Keep records so long: 1 to 87600 (ten years)")
        ->check(CLI::Range(1, 87600));
    command->add_option("--max-bytes", options->max_bytes,
                        "Keep at most this much, oldest records first, like 10GiB; 0: no bound");
    command->add_option("--connect", options->connect, "The broker, HOST:PORT")
        ->capture_default_str();
    command
        ->add_option("-o,--output", options->format,
                     "json, jsonl or human (default: human on a terminal)")
        ->check(CLI::IsMember({"json", "jsonl", "human"}));
    command->callback([&run, options] { run = [options] { return change(*options); }; });
}

}  // namespace tidemill::console
