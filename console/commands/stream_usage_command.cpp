// stream tags, stream limits.
#include <cstdio>
#include <map>

#include <fmt/format.h>

#include "console/commands/broker_options.h"
#include "console/commands/stream_view.h"
#include "console/repl/text_table.h"

namespace tidemill::console {
namespace {

using client::AdminClient;

struct TagOptions : BrokerOptions {
    std::string name;
    std::vector<std::string> words;
};

int show_tags(const client::StreamDescription& stream, OutputFormat format) {
    if (format != OutputFormat::Human)
        return print_either(format, "",
                            fmt::format(R"({{"stream":{},"tags":{}}})", json_string(stream.name),
                                        tags_json(stream.tags)));
    if (stream.tags.empty()) return print_either(format, stream.name + " has no tags", "");
    TextTable table({"key", "value"});
    for (const auto& [key, value] : stream.tags)
        table.add({key, value});
    std::fputs(table.to_string().c_str(), stdout);
    return kExitOk;
}

int list_tags(AdminClient& admin, TagOptions& given) {
    const auto stream = admin.describe_stream(given.name);
    if (!stream) return report_of_stream(admin, stream.failure(), given.name);
    return show_tags(*stream, given.output());
}

int set_tags(AdminClient& admin, TagOptions& given) {
    std::map<std::string, std::string> set;
    if (const auto word = parse_tags(given.words, set); !word.empty()) return no_tag(word);
    const auto stream = admin.edit_tags(given.name, set, {});
    if (!stream) return report_of_stream(admin, stream.failure(), given.name);
    return show_tags(*stream, given.output());
}

int remove_tags(AdminClient& admin, TagOptions& given) {
    const auto stream = admin.edit_tags(given.name, {}, given.words);
    if (!stream) return report_of_stream(admin, stream.failure(), given.name);
    return show_tags(*stream, given.output());
}

struct LimitOptions : BrokerOptions {
    std::string name;
};

int show_limits(AdminClient& admin, LimitOptions& given) {
    const auto limits = admin.limits(given.name);
    if (!limits) return report_of_stream(admin, limits.failure(), given.name);
    if (given.output() != OutputFormat::Human) {
        std::string usage;
        for (const auto& one : limits->usage)
            usage += fmt::format(R"({}{{"what":{},"used":{},"limit":{}}})",
                                 usage.empty() ? "" : ",", json_string(one.what), one.used,
                                 one.limit == 0 ? "null" : std::to_string(one.limit));
        return print_either(given.output(), "",
                            fmt::format(R"({{"mode":"{}","usage":[{}]}})", limits->mode, usage));
    }
    std::printf(
        "limits.mode is %s%s\n\n", limits->mode.c_str(),
        limits->mode == "aws" ? ": rates and quotas as at AWS" : ": as fast as the machine goes");
    TextTable table({"what", "used", "of"});
    for (const auto& one : limits->usage)
        table.add({one.what, std::to_string(one.used),
                   one.limit == 0 ? "no limit" : std::to_string(one.limit)});
    std::fputs(table.to_string().c_str(), stdout);
    return kExitOk;
}

}  // namespace

void add_stream_usage_commands(CLI::App& stream, Run& run) {
    auto options = std::make_shared<TagOptions>();
    auto* tags = stream.add_subcommand("tags", "List, set and remove a stream's tags");
    tags->require_subcommand(1);
    const auto add = [&](const char* name, const char* what,
                         int (*action)(AdminClient&, TagOptions&)) {
        auto* command = tags->add_subcommand(name, what);
        command->add_option("name", options->name, "The stream")->required();
        run_connected(*command, run, options, action);
        return command;
    };
    add("list", "Show them", list_tags);
    auto* set = add("set", "Set tags, new ones or in place of what they were", set_tags);
    set->add_option("tags", options->words, "key=value, any number")->required();
    set->alias("add");
    add("remove", "Take tags away", remove_tags)
        ->add_option("keys", options->words, "Their keys")
        ->required();

    auto limited = std::make_shared<LimitOptions>();
    auto* limits = stream.add_subcommand(
        "limits", "Show what the broker, or one stream, has used of what it may");
    limits->add_option("name", limited->name, "The stream (default: all of the broker)");
    run_connected(*limits, run, limited, show_limits);
}

}  // namespace tidemill::console
