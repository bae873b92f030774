#include <cstdio>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "console/commands/command.h"
#include "console/commands/interrupt.h"
#include "engine/server/auth_plan.h"
#include "engine/server/config_file.h"
#include "engine/server/server.h"

namespace tidemill::console {
namespace {

constexpr std::chrono::seconds kLookInterval{1};  // at files that may change while we run

// What the command line says; empty means: as the file or the default has it.
struct Options {
    std::string config, data, listen, durability, log_level, segment_bytes, io, disk_budget, limits,
        auth, credentials, tls, tls_certificate, tls_key;
    bool is_buffered = false, is_insecure = false, allows_commands = false;
    std::uint32_t cores = 0, lanes = 0;
    CLI::Option *cores_given = nullptr, *lanes_given = nullptr;
};

Result<Config> settings(const Options& options) {
    Config config;
    if (!options.config.empty()) {
        ASSIGN(config, load_config(options.config, config));
    }
    if (!options.data.empty()) config.data_directory = options.data;
    if (!options.listen.empty()) TRY(parse_listen(options.listen, config));
    if (!options.durability.empty())
        config.durability =
            options.durability == "disk" ? LogDurability::Disk : LogDurability::Memory;
    if (!options.log_level.empty()) config.log_level = *log::parse_level(options.log_level);
    if (!options.io.empty()) config.io = *parse_io(options.io);
    if (!options.limits.empty()) config.usage.mode = *parse_limits_mode(options.limits);
    if (options.is_buffered) config.direct_io = false;
    if (!options.segment_bytes.empty()) {
        ASSIGN(config.segment_bytes, parse_size(options.segment_bytes));
    }
    if (!options.disk_budget.empty()) {
        ASSIGN(config.disk_budget_bytes, parse_size(options.disk_budget));
    }
    if (!options.auth.empty()) config.auth.mode = parse_auth(options.auth);
    if (!options.credentials.empty()) config.auth.credentials_file = options.credentials;
    if (options.is_insecure) config.auth.insecure = true;
    if (options.allows_commands) config.sql.allow_commands = true;
    if (!options.tls.empty()) config.tls.mode = *parse_tls(options.tls);
    if (!options.tls_certificate.empty()) config.tls.certificate_file = options.tls_certificate;
    if (!options.tls_key.empty()) config.tls.key_file = options.tls_key;
    if (options.cores_given->count() > 0) config.cores = options.cores;
    if (options.lanes_given->count() > 0) config.lanes = options.lanes;
    TRY(validate(config));
    TRY(plan_auth(config));
    return config;
}

int serve(const Options& options) {
    const auto config = settings(options);
    if (!config) {
        report(config.error().message);
        return kExitUsage;
    }
    watch_interrupts();
    watch_hangups();
    log::set_up(config->log_level);
    auto server = Server::start(*config);
    if (!server) return report(server.error().to_string());
    // Whoever started us waits for this line.
    std::printf("listening on %s:%u\n", (*server)->host().c_str(), (*server)->port());
    if (!(*server)->certificate().empty())
        std::printf("https too; its certificate: %s\n", (*server)->certificate().c_str());
    std::fflush(stdout);
    for (Wake wake = Wake::Time; wake != Wake::Interrupt; wake = wait_for_signal(kLookInterval))
        (*server)->reload(wake == Wake::Hangup ? Reload::Always : Reload::WhatChanged);
    (*server)->stop();
    return kExitOk;
}

}  // namespace

void add_serve_command(CLI::App& app, Run& run) {
    auto options = std::make_shared<Options>();
    auto* command = app.add_subcommand("serve", "Run a broker until SIGINT or SIGTERM");
    command->add_option("--config", options->config,
                        "Settings in TOML; see deploy/config/tidemill.toml");
    command->add_option("--data", options->data,
                        "Where everything is kept (default: tidemill-data)");
    command->add_option(
        "--listen", options->listen,
        "HOST:PORT of the one port; port 0 takes a free one (default: 127.0.0.1:4567)");
    options->cores_given = command->add_option("--cores", options->cores,
                                               "Reactor threads; 0: one for each processor");
    options->lanes_given = command->add_option(
        "--lanes", options->lanes, "Sequential logs of a new data directory; 0: one a core");
    command
        ->add_option("--durability", options->durability,
                     "disk (acknowledged means on stable storage) or memory")
        ->check(CLI::IsMember({"disk", "memory"}));
    command->add_option("--segment-bytes", options->segment_bytes,
                        "Size of a full-grown segment, like 64MiB");
    command
        ->add_option("--io", options->io,
                     "How files are written: auto (io_uring where the system allows it), uring, "
                     "threads")
        ->check(CLI::IsMember({"auto", "uring", "threads"}));
    command->add_flag("--buffered", options->is_buffered,
                      "Go through the page cache even where O_DIRECT works");
    command->add_option("--disk-budget", options->disk_budget,
                        "What the log may take of the disk, like 100GiB; 0: what is there");
    command
        ->add_option("--limits", options->limits,
                     "none (as fast as the machine goes) or aws (what AWS allows a shard, a stream "
                     "and an account)")
        ->check(CLI::IsMember({"none", "aws"}));
    command
        ->add_option(
            "--auth", options->auth,
            "Who may call the AWS APIs: required (signed with a known key), optional, off; "
            "default: optional on loopback, else required")
        ->check(CLI::IsMember({"required", "optional", "off"}));
    command->add_option("--credentials", options->credentials,
                        "Access keys and policies in TOML; see 'tidemill credentials'");
    command->add_flag(
        "--allow-commands", options->allows_commands,
        "SQL applications may run commands on this machine (WITH (preprocess = ...))");
    command->add_flag("--insecure", options->is_insecure,
                      "Let strangers in on an address that other machines reach");
    command
        ->add_option("--tls", options->tls,
                     "on (beside connections without it), off or required (default: on)")
        ->check(CLI::IsMember({"on", "off", "required"}));
    command->add_option("--tls-cert", options->tls_certificate,
                        "Certificate and its chain in PEM, read again when it changes; default: a "
                        "development certificate in DATA/tls");
    command->add_option("--tls-key", options->tls_key, "Its private key in PEM");
    command->add_option("--log-level", options->log_level, "debug, info, warning, error, off")
        ->check(CLI::IsMember({"debug", "info", "warning", "error", "off"}));
    command->callback([&run, options] { run = [options] { return serve(*options); }; });
}

}  // namespace tidemill::console
