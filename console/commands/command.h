#pragma once

#include <functional>
#include <string>

#include "producer/outcome.h"

namespace CLI {
class App;
}

namespace tidemill::console {

/// What main runs once the command line is understood; returns the exit code.
using Run = std::function<int()>;

/// Exit codes of every command.
constexpr int kExitOk = 0, kExitFailed = 1, kExitUsage = 2;

/// Each adds its subcommand to `app`; parsing it sets `run`.
void add_serve_command(CLI::App& app, Run& run);
void add_demo_command(CLI::App& app, Run& run);
void add_stream_command(CLI::App& app, Run& run);
/// `stream retention`; `stream` is the command that it belongs to.
void add_stream_retention_command(CLI::App& stream, Run& run);
/// Further parts of `stream`: tags and limits, consumers, encrypt and decrypt.
void add_stream_usage_commands(CLI::App& stream, Run& run);
void add_stream_hotkeys_command(CLI::App& stream, Run& run);
void add_stream_consumers_commands(CLI::App& stream, Run& run);
void add_stream_encrypt_commands(CLI::App& stream, Run& run);
void add_shards_command(CLI::App& app, Run& run);
void add_put_command(CLI::App& app, Run& run);
void add_tail_command(CLI::App& app, Run& run);
void add_sql_command(CLI::App& app, Run& run);
void add_app_command(CLI::App& app, Run& run);
void add_bench_command(CLI::App& app, Run& run);
/// `bench nexmark`; `bench` is the command that it belongs to.
void add_nexmark_bench_command(CLI::App& bench, Run& run);
void add_log_command(CLI::App& app, Run& run);
void add_tables_command(CLI::App& app, Run& run);
void add_keys_command(CLI::App& app, Run& run);
void add_credentials_command(CLI::App& app, Run& run);

/// Parts of a command: `stream split`, `stream merge`, `stream scale`.
void add_reshard_commands(CLI::App& stream, Run& run);

/// Where commands look for a broker when they are not told: $TIDEMILL_CONNECT, else 127.0.0.1:4567.
std::string default_endpoint();

/// Prints "tidemill: <message>" to stderr; returns kExitFailed.
int report(const client::Failure& failure);
int report(const std::string& message);

}  // namespace tidemill::console
