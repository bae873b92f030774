#include "console/commands/interrupt.h"

#include <atomic>
#include <cstdlib>

#include <poll.h>
#include <signal.h>
#include <unistd.h>

namespace tidemill::console {
namespace {

std::atomic<bool> interrupted{false}, hung_up{false};
int wake[2] = {-1, -1};

void wake_up() {
    const char byte = 1;
    [[maybe_unused]] const auto written = ::write(wake[1], &byte, 1);
}

extern "C" void on_hangup(int) {
    // Hangups that nobody has looked at yet are one.
    if (!hung_up.exchange(true)) wake_up();
}

extern "C" void on_signal(int) {
    // A second signal ends the program the hard way: whoever asks twice does not want to wait.
    if (interrupted.exchange(true)) _exit(130);
    wake_up();
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

void watch_hangups() {
    struct sigaction action{};
    action.sa_handler = on_hangup;
    sigemptyset(&action.sa_mask);
    ::sigaction(SIGHUP, &action, nullptr);
}

Wake wait_for_signal(std::chrono::milliseconds time) {
    const auto deadline = std::chrono::steady_clock::now() + time;
    while (true) {
        if (is_interrupted()) return Wake::Interrupt;
        if (hung_up.exchange(false)) return Wake::Hangup;
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(
            deadline - std::chrono::steady_clock::now());
        if (left.count() <= 0) return Wake::Time;
        pollfd waiting{wake[0], POLLIN, 0};
        if (::poll(&waiting, 1, static_cast<int>(left.count())) <= 0) continue;
        char bytes[16];
        [[maybe_unused]] const auto count = ::read(wake[0], bytes, sizeof bytes);
    }
}

}  // namespace tidemill::console
