#include <cstdio>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "console/commands/command.h"
#include "console/commands/output.h"
#include "console/commands/stream_view.h"
#include "console/repl/text_table.h"
#include "engine/server/config.h"
#include "producer/admin_client.h"

namespace tidemill::console {
namespace {

using client::AdminClient;

struct Options {
    std::string connect = default_endpoint();
    std::string format;
    client::NewStream stream;
    int retention_hours = 24;
    std::string max_bytes;
    std::string name;
    bool tails = true;
    bool turn_off = false, rotate = false, encrypt = false;
    CLI::Option* encrypt_given = nullptr;
    std::string key_name;
};

int list(AdminClient& admin, OutputFormat format) {
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

template <class Action>
Run connected(std::shared_ptr<Options> options, Action action) {
    return [options, action] {
        auto admin = AdminClient::connect(options->connect);
        if (!admin) return report(admin.failure());
        return action(*admin, *options, choose_format(options->format, stdout_is_terminal()));
    };
}

}  // namespace

void add_stream_command(CLI::App& app, Run& run) {
    auto options = std::make_shared<Options>();
    auto* stream =
        app.add_subcommand("stream", "Create, list, describe, reshard, encrypt and delete streams");
    stream->require_subcommand(1);
    const auto common = [&](CLI::App* command) {
        command->add_option("--connect", options->connect, "The broker, HOST:PORT")
            ->capture_default_str();
        command
            ->add_option("-o,--output", options->format,
                         "json, jsonl or human (default: human on a terminal)")
            ->check(CLI::IsMember({"json", "jsonl", "human"}));
        return command;
    };

    auto* create = common(stream->add_subcommand("create", "Create a stream"));
    create->add_option("name", options->stream.name, "Its name")->required();
    create->add_option("--shards", options->stream.shard_count, "How many shards")
        ->check(CLI::Range(1, 100000))
        ->capture_default_str();
    create->add_option("--retention-hours", options->retention_hours, "How long records are kept")
        ->check(CLI::Range(1, 87600))
        ->capture_default_str();
    create->add_option("--max-bytes", options->max_bytes,
                       "Keep at most this much, oldest records first, like 10GiB (default: any)");
    create->add_flag("--on-demand", options->stream.is_on_demand, "On-demand mode");
    options->encrypt_given = create->add_flag(
        "--encrypt,!--no-encrypt", options->encrypt,
        "Encrypt its records on disk, or not (default: as the broker is configured)");
    create->callback([&run, options] {
        run = connected(options, [](AdminClient& admin, Options& given, OutputFormat format) {
            given.stream.retention = std::chrono::hours(given.retention_hours);
            if (given.encrypt_given->count() > 0) given.stream.is_encrypted = given.encrypt;
            if (!given.max_bytes.empty()) {
                const auto bytes = parse_size(given.max_bytes);
                if (!bytes) return report(bytes.error().message);
                given.stream.max_bytes = *bytes;
            }
            auto made = admin.create_stream(given.stream);
            if (!made) return report(made.failure());
            if (format == OutputFormat::Human)
                std::printf("created %s with %zu shard%s\n", made->name.c_str(),
                            made->shards.size(), made->shards.size() == 1 ? "" : "s");
            else
                std::printf("%s\n", stream_json(*made).c_str());
            return kExitOk;
        });
    });

    add_stream_retention_command(*stream, run);
    common(stream->add_subcommand("list", "List all streams"))->callback([&run, options] {
        run = connected(options, [](AdminClient& admin, Options&, OutputFormat format) {
            return list(admin, format);
        });
    });

    auto* describe =
        common(stream->add_subcommand("describe", "Show a stream's shards and what they hold"));
    describe->add_option("name", options->name, "The stream")->required();
    describe->callback([&run, options] {
        run = connected(options, [](AdminClient& admin, Options& given, OutputFormat format) {
            auto found = admin.describe_stream(given.name, true);
            if (!found) return report(found.failure());
            print_stream(*found, format);
            return kExitOk;
        });
    });

    auto* encrypt = common(stream->add_subcommand(
        "encrypt", "Encrypt on disk what is written from now on; --rotate: under a new key"));
    encrypt->add_option("name", options->name, "The stream")->required();
    auto* off = encrypt->add_flag("--off", options->turn_off, "Write plain records from now on");
    encrypt->add_flag("--rotate", options->rotate, "Make a new data key")->excludes(off);
    encrypt->add_option("--key-name", options->key_name, "What descriptions call the key")
        ->excludes(off);
    encrypt->callback([&run, options] {
        run = connected(options, [](AdminClient& admin, Options& given, OutputFormat format) {
            auto changed = given.turn_off ? admin.stop_encryption(given.name)
                           : given.rotate ? admin.rotate_data_key(given.name)
                                          : admin.start_encryption(given.name, given.key_name);
            if (!changed) return report(changed.failure());
            if (format == OutputFormat::Human)
                std::printf("%s: %s\n", changed->name.c_str(),
                            encryption_text(changed->encryption).c_str());
            else
                std::printf("%s\n", stream_json(*changed).c_str());
            return kExitOk;
        });
    });

    add_reshard_commands(*stream, run);

    auto* remove = common(stream->add_subcommand("delete", "Delete a stream and its records"));
    remove->add_option("name", options->name, "The stream")->required();
    remove->callback([&run, options] {
        run = connected(options, [](AdminClient& admin, Options& given, OutputFormat format) {
            auto gone = admin.delete_stream(given.name);
            if (!gone) return report(gone.failure());
            if (format == OutputFormat::Human)
                std::printf("deleted %s\n", given.name.c_str());
            else
                std::printf("{\"deleted\":%s}\n", json_string(given.name).c_str());
            return kExitOk;
        });
    });
}

}  // namespace tidemill::console
