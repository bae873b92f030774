#include "console/commands/command.h"

#include <cstdio>
#include <cstdlib>

namespace tidemill::console {

std::string default_endpoint() {
    const char* set = std::getenv("TIDEMILL_CONNECT");
    return set != nullptr && *set != '\0' ? set : "127.0.0.1:4567";
}

int report(const std::string& message) {
    std::fprintf(stderr, "tidemill: %s\n", message.c_str());
    return kExitFailed;
}

int report(const client::Failure& failure) { return report(failure.message); }

}  // namespace tidemill::console
