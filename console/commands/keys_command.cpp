#include <cstdio>
#include <memory>

#include <CLI/CLI.hpp>

#include "console/commands/command.h"
#include "engine/crypto/master_key_source.h"

namespace tidemill::console {
namespace {

int show(const Result<MasterKey>& key) {
    if (!key) return report(key.error().message);
    std::printf("%s\n", key->fingerprint().c_str());
    return kExitOk;
}

}  // namespace

void add_keys_command(CLI::App& app, Run& run) {
    auto file = std::make_shared<std::string>();
    auto* keys = app.add_subcommand("keys", "Make and tell apart master keys (docs/encryption.md)");
    keys->require_subcommand(1);

    auto* make =
        keys->add_subcommand("make", "Write a new master key to a file; prints its fingerprint");
    make->add_option("file", *file, "Where; it must not exist")->required();
    make->callback([&run, file] { run = [file] { return show(make_master_key_file(*file)); }; });

    auto* print = keys->add_subcommand("show", "Print the fingerprint of a master key");
    print->add_option("file", *file, "The key's file")->required();
    print->callback([&run, file] { run = [file] { return show(load_master_key({*file, {}})); }; });
}

}  // namespace tidemill::console
