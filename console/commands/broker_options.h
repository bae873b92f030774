#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "console/commands/command.h"
#include "console/commands/output.h"
#include "producer/admin_client.h"

namespace tidemill::console {

/// --connect, the broker's address.
void add_connect_option(CLI::App& command, std::string& connect);
/// -o, how the answer is printed.
void add_output_option(CLI::App& command, std::string& format);

/// What every command takes that asks a broker something and prints the answer. A command's own
/// options derive from it.
struct BrokerOptions {
    std::string connect = default_endpoint();
    std::string format;

    /// --connect and -o.
    void add_to(CLI::App& command);
    OutputFormat output() const { return choose_format(format, stdout_is_terminal()); }
};

/// `action(AdminClient&, Options&)` against a connected broker.
template <class Options, class Action>
Run connected(std::shared_ptr<Options> options, Action action) {
    return [options, action] {
        auto admin = client::AdminClient::connect(options->connect);
        if (!admin) return report(admin.failure());
        return action(*admin, *options);
    };
}

/// Adds the options to `command`, and makes parsing it run `action` as `connected` does.
template <class Options, class Action>
void run_connected(CLI::App& command, Run& run, std::shared_ptr<Options> options, Action action) {
    options->add_to(command);
    command.callback([&run, options, action] { run = connected(options, action); });
}

/// Reports a failure about the stream `name`; where there is none of that name, with the nearest
/// that there is.
int report_of_stream(client::AdminClient& admin, const client::Failure& failure,
                     const std::string& name);

/// Reads tags written as key=value into `tags`. Returns the first word that is none; empty when all
/// are.
std::string parse_tags(const std::vector<std::string>& words,
                       std::map<std::string, std::string>& tags);
int no_tag(const std::string& word);
/// {"key":"value",...}
std::string tags_json(const std::map<std::string, std::string>& tags);

/// Prints the line for people, or the JSON document.
int print_either(OutputFormat format, const std::string& human, const std::string& json);

}  // namespace tidemill::console
