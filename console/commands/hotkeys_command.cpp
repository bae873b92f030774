// stream hotkeys.
#include <cstdio>
#include <thread>

#include <fmt/format.h>

#include "console/commands/broker_options.h"
#include "console/commands/hot_keys.h"
#include "console/commands/interrupt.h"
#include "console/repl/text_table.h"

namespace tidemill::console {
namespace {

struct HotKeyOptions : BrokerOptions {
    std::string name;
    double seconds = 5;
    double percent = 1;
};

std::string to_json(const HotKey& key, double rate) {
    return fmt::format(
        R"({{"partition_key":{},"keys":{},"share":{:.4f},"records_per_second":{:.1f},"first":{},"last":{}}})",
        json_string(key.partition_key), key.keys, key.share, key.share * rate, key.first, key.last);
}

int print(const HotKeyOptions& given, const std::vector<client::SampledKey>& sample, double rate) {
    const auto found = find_hot_keys(sample, given.percent / 100);
    const auto format = given.output();
    if (format != OutputFormat::Human) {
        std::string all;
        for (const auto& key : found) {
            if (format == OutputFormat::JsonLines) std::printf("%s\n", to_json(key, rate).c_str());
            all += (all.empty() ? "" : ",") + to_json(key, rate);
        }
        if (format == OutputFormat::Json) std::printf("[%s]\n", all.c_str());
        return kExitOk;
    }
    if (sample.empty()) {
        std::printf("nothing was written to %s in %g s\n", given.name.c_str(), given.seconds);
        return kExitOk;
    }
    if (found.empty()) {
        std::printf("no key takes %g %% of the %s records/s of %s (%zu keys looked at)\n",
                    given.percent, short_count(rate).c_str(), given.name.c_str(), sample.size());
        return kExitOk;
    }
    TextTable table({"partition key", "share", "records/s", "where in the key space"});
    for (const auto& key : found)
        table.add({key.keys > 1 ? fmt::format("{} and {} more", key.partition_key, key.keys - 1)
                                : key.partition_key,
                   fmt::format("{:.1f} %", 100 * key.share), short_count(key.share * rate),
                   fmt::format("{:.2f} %", 100 * key.first)});
    std::fputs(table.to_string().c_str(), stdout);
    return kExitOk;
}

int watch(client::AdminClient& admin, HotKeyOptions& given) {
    using Clock = std::chrono::steady_clock;
    constexpr std::chrono::milliseconds kEvery{500};
    watch_interrupts();
    std::vector<client::SampledKey> sample;
    double rates = 0;
    std::uint64_t looks = 0;
    for (const auto end = Clock::now() + std::chrono::duration<double>(given.seconds);;) {
        auto keys = admin.sampled_keys(given.name);
        if (!keys) return report_of_stream(admin, keys.failure(), given.name);
        sample.insert(sample.end(), std::make_move_iterator(keys->begin()),
                      std::make_move_iterator(keys->end()));
        if (const auto shards = admin.shard_rates(given.name); shards && looks++ > 0)
            for (const auto& shard : *shards)
                rates += shard.records_in;
        if (is_interrupted() || Clock::now() >= end) break;
        std::this_thread::sleep_for(kEvery);
    }
    return print(given, sample, looks > 1 ? rates / static_cast<double>(looks - 1) : 0);
}

}  // namespace

void add_stream_hotkeys_command(CLI::App& stream, Run& run) {
    auto options = std::make_shared<HotKeyOptions>();
    auto* command = stream.add_subcommand(
        "hotkeys", "Watch what is written and say which partition keys take most of it");
    command->add_option("name", options->name, "The stream")->required();
    command->add_option("--seconds", options->seconds, "How long to watch")
        ->check(CLI::Range(0.5, 3600.0))
        ->capture_default_str();
    command->add_option("--percent", options->percent, "Keys with this part of the records or more")
        ->check(CLI::Range(0.1, 100.0))
        ->capture_default_str();
    run_connected(*command, run, options, [](client::AdminClient& admin, HotKeyOptions& given) {
        return watch(admin, given);
    });
}

}  // namespace tidemill::console
