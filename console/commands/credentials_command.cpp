#include <chrono>
#include <cstdio>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "console/commands/command.h"
#include "engine/security/credentials_file.h"

namespace tidemill::console {
namespace {

struct Options {
    std::string file;
    NewCredential wanted;
    std::int64_t hours = 0;
};

/// In the form of the file that AWS's clients read their credentials from.
int make(const Options& options) {
    NewCredential wanted = options.wanted;
    wanted.life = std::chrono::hours(options.hours);
    const auto now =
        std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
    const auto made = add_credential(options.file, wanted, now);
    if (!made) return report(made.error().message);
    std::printf("aws_access_key_id = %s\naws_secret_access_key = %s\n", made->access_key.c_str(),
                made->secret.c_str());
    if (!made->session_token.empty())
        std::printf("aws_session_token = %s\n", made->session_token.c_str());
    std::fprintf(stderr, "for %s; it is in %s now\n", made->identity->arn.c_str(),
                 options.file.c_str());
    return kExitOk;
}

int check(const std::string& file) {
    const auto loaded = load_credentials(file);
    if (!loaded) return report(loaded.error().message);
    std::vector<std::string> lines;
    for (const auto& [key, credential] : loaded->keys)
        lines.push_back(fmt::format("{}  {}", key, credential.identity->arn));
    std::ranges::sort(lines);
    for (const auto& line : lines)
        std::printf("%s\n", line.c_str());
    return kExitOk;
}

}  // namespace

void add_credentials_command(CLI::App& app, Run& run) {
    auto options = std::make_shared<Options>();
    auto* command =
        app.add_subcommand("credentials", "Make and list access keys (docs/security.md)");
    command->require_subcommand(1);

    auto* make_key = command->add_subcommand(
        "new", "Add a new access key to a file, which is made if need be; prints it");
    make_key->add_option("file", options->file, "The credentials file")->required();
    make_key->add_option("name", options->wanted.name, "Whose: a user's name, or a role's")
        ->required();
    make_key->add_option("--account", options->wanted.account, "12 digits")->capture_default_str();
    make_key->add_option("--session", options->wanted.session,
                         "Make a session of a role, with a session token");
    make_key->add_option("--hours", options->hours, "How long the key is good; 0: for ever")
        ->check(CLI::Range(0, 24 * 365 * 100));
    make_key->callback([&run, options] { run = [options] { return make(*options); }; });

    auto* list = command->add_subcommand("check", "Read a file as a broker would; list its keys");
    list->add_option("file", options->file, "The credentials file")->required();
    list->callback([&run, options] { run = [options] { return check(options->file); }; });
}

}  // namespace tidemill::console
