#include "console/commands/broker_options.h"

#include <cstdio>

#include <fmt/format.h>

#include "engine/server/config_file.h"

namespace tidemill::console {

void add_connect_option(CLI::App& command, std::string& connect) {
    command.add_option("--connect", connect, "The broker, HOST:PORT")->capture_default_str();
}

void add_output_option(CLI::App& command, std::string& format) {
    command
        .add_option("-o,--output", format, "json, jsonl or human (default: human on a terminal)")
        ->check(CLI::IsMember({"json", "jsonl", "human"}));
}

void BrokerOptions::add_to(CLI::App& command) {
    add_connect_option(command, connect);
    add_output_option(command, format);
}

int report_of_stream(client::AdminClient& admin, const client::Failure& failure,
                     const std::string& name) {
    if (failure.code != "not_found" || failure.message.find(name) == std::string::npos)
        return report(failure);
    const auto streams = admin.list_streams();
    if (!streams) return report(failure);
    std::vector<std::string_view> names;
    for (const auto& stream : *streams) {
        if (stream.name == name) return report(failure);  // something within it was not found
        names.push_back(stream.name);
    }
    if (names.empty())
        return report(
            fmt::format("there is no stream {}, nor any other; `tidemill stream create "
                        "{}` makes it",
                        name, name));
    return report(
        fmt::format("there is no stream {}; did you mean '{}'?", name, nearest_name(name, names)));
}

std::string parse_tags(const std::vector<std::string>& words,
                       std::map<std::string, std::string>& tags) {
    for (const auto& word : words) {
        const auto equals = word.find('=');
        if (equals == std::string::npos || equals == 0) return word.empty() ? " " : word;
        tags[word.substr(0, equals)] = word.substr(equals + 1);
    }
    return {};
}

int no_tag(const std::string& word) {
    return report(fmt::format("'{}' is no tag: write key=value", word));
}

std::string tags_json(const std::map<std::string, std::string>& tags) {
    std::string text;
    for (const auto& [key, value] : tags)
        text +=
            fmt::format("{}{}:{}", text.empty() ? "" : ",", json_string(key), json_string(value));
    return "{" + text + "}";
}

int print_either(OutputFormat format, const std::string& human, const std::string& json) {
    std::printf("%s\n", (format == OutputFormat::Human ? human : json).c_str());
    return kExitOk;
}

}  // namespace tidemill::console
