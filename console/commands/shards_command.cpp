// tidemill shards NAME.
#include <chrono>
#include <cstdio>
#include <thread>

#include "console/commands/broker_options.h"
#include "console/commands/interrupt.h"
#include "console/commands/redraw.h"
#include "console/commands/shard_map.h"

namespace tidemill::console {
namespace {

constexpr std::chrono::seconds kEvery{1};

struct Options : BrokerOptions {
    std::string name;
    bool is_once = false, shows_all = false;
};

int print_json(const client::StreamDescription& stream, const std::vector<client::ShardRate>& rates,
               OutputFormat format) {
    std::string all;
    for (std::size_t i = 0; i < stream.shards.size(); ++i) {
        const auto line = shard_map_json(stream, i, rates);
        if (format == OutputFormat::JsonLines) std::printf("%s\n", line.c_str());
        all += (all.empty() ? "" : ",") + line;
    }
    if (format == OutputFormat::Json) std::printf("[%s]\n", all.c_str());
    return kExitOk;
}

int show(client::AdminClient& admin, const Options& given) {
    const OutputFormat format = given.output();
    const bool is_live = format == OutputFormat::Human && !given.is_once && stdout_is_terminal();
    if (is_live) watch_interrupts();
    Redraw screen;
    while (true) {
        const auto stream = admin.describe_stream(given.name, true);
        if (!stream) return report_of_stream(admin, stream.failure(), given.name);
        const auto rates = admin.shard_rates(given.name);
        if (!rates) return report_of_stream(admin, rates.failure(), given.name);
        if (format != OutputFormat::Human) return print_json(*stream, *rates, format);
        ShardMapStyle style;
        style.shows_all = given.shows_all;
        if (stdout_is_terminal())
            style = fit_shard_map(*stream, *rates, style, screen_size().columns);
        const auto text = draw_shard_map(*stream, *rates, style);
        if (!is_live) {
            std::fputs(text.c_str(), stdout);
            return kExitOk;
        }
        screen.show(text + "\nevery second; Ctrl-C ends\n");
        for (int i = 0; i < 10 && !is_interrupted(); ++i)
            std::this_thread::sleep_for(kEvery / 10);
        if (is_interrupted()) return kExitOk;
    }
}

}  // namespace

void add_shards_command(CLI::App& app, Run& run) {
    auto options = std::make_shared<Options>();
    auto* command = app.add_subcommand(
        "shards", "Draw a stream's shards over the key space, with what goes in and out of each");
    command->add_option("name", options->name, "The stream")->required();
    command->add_flag("--once", options->is_once, "Show it once and end (default: every second)");
    command->add_flag("--all", options->shows_all, "Show every closed shard");
    run_connected(*command, run, options,
                  [](client::AdminClient& admin, Options& given) { return show(admin, given); });
}

}  // namespace tidemill::console
