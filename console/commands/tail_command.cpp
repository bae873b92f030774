#include <cstdio>
#include <map>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "console/commands/broker_options.h"
#include "console/commands/interrupt.h"
#include "console/commands/output.h"
#include "consumer/consumer.h"
#include "producer/admin_client.h"

namespace tidemill::console {
namespace {

struct Options {
    std::string connect = default_endpoint();
    std::string stream, from = "latest", format;
    std::uint64_t count = 0;
    bool stops_at_end = false;
};

bool parse_start(const std::string& text, client::StartPosition& start) {
    if (text == "oldest") return true;
    if (text == "latest") {
        start = client::StartPosition::latest();
        return true;
    }
    int year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0;
    const int fields = std::sscanf(text.c_str(), "%d-%d-%d%*1[T ]%d:%d:%d", &year, &month, &day,
                                   &hour, &minute, &second);
    if (fields < 3 && std::sscanf(text.c_str(), "%d-%d-%d", &year, &month, &day) != 3) return false;
    const std::chrono::year_month_day date{std::chrono::year(year),
                                           std::chrono::month(static_cast<unsigned>(month)),
                                           std::chrono::day(static_cast<unsigned>(day))};
    if (!date.ok() || hour > 23 || minute > 59 || second > 60) return false;
    start =
        client::StartPosition::at_time(std::chrono::sys_days(date) + std::chrono::hours(hour) +
                                       std::chrono::minutes(minute) + std::chrono::seconds(second));
    return true;
}

std::string base64(std::string_view bytes) {
    static constexpr char kDigits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        std::uint32_t group = 0;
        for (std::size_t k = 0; k < 3; ++k)
            group =
                group << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0u);
        for (std::size_t k = 0; k < 4; ++k)
            text += k <= bytes.size() - i ? kDigits[group >> (18 - 6 * k) & 63] : '=';
    }
    return text;
}

void print_record(const client::Delivery& delivery, const client::Record& record,
                  const std::string& format, OutputFormat shape) {
    if (format == "raw" || shape == OutputFormat::Human) {
        std::fwrite(record.data.data(), 1, record.data.size(), stdout);
        std::fputc('\n', stdout);
        return;
    }
    const auto arrival =
        std::chrono::duration_cast<std::chrono::milliseconds>(record.arrival.time_since_epoch())
            .count();
    const bool is_text = json_string(record.data).find("\xef\xbf\xbd") == std::string::npos;
    std::printf(R"({"shard_id":"%s","sequence_number":"%s","partition_key":%s,"arrival":"%s",%s})"
                "\n",
                delivery.shard_id().c_str(), delivery.sequence_number(record).c_str(),
                json_string(record.partition_key).c_str(), iso_time(arrival).c_str(),
                (is_text ? "\"data\":" + json_string(record.data)
                         : "\"data_base64\":\"" + base64(record.data) + "\"")
                    .c_str());
}

// Where each shard ended when the command began: with --no-follow reading stops there.
client::Outcome<std::map<std::uint32_t, std::uint64_t>> ends_of(const Options& options) {
    auto admin = client::AdminClient::connect(options.connect);
    if (!admin) return admin.failure();
    auto stream = admin->describe_stream(options.stream, true);
    if (!stream) return stream.failure();
    std::map<std::uint32_t, std::uint64_t> ends;
    for (const auto& shard : stream->shards)
        if (shard.end > shard.trim) ends[shard.index] = shard.end;
    return ends;
}

int tail(const Options& options) {
    client::ConsumerOptions settings;
    settings.endpoint = options.connect;
    settings.stream = options.stream;
    if (!parse_start(options.from, settings.start))
        return report(
            "--from takes oldest, latest or a time like 2026-01-31T12:00:00 (UTC), not '" +
            options.from + "'");
    auto ends = ends_of(options);
    if (!ends) return report(ends.failure());
    auto consumer = client::Consumer::connect(settings);
    if (!consumer) return report(consumer.failure());
    watch_interrupts();
    const auto shape =
        choose_format(options.format == "raw" ? "" : options.format, stdout_is_terminal());
    std::uint64_t printed = 0;
    int quiet_rounds = 0, code = kExitOk;
    while (!is_interrupted()) {
        if (options.stops_at_end && ends->empty()) break;
        auto batch = consumer->next_batch(std::chrono::milliseconds(200));
        if (!batch) return report(batch.failure());
        if (!*batch) {
            // From a time or the latest record on, a shard may have nothing to give before its end.
            if (options.stops_at_end && options.from != "oldest" && ++quiet_rounds >= 10) break;
            continue;
        }
        quiet_rounds = 0;
        const auto& delivery = **batch;
        if (delivery.kind == client::Delivery::Kind::Unreadable) code = report(delivery.reason);
        for (const auto& record : delivery.records) {
            const auto end = ends->find(delivery.shard_index);
            if (options.stops_at_end && (end == ends->end() || record.ordinal >= end->second))
                break;
            print_record(delivery, record, options.format, shape);
            if (++printed == options.count) return code;
        }
        if (const auto end = ends->find(delivery.shard_index);
            end != ends->end() && delivery.next_ordinal >= end->second)
            ends->erase(end);
        if (delivery.kind == client::Delivery::Kind::ShardEnded) {
            ends->erase(delivery.shard_index);
            consumer->checkpoint(delivery);
        }
        if (stdout_is_terminal() || !options.stops_at_end) std::fflush(stdout);
    }
    return code;
}

}  // namespace

void add_tail_command(CLI::App& app, Run& run) {
    auto options = std::make_shared<Options>();
    auto* command = app.add_subcommand(
        "tail", "Print the records of all shards of a stream, and go on as they come");
    command->add_option("stream", options->stream, "The stream")->required();
    command
        ->add_option("--from", options->from,
                     "oldest, latest, or a time: 2026-01-31T12:00:00 (UTC)")
        ->capture_default_str();
    command->add_option("-n,--count", options->count, "Stop after so many records");
    command->add_flag("-e,--no-follow", options->stops_at_end,
                      "Stop at the end as it was when the command began");
    add_connect_option(*command, options->connect);
    command
        ->add_option(
            "-o,--output", options->format,
            "jsonl (with key, sequence number, arrival), raw or human (data alone, a line each)")
        ->check(CLI::IsMember({"json", "jsonl", "raw", "human"}));
    command->callback([&run, options] { run = [options] { return tail(*options); }; });
}

}  // namespace tidemill::console
