#include "console/commands/interrupt.h"

#include <atomic>
#include <cstdlib>

#include <poll.h>
#include <signal.h>
#include <unistd.h>

namespace tidemill::console {
namespace {

std::atomic<bool> interrupted{false};
int wake[2] = {-1, -1};

extern "C" void on_signal(int) {
    // A second signal ends the program the hard way: whoever asks twice does not want to wait.
    if (interrupted.exchange(true)) _exit(130);
    const char byte = 1;
    [[maybe_unused]] const auto written = ::write(wake[1], &byte, 1);
}

}  // namespace

void watch_interrupts() {
    if (wake[0] >= 0) return;
    if (::pipe(wake) != 0) std::abort();
    struct sigaction action{};
    action.sa_handler = on_signal;
    sigemptyset(&action.sa_mask);
    ::sigaction(SIGINT, &action, nullptr);
    ::sigaction(SIGTERM, &action, nullptr);
    struct sigaction ignore{};
    ignore.sa_handler = SIG_IGN;
    ::sigaction(SIGPIPE, &ignore, nullptr);
}

bool is_interrupted() { return interrupted.load(); }

void wait_for_interrupt() {
    while (!is_interrupted()) {
        pollfd waiting{wake[0], POLLIN, 0};
        ::poll(&waiting, 1, -1);
    }
}

}  // namespace tidemill::console
