// stream split, stream merge, stream scale.
#include <algorithm>
#include <cstdio>
#include <memory>

#include <fmt/format.h>

#include "console/commands/broker_options.h"
#include "console/commands/stream_view.h"

namespace tidemill::console {
namespace {

using client::AdminClient;
using client::ShardDescription;
using client::StreamDescription;

struct Options : BrokerOptions {
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

int split(AdminClient& admin, const Options& given) {
    const auto index = shard_index(given.shard);
    if (!index) return no_shard(given.shard);
    std::optional<std::string_view> key;
    if (!given.key.empty()) key = given.key;
    const auto changed = admin.split_shard(given.stream, *index, key);
    if (!changed) return report_of_stream(admin, changed.failure(), given.stream);
    return print_either(given.output(),
                        fmt::format("split shard {} of {} into {}", *index, given.stream,
                                    children_of(*changed, *index)),
                        stream_json(*changed));
}

int merge(AdminClient& admin, const Options& given) {
    const auto first = shard_index(given.shard);
    if (!first) return no_shard(given.shard);
    const auto second = shard_index(given.adjacent);
    if (!second) return no_shard(given.adjacent);
    const auto changed = admin.merge_shards(given.stream, *first, *second);
    if (!changed) return report_of_stream(admin, changed.failure(), given.stream);
    return print_either(given.output(),
                        fmt::format("merged shards {} and {} of {} into {}", *first, *second,
                                    given.stream, children_of(*changed, *first)),
                        stream_json(*changed));
}

int scale(AdminClient& admin, const Options& given) {
    const auto changed = admin.scale_stream(given.stream, given.count);
    if (!changed) return report_of_stream(admin, changed.failure(), given.stream);
    const auto open = std::ranges::count_if(changed->shards, &ShardDescription::is_open);
    return print_either(
        given.output(),
        fmt::format("{} has {} open shard{}", given.stream, open, open == 1 ? "" : "s"),
        stream_json(*changed));
}

}  // namespace

void add_reshard_commands(CLI::App& stream, Run& run) {
    auto options = std::make_shared<Options>();
    const auto add = [&](const char* name, const char* what,
                         int (*action)(AdminClient&, const Options&)) {
        auto* command = stream.add_subcommand(name, what);
        command->add_option("name", options->stream, "The stream")->required();
        run_connected(*command, run, options, [action](AdminClient& admin, Options& given) {
            return action(admin, given);
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
