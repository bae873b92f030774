#include <cstdio>
#include <memory>

#include <fmt/format.h>

#include "console/commands/broker_options.h"
#include "console/commands/stream_view.h"
#include "console/repl/text_table.h"
#include "engine/server/config.h"

namespace tidemill::console {
namespace {

using client::AdminClient;

constexpr std::uint32_t kOnDemandShards = 4;

struct Options : BrokerOptions {
    client::NewStream stream;
    int retention_hours = 24;
    std::string max_bytes;
    std::string name;
    bool tails = true;
    std::string mode;
    bool encrypt = false, with_consumers = false;
    CLI::Option *encrypt_given = nullptr, *shards_given = nullptr;
};

int list(AdminClient& admin, Options& given) {
    const OutputFormat format = given.output();
    auto streams = admin.list_streams();
    if (!streams) return report(streams.failure());
    TextTable table({"stream", "status", "open shards", "created"});
    std::string json = "[";
    for (const auto& stream : *streams) {
        const auto created = iso_time(millis(stream.created));
        const auto line =
            fmt::format(R"({{"name":{},"status":"{}","open_shards":{},"created":"{}"}})",
                        json_string(stream.name), stream.status, stream.open_shards, created);
        if (format == OutputFormat::JsonLines) std::printf("%s\n", line.c_str());
        json += (json.size() > 1 ? "," : "") + line;
        table.add({stream.name, stream.status, std::to_string(stream.open_shards), created});
    }
    if (format == OutputFormat::Json) std::printf("%s]\n", json.c_str());
    if (format == OutputFormat::Human) {
        if (table.is_empty())
            std::puts("No streams. `tidemill stream create NAME` makes one.");
        else
            std::fputs(table.to_string().c_str(), stdout);
    }
    return kExitOk;
}

int create(AdminClient& admin, Options& given) {
    given.stream.retention = std::chrono::hours(given.retention_hours);
    if (given.encrypt_given->count() > 0) given.stream.is_encrypted = given.encrypt;
    if (given.stream.is_on_demand && given.shards_given->count() == 0)
        given.stream.shard_count = kOnDemandShards;
    if (!given.max_bytes.empty()) {
        const auto bytes = parse_size(given.max_bytes);
        if (!bytes) return report(bytes.error().message);
        given.stream.max_bytes = *bytes;
    }
    const auto made = admin.create_stream(given.stream);
    if (!made) return report(made.failure());
    return print_either(given.output(),
                        fmt::format("created {} with {} shard{}", made->name, made->shards.size(),
                                    made->shards.size() == 1 ? "" : "s"),
                        stream_json(*made));
}

int describe(AdminClient& admin, Options& given) {
    const auto found = admin.describe_stream(given.name, true);
    if (!found) return report_of_stream(admin, found.failure(), given.name);
    print_stream(*found, given.output());
    return kExitOk;
}

int set_mode(AdminClient& admin, Options& given) {
    const auto changed = admin.set_mode(given.name, given.mode == "on-demand");
    if (!changed) return report_of_stream(admin, changed.failure(), given.name);
    return print_either(
        given.output(),
        changed->is_on_demand
            ? fmt::format("{} is on demand: its shards follow its load", changed->name)
            : fmt::format("{} is provisioned: its shards stay as they are", changed->name),
        stream_json(*changed));
}

int remove(AdminClient& admin, Options& given) {
    const auto gone = admin.delete_stream(given.name, given.with_consumers);
    if (!gone) return report_of_stream(admin, gone.failure(), given.name);
    return print_either(given.output(), fmt::format("deleted {}", given.name),
                        fmt::format("{{\"deleted\":{}}}", json_string(given.name)));
}

}  // namespace

void add_stream_command(CLI::App& app, Run& run) {
    auto options = std::make_shared<Options>();
    auto* stream =
        app.add_subcommand("stream", "Create, change, describe, list and delete streams");
    stream->require_subcommand(1);
    const auto add = [&](const char* name, const char* what,
                         int (*action)(AdminClient&, Options&)) {
        auto* command = stream->add_subcommand(name, what);
        run_connected(*command, run, options, action);
        return command;
    };

    auto* to_create = add("create", "Create a stream", create);
    to_create->add_option("name", options->stream.name, "Its name")->required();
    options->shards_given = to_create
                                ->add_option("--shards", options->stream.shard_count,
                                             "How many shards (on demand: 4 to begin with)")
                                ->check(CLI::Range(1, 100000))
                                ->capture_default_str();
    to_create
        ->add_option("--retention-hours", options->retention_hours, "How long records are kept")
        ->check(CLI::Range(1, 87600))
        ->capture_default_str();
    to_create->add_option(
        "--max-bytes", options->max_bytes,
        "Keep at most this much, oldest records first, like 10GiB (default: any)");
    to_create->add_flag("--on-demand", options->stream.is_on_demand, "On-demand mode");
    options->encrypt_given = to_create->add_flag(
        "--encrypt,!--no-encrypt", options->encrypt,
        "Encrypt its records on disk, or not (default: as the broker is configured)");
    add_stream_retention_command(*stream, run);
    add("list", "List all streams", list);
    add("describe", "Show a stream's shards and what they hold", describe)
        ->add_option("name", options->name, "The stream")
        ->required();

    auto* to_mode =
        add("mode", "Let the broker split and merge its shards by load, or not", set_mode);
    to_mode->add_option("name", options->name, "The stream")->required();
    to_mode->add_option("mode", options->mode, "on-demand or provisioned")
        ->required()
        ->check(CLI::IsMember({"on-demand", "provisioned"}));
    add_reshard_commands(*stream, run);
    add_stream_encrypt_commands(*stream, run);
    add_stream_consumers_commands(*stream, run);
    add_stream_usage_commands(*stream, run);
    add_stream_hotkeys_command(*stream, run);
    auto* to_delete = add("delete", "Delete a stream and its records", remove);
    to_delete->add_option("name", options->name, "The stream")->required();
    to_delete->add_flag("--with-consumers", options->with_consumers,
                        "Even if consumers are registered with it");
}

}  // namespace tidemill::console
