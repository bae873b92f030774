// tidemill app create|replace|start|stop|status|list|describe|delete.
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>
#include <thread>

#include <fmt/format.h>

#include "console/commands/application_view.h"
#include "console/commands/broker_options.h"
#include "console/commands/interrupt.h"
#include "console/commands/redraw.h"
#include "operators/sql/nearest_name.h"

namespace tidemill::console {
namespace {

constexpr std::chrono::seconds kEvery{1};

struct Options : BrokerOptions {
    std::string name, file, text, rowtime, input_format = "json", from = "now";
    std::vector<std::string> inputs, outputs;
    bool is_stopped = false, is_watched = false;
};

/// An error of the broker, with the nearest name there is and what to do about it.
int report_of_application(SqlClient& client, const Error& error, const std::string& name) {
    std::string message = error.message;
    if (error.code == Errc::NotFound && message.contains("application")) {
        std::vector<std::string> names;
        if (const auto known = client.list_applications(); known)
            for (const auto& application : *known)
                names.push_back(application.name);
        message =
            fmt::format("there is no SQL application {}.{}", name, sql::did_you_mean(name, names));
        if (names.empty()) message += " `tidemill app create` makes one.";
    } else if (error.code == Errc::NotFound) {
        message += "; `tidemill stream create` makes one";
    } else if (error.code == Errc::AlreadyExists) {
        message +=
            fmt::format("; `tidemill app delete {}` makes room, or choose another name", name);
    }
    return report(message);
}

Result<std::string> read_text(const Options& given) {
    if (!given.text.empty()) return given.text;
    if (given.file == "-") return std::string(std::istreambuf_iterator<char>(std::cin), {});
    std::ifstream in(given.file, std::ios::binary);
    if (!in) return fail(Errc::NotFound, "cannot read " + given.file);
    std::ostringstream text;
    text << in.rdbuf();
    return std::move(text).str();
}

/// NAME=STREAM, of an output also NAME=STREAM:KEY_COLUMN.
bool read_bindings(const Options& given, NewApplication& application) {
    for (const auto& word : given.inputs) {
        const auto at = word.find('=');
        if (at == std::string::npos || at == 0 || at + 1 == word.size()) return false;
        application.inputs.push_back({word.substr(0, at), word.substr(at + 1)});
    }
    for (const auto& word : given.outputs) {
        const auto at = word.find('=');
        if (at == std::string::npos || at == 0 || at + 1 == word.size()) return false;
        const std::string target = word.substr(at + 1);
        const auto colon = target.find(':');
        application.outputs.push_back({word.substr(0, at), target.substr(0, colon),
                                       colon == std::string::npos ? "" : target.substr(colon + 1)});
    }
    return true;
}

int print_one(SqlClient& client, const Options& given, const std::string& told) {
    const auto line = client.describe_application(given.name);
    if (!line) return report_of_application(client, line.error(), given.name);
    if (given.output() != OutputFormat::Human) {
        std::printf("%s\n", application_json(*line, false).c_str());
        return kExitOk;
    }
    std::string text = given.name + " is " + line->status;
    if (!line->message.empty()) text += ": " + line->message;
    std::printf("%s\n%s", text.c_str(), told.c_str());
    if (const auto next = next_step(*line); !next.empty() && told.empty())
        std::printf("%s\n", next.c_str());
    return kExitOk;
}

/// What create and replace are told; an exit code when it was not understood.
Result<NewApplication> application_of(const Options& given) {
    NewApplication application;
    application.name = given.name;
    ASSIGN(application.sql_text, read_text(given));
    if (!read_bindings(given, application))
        return fail(Errc::InvalidArgument,
                    "--input needs NAME=STREAM, --output NAME=STREAM or NAME=STREAM:KEY_COLUMN");
    application.input_options = {
        given.input_format == "csv" ? sql::RecordFormat::Csv : sql::RecordFormat::Json,
        given.rowtime, given.from == "oldest" || given.from == "earliest"};
    application.is_started = !given.is_stopped;
    return application;
}

int report_refusal(const Error& error) {
    report(error.message);
    return error.code == Errc::InvalidArgument ? kExitUsage : kExitFailed;
}

int create(SqlClient& client, const Options& given) {
    const auto application = application_of(given);
    if (!application) return report_refusal(application.error());
    if (const auto made = client.create_application(*application); !made)
        return report_of_application(client, made.error(), given.name);
    std::string told;
    if (!given.is_stopped) told += fmt::format("  tidemill app status {} --watch\n", given.name);
    if (given.is_stopped) told += fmt::format("  tidemill app start {}\n", given.name);
    for (const auto& output : application->outputs)
        told += fmt::format("  tidemill tail {}\n", output.stream);
    return print_one(client, given, told);
}

int replace(SqlClient& client, const Options& given) {
    auto application = application_of(given);
    if (!application) return report_refusal(application.error());
    application->is_started = false;  // it runs if it ran
    const auto notes = client.replace_application(*application);
    if (!notes) return report_of_application(client, notes.error(), given.name);
    std::string told;
    for (const auto& note : *notes)
        told += "  " + note + "\n";
    return print_one(client, given, told);
}

std::vector<ApplicationRate> rates_of(const std::vector<ApplicationLine>& now,
                                      const std::vector<ApplicationLine>& before, double seconds) {
    std::vector<ApplicationRate> rates(now.size());
    for (std::size_t i = 0; i < now.size(); ++i)
        for (const auto& old : before)
            if (old.name == now[i].name && old.rows_in <= now[i].rows_in && seconds > 0)
                rates[i] = {static_cast<double>(now[i].rows_in - old.rows_in) / seconds,
                            static_cast<double>(now[i].rows_out - old.rows_out) / seconds};
    return rates;
}

/// All applications, or the one that is named.
Result<std::vector<ApplicationLine>> ask(SqlClient& client, const Options& given) {
    if (given.name.empty()) return client.list_applications();
    ASSIGN(auto line, client.describe_application(given.name));
    return std::vector<ApplicationLine>{std::move(line)};
}

int watch(SqlClient& client, const Options& given) {
    watch_interrupts();
    Redraw screen;
    std::vector<ApplicationLine> before;
    auto looked = std::chrono::steady_clock::now();
    while (true) {
        auto now = ask(client, given);
        if (!now) return report_of_application(client, now.error(), given.name);
        const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - looked;
        looked = std::chrono::steady_clock::now();
        const bool is_one = !given.name.empty();
        const std::string text =
            is_one ? draw_application(now->front(), before.empty() ? nullptr : &before.front(),
                                      passed.count(), screen_size().columns)
                   : draw_applications(*now, rates_of(*now, before, passed.count()));
        screen.show(text + "\nevery second; Ctrl-C ends\n");
        before = std::move(*now);
        for (int i = 0; i < 10 && !is_interrupted(); ++i)
            std::this_thread::sleep_for(kEvery / 10);
        if (is_interrupted()) return kExitOk;
    }
}

int status(SqlClient& client, const Options& given) {
    const OutputFormat format = given.output();
    if (given.is_watched && format == OutputFormat::Human && stdout_is_terminal())
        return watch(client, given);
    const auto lines = ask(client, given);
    if (!lines) return report_of_application(client, lines.error(), given.name);
    if (format != OutputFormat::Human) {
        std::string all;
        for (const auto& line : *lines) {
            const auto object = application_json(line, false);
            if (format == OutputFormat::JsonLines) std::printf("%s\n", object.c_str());
            all += (all.empty() ? "" : ",") + object;
        }
        if (format == OutputFormat::Json) std::printf("[%s]\n", all.c_str());
        return kExitOk;
    }
    if (lines->empty())
        std::printf(
            "The broker has no SQL applications. `tidemill app create NAME -f FILE` makes "
            "one.\n");
    else
        std::fputs(draw_applications(*lines).c_str(), stdout);
    if (!given.name.empty()) {
        const auto& line = lines->front();
        if (line.message.contains('\n')) std::printf("\n%s\n", line.message.c_str());
        if (const auto next = next_step(line); !next.empty()) std::printf("\n%s\n", next.c_str());
    }
    return kExitOk;
}

int describe(SqlClient& client, const Options& given) {
    const auto line = client.describe_application(given.name);
    if (!line) return report_of_application(client, line.error(), given.name);
    if (given.output() != OutputFormat::Human) {
        std::printf("%s\n", application_json(*line, true).c_str());
        return kExitOk;
    }
    const std::size_t columns = stdout_is_terminal() ? screen_size().columns : 0;
    std::fputs(draw_application(*line, nullptr, 0, columns).c_str(), stdout);
    std::printf("\n%s%s", line->sql_text.c_str(), line->sql_text.ends_with('\n') ? "" : "\n");
    return kExitOk;
}

int start(SqlClient& client, const Options& given) {
    const auto done = client.start_application(given.name);
    if (!done) return report_of_application(client, done.error(), given.name);
    return print_one(client, given, fmt::format("  tidemill app status {} --watch\n", given.name));
}

int stop(SqlClient& client, const Options& given) {
    const auto done = client.stop_application(given.name);
    if (!done) return report_of_application(client, done.error(), given.name);
    return print_one(client, given, {});
}

int remove(SqlClient& client, const Options& given) {
    const auto done = client.delete_application(given.name);
    if (!done) return report_of_application(client, done.error(), given.name);
    return print_either(given.output(), given.name + " and its checkpoint are gone",
                        "{\"name\":" + json_string(given.name) + ",\"deleted\":true}");
}

using Action = int (*)(SqlClient&, const Options&);

CLI::App& add(CLI::App& app, Run& run, const std::shared_ptr<Options>& options,
              const std::string& name, const std::string& help, Action action,
              bool has_outputs = false) {
    auto* command = app.add_subcommand(name, help);
    if (has_outputs) {  // whose option has the long name that -o has elsewhere
        add_connect_option(*command, options->connect);
        command->add_option("-o", options->format, "human, json or jsonl")
            ->check(CLI::IsMember({"human", "json", "jsonl"}));
    } else {
        options->add_to(*command);
    }
    command->callback([&run, options, action] {
        run = [options, action] {
            auto endpoint = client::Endpoint::parse(options->connect);
            if (!endpoint) {
                report(endpoint.error().message);
                return kExitUsage;
            }
            SqlClient client(std::move(*endpoint), {}, {});
            return action(client, *options);
        };
    });
    return *command;
}

/// With the options that say what an application is.
CLI::App& add_definition(CLI::App& app, Run& run, const std::shared_ptr<Options>& options,
                         const std::string& name, const std::string& help, Action action) {
    auto& command = add(app, run, options, name, help, action, true);
    command.add_option("name", options->name, "What it is called")->required();
    auto* file = command.add_option("-f,--file", options->file, "SQL from this file, - for stdin");
    auto* text = command.add_option("-c,--command", options->text, "SQL text");
    file->excludes(text);
    auto* source = command.add_option_group("source");
    source->add_options(file);
    source->add_options(text);
    source->require_option(1);
    command.add_option("--input", options->inputs,
                       "NAME=STREAM: the stream that an input's rows come from");
    command.add_option("--output", options->outputs,
                       "NAME=STREAM[:COLUMN]: where rows go, as JSON; the column is the key");
    command.add_option("--rowtime", options->rowtime,
                       "Column that ROWTIME is taken from (default: arrival)");
    command.add_option("--input-format", options->input_format, "How records are read")
        ->check(CLI::IsMember({"json", "csv"}))
        ->capture_default_str();
    command.add_option("--from", options->from, "Where reading begins")
        ->check(CLI::IsMember({"now", "oldest", "latest", "earliest"}))
        ->capture_default_str();
    return command;
}

void add_create(CLI::App& app, Run& run) {
    auto options = std::make_shared<Options>();
    add_definition(app, run, options, "create", "Keep SQL as an application and run it", create)
        .add_flag("--stopped", options->is_stopped, "Keep it without running it");
    add_definition(app, run, std::make_shared<Options>(), "replace",
                   "Give it another SQL text; what did not change keeps its state", replace);
}

void add_named(CLI::App& app, Run& run, const std::string& name, const std::string& help,
               Action action) {
    auto options = std::make_shared<Options>();
    auto& command = add(app, run, options, name, help, action);
    command.add_option("name", options->name, "The application")->required();
}

}  // namespace

void add_app_command(CLI::App& app, Run& run) {
    auto* group = app.add_subcommand("app", "SQL applications that run in the broker");
    group->require_subcommand(1);
    add_create(*group, run);
    add_named(*group, run, "start", "Run it, from its last checkpoint if it has one", start);
    add_named(*group, run, "stop", "Stop it with a last checkpoint", stop);
    auto options = std::make_shared<Options>();
    auto& shown = add(*group, run, options, "status",
                      "What it does: rows, lag, errors, why it failed", status);
    shown.add_option("name", options->name, "The application (default: all)");
    shown.add_flag("-w,--watch", options->is_watched, "Every second, with rates, until Ctrl-C");
    add(*group, run, std::make_shared<Options>(), "list", "All applications", status);
    add_named(*group, run, "describe", "All about it: streams, steps with counts, SQL", describe);
    add_named(*group, run, "delete", "Stop it and forget it and its checkpoint", remove);
}

}  // namespace tidemill::console
