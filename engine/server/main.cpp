#include <cstdio>
#include <exception>

#include <CLI/CLI.hpp>

#include "console/commands/command.h"

int main(int argc, char** argv) {
    using namespace tidemill::console;
    CLI::App app{
        "Tidemill: Kinesis-style streams in a durable log, streaming SQL with anomaly detection, "
        "in one program."};
    app.set_version_flag("--version", TIDEMILL_VERSION);
    app.require_subcommand(1);
    app.footer(
        "Environment: TIDEMILL_CONNECT names the broker for commands that talk to one; NO_COLOR.\n"
        "Exit codes: 0 done, 1 failed, 2 the command line was not understood.");
    Run run;
    add_serve_command(app, run);
    add_demo_command(app, run);
    add_stream_command(app, run);
    add_shards_command(app, run);
    add_put_command(app, run);
    add_tail_command(app, run);
    add_sql_command(app, run);
    add_app_command(app, run);
    add_bench_command(app, run);
    add_log_command(app, run);
    add_tables_command(app, run);
    add_keys_command(app, run);
    add_credentials_command(app, run);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        const int code = app.exit(error);
        return code == 0 ? kExitOk : kExitUsage;
    }
    try {
        return run();
    } catch (const std::exception& error) {
        return report(std::string("unexpected: ") + error.what());
    }
}
