// stream encrypt: start, stop, rotate, status; stream decrypt.
#include <fmt/format.h>

#include "console/commands/broker_options.h"
#include "console/commands/stream_view.h"

namespace tidemill::console {
namespace {

using client::AdminClient;
using client::StreamDescription;

struct Options : BrokerOptions {
    std::string name, key_name;
    bool turn_off = false, rotate = false;
};

int show(AdminClient& admin, const Options& given,
         const client::Outcome<StreamDescription>& stream) {
    if (!stream) return report_of_stream(admin, stream.failure(), given.name);
    return print_either(given.output(),
                        fmt::format("{}: {}", stream->name, encryption_text(stream->encryption)),
                        stream_json(*stream));
}

int start(AdminClient& admin, Options& given) {
    return show(admin, given, admin.start_encryption(given.name, given.key_name));
}

int stop(AdminClient& admin, Options& given) {
    return show(admin, given, admin.stop_encryption(given.name));
}

int rotate(AdminClient& admin, Options& given) {
    return show(admin, given, admin.rotate_data_key(given.name));
}

int status(AdminClient& admin, Options& given) {
    return show(admin, given, admin.describe_stream(given.name));
}

int as_flags_say(AdminClient& admin, Options& given) {
    return given.turn_off ? stop(admin, given)
           : given.rotate ? rotate(admin, given)
                          : start(admin, given);
}

}  // namespace

void add_stream_encrypt_commands(CLI::App& stream, Run& run) {
    auto options = std::make_shared<Options>();
    auto* encrypt = stream.add_subcommand(
        "encrypt",
        "Encrypt on disk what is written from now on: encrypt NAME, or encrypt start, "
        "stop, rotate, status NAME");
    encrypt->require_subcommand(0, 1);
    auto* name = encrypt->add_option("name", options->name, "The stream");
    auto* off = encrypt->add_flag("--off", options->turn_off, "The same as stop");
    encrypt->add_flag("--rotate", options->rotate, "The same as rotate")->excludes(off);
    encrypt->add_option("--key-name", options->key_name, "What descriptions call the key")
        ->excludes(off);
    options->add_to(*encrypt);
    encrypt->callback([&run, options, encrypt, name] {
        if (!encrypt->get_subcommands().empty()) return;
        if (name->count() == 0) throw CLI::RequiredError("name");
        run = connected(options, as_flags_say);
    });

    const auto add = [&](CLI::App& under, const char* word, const char* what,
                         int (*action)(AdminClient&, Options&)) {
        auto* command = under.add_subcommand(word, what);
        command->add_option("name", options->name, "The stream")->required();
        run_connected(*command, run, options, action);
        return command;
    };
    add(*encrypt, "start", "Encrypt what is written from now on", start)
        ->add_option("--key-name", options->key_name, "What descriptions call the key");
    add(*encrypt, "stop", "Write plain records from now on; encrypted ones stay readable", stop);
    add(*encrypt, "rotate", "Go on under a new data key", rotate);
    add(*encrypt, "status", "Show whether it is encrypted, under which key and since when", status);
    add(stream, "decrypt", "The same as encrypt stop", stop);
}

}  // namespace tidemill::console
