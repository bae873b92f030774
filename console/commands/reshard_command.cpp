// stream split, stream merge, stream scale.
#include <algorithm>
#include <cstdio>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "console/commands/command.h"
#include "console/commands/output.h"
#include "console/commands/stream_view.h"
#include "producer/admin_client.h"

namespace tidemill::console {
namespace {

using client::AdminClient;
using client::ShardDescription;
using client::StreamDescription;

struct Options {
    std::string connect = default_endpoint();
    std::string format;
    std::string stream, shard, adjacent, key;
    std::uint32_t count = 0;
};

/// "shardId-000000000007" or "7".
std::optional<std::uint32_t> shard_index(std::string_view text) {
    constexpr std::string_view kPrefix = "shardId-";
    if (text.starts_with(kPrefix)) text.remove_prefix(kPrefix.size());
    if (text.empty() || text.size() > 12) return std::nullopt;
    std::uint64_t index = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') return std::nullopt;
        index = index * 10 + static_cast<std::uint64_t>(c - '0');
    }
    if (index > UINT32_MAX) return std::nullopt;
    return static_cast<std::uint32_t>(index);
}

int no_shard(std::string_view text) {
    return report(fmt::format("'{}' is no shard: write shardId-000000000003 or just 3", text));
}

bool comes_from(const ShardDescription& shard, std::uint32_t parent) {
    return shard.parent == parent || shard.adjacent_parent == parent;
}

/// The shards that `parent` became, as a person would list them.
std::string children_of(const StreamDescription& stream, std::uint32_t parent) {
    std::string text;
    for (const auto& shard : stream.shards)
        if (comes_from(shard, parent)) text += (text.empty() ? "" : " and ") + shard.id;
    return text;
}

int print(const StreamDescription& stream, const std::string& what, OutputFormat format) {
    if (format == OutputFormat::Human)
        std::printf("%s\n", what.c_str());
    else
        std::printf("%s\n", stream_json(stream).c_str());
    return kExitOk;
}

int split(AdminClient& admin, const Options& given, OutputFormat format) {
    const auto index = shard_index(given.shard);
    if (!index) return no_shard(given.shard);
    std::optional<std::string_view> key;
    if (!given.key.empty()) key = given.key;
    const auto changed = admin.split_shard(given.stream, *index, key);
    if (!changed) return report(changed.failure());
    return print(*changed,
                 fmt::format("split shard {} of {} into {}", *index, given.stream,
                             children_of(*changed, *index)),
                 format);
}

int merge(AdminClient& admin, const Options& given, OutputFormat format) {
    const auto first = shard_index(given.shard);
    if (!first) return no_shard(given.shard);
    const auto second = shard_index(given.adjacent);
    if (!second) return no_shard(given.adjacent);
    const auto changed = admin.merge_shards(given.stream, *first, *second);
    if (!changed) return report(changed.failure());
    return print(*changed,
                 fmt::format("merged shards {} and {} of {} into {}", *first, *second, given.stream,
                             children_of(*changed, *first)),
                 format);
}

int scale(AdminClient& admin, const Options& given, OutputFormat format) {
    const auto changed = admin.scale_stream(given.stream, given.count);
    if (!changed) return report(changed.failure());
    const auto open = std::ranges::count_if(changed->shards, &ShardDescription::is_open);
    return print(*changed,
                 fmt::format("{} has {} open shard{}", given.stream, open, open == 1 ? "" : "s"),
                 format);
}

}  // namespace

void add_reshard_commands(CLI::App& stream, Run& run) {
    auto options = std::make_shared<Options>();
    const auto add = [&](const char* name, const char* what,
                         int (*action)(AdminClient&, const Options&, OutputFormat)) {
        auto* command = stream.add_subcommand(name, what);
        command->add_option("--connect", options->connect, "The broker, HOST:PORT")
            ->capture_default_str();
        command
            ->add_option("-o,--output", options->format,
                         "json, jsonl or human (default: human on a terminal)")
            ->check(CLI::IsMember({"json", "jsonl", "human"}));
        command->add_option("name", options->stream, "The stream")->required();
        command->callback([&run, options, action] {
            run = [options, action] {
                auto admin = AdminClient::connect(options->connect);
                if (!admin) return report(admin.failure());
                return action(*admin, *options,
                              choose_format(options->format, stdout_is_terminal()));
            };
        });
        return command;
    };
    auto* to_split = add("split", "Split an open shard in two; keys keep their order", split);
    to_split->add_option("shard", options->shard, "Its id, or the number in it")->required();
    to_split->add_option("--at", options->key,
                         "The first hash key of the second child, decimal (default: the middle)");
    auto* to_merge = add("merge", "Merge two open shards whose hash key ranges touch", merge);
    to_merge->add_option("shard", options->shard, "One shard's id, or the number in it")
        ->required();
    to_merge->add_option("adjacent", options->adjacent, "The other's")->required();
    auto* to_scale =
        add("scale", "Split and merge to COUNT shards of equal range, in one step", scale);
    to_scale->add_option("count", options->count, "How many open shards")
        ->required()
        ->check(CLI::Range(1, 10000));
}

}  // namespace tidemill::console
