#include <cstdio>
#include <memory>

#include <fmt/format.h>

#include "console/commands/broker_options.h"
#include "engine/server/config.h"

namespace tidemill::console {
namespace {

struct Options : BrokerOptions {
    std::string name, max_bytes;
    int hours = 0;
};

int change(client::AdminClient& admin, const Options& options) {
    client::RetentionWish wish;
    if (options.hours != 0) wish.retention = std::chrono::hours(options.hours);
    if (!options.max_bytes.empty()) {
        const auto bytes = parse_size(options.max_bytes);
        if (!bytes) return report(bytes.error().message);
        wish.max_bytes = *bytes;
    }
    const auto changed = wish.retention || wish.max_bytes ? admin.set_retention(options.name, wish)
                                                          : admin.describe_stream(options.name);
    if (!changed) return report_of_stream(admin, changed.failure(), options.name);
    if (options.output() == OutputFormat::Human)
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
    run_connected(*command, run, options,
                  [](client::AdminClient& admin, Options& given) { return change(admin, given); });
}

}  // namespace tidemill::console
