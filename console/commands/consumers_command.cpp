// stream consumers: list, register, deregister.
#include <algorithm>
#include <cstdio>

#include <fmt/format.h>

#include "console/commands/broker_options.h"
#include "console/commands/stream_view.h"
#include "console/repl/text_table.h"

namespace tidemill::console {
namespace {

using client::AdminClient;

struct Options : BrokerOptions {
    std::string stream, consumer;
    std::vector<std::string> tags;
};

std::string consumer_json(const std::string& stream, const client::ConsumerDescription& consumer) {
    return fmt::format(R"({{"stream":{},"consumer":{},"created":"{}","tags":{}}})",
                       json_string(stream), json_string(consumer.name),
                       iso_time(millis(consumer.created)), tags_json(consumer.tags));
}

int list(AdminClient& admin, Options& given) {
    const auto stream = admin.describe_stream(given.stream);
    if (!stream) return report_of_stream(admin, stream.failure(), given.stream);
    const OutputFormat format = given.output();
    TextTable table({"consumer", "created", "tags"});
    std::string all;
    for (const auto& consumer : stream->consumers) {
        const auto line = consumer_json(stream->name, consumer);
        if (format == OutputFormat::JsonLines) std::printf("%s\n", line.c_str());
        all += (all.empty() ? "" : ",") + line;
        std::string tags;
        for (const auto& [key, value] : consumer.tags)
            tags += fmt::format("{}{}={}", tags.empty() ? "" : " ", key, value);
        table.add({consumer.name, iso_time(millis(consumer.created)), tags});
    }
    if (format == OutputFormat::Json) std::printf("[%s]\n", all.c_str());
    if (format != OutputFormat::Human) return kExitOk;
    if (table.is_empty())
        std::printf("%s has no registered consumers\n", stream->name.c_str());
    else
        std::fputs(table.to_string().c_str(), stdout);
    return kExitOk;
}

int enroll(AdminClient& admin, Options& given) {
    std::map<std::string, std::string> tags;
    if (const auto word = parse_tags(given.tags, tags); !word.empty()) return no_tag(word);
    const auto stream = admin.register_consumer(given.stream, given.consumer, tags);
    if (!stream) return report_of_stream(admin, stream.failure(), given.stream);
    const auto made =
        std::ranges::find(stream->consumers, given.consumer, &client::ConsumerDescription::name);
    if (made == stream->consumers.end())
        return report(fmt::format("consumer {} has been deregistered again", given.consumer));
    return print_either(given.output(),
                        fmt::format("registered {} with {}", given.consumer, given.stream),
                        consumer_json(stream->name, *made));
}

int release(AdminClient& admin, Options& given) {
    const auto stream = admin.deregister_consumer(given.stream, given.consumer);
    if (!stream) return report_of_stream(admin, stream.failure(), given.stream);
    return print_either(given.output(),
                        fmt::format("deregistered {} from {}", given.consumer, given.stream),
                        fmt::format(R"({{"stream":{},"deregistered":{}}})",
                                    json_string(stream->name), json_string(given.consumer)));
}

}  // namespace

void add_stream_consumers_commands(CLI::App& stream, Run& run) {
    auto options = std::make_shared<Options>();
    auto* consumers = stream.add_subcommand(
        "consumers", "List, register and deregister a stream's consumers with enhanced fan-out");
    consumers->require_subcommand(1);
    const auto add = [&](const char* name, const char* what,
                         int (*action)(AdminClient&, Options&)) {
        auto* command = consumers->add_subcommand(name, what);
        command->add_option("name", options->stream, "The stream")->required();
        run_connected(*command, run, options, action);
        return command;
    };
    add("list", "Show them", list);
    auto* made = add("register", "Register a consumer", enroll);
    made->add_option("consumer", options->consumer, "Its name")->required();
    made->add_option("--tag", options->tags, "key=value; may be given several times")
        ->allow_extra_args(false);
    add("deregister", "Let a consumer go; what it is subscribed to ends", release)
        ->add_option("consumer", options->consumer, "Its name")
        ->required();
}

}  // namespace tidemill::console
