#include "engine/crypto/command_output.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <sys/wait.h>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <unistd.h>

#include "engine/base/check.h"
#include "engine/crypto/secret.h"

namespace tidemill {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

/// A started program; ends it and its children unless it has ended.
class Child {
 public:
    explicit Child(pid_t pid) : pid_(pid) {}
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child() {
        if (pid_ <= 0) return;
        ::kill(-pid_, SIGKILL);
        while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
        }
    }
    /// Its wait status once it has ended.
    bool has_ended(int& status) {
        if (::waitpid(pid_, &status, WNOHANG) != pid_) return false;
        pid_ = -1;
        return true;
    }

 private:
    pid_t pid_;
};

Result<pid_t> spawn(const std::vector<std::string>& command, int out) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    posix_spawnattr_init(&attributes);
    sigset_t none, usual;
    sigemptyset(&none);
    sigemptyset(&usual);
    sigaddset(&usual, SIGPIPE);
    sigaddset(&usual, SIGINT);
    sigaddset(&usual, SIGTERM);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &usual);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    std::vector<char*> arguments;
    for (const auto& argument : command)
        arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);
    pid_t pid = -1;
    const int error =
        ::posix_spawnp(&pid, arguments[0], &actions, &attributes, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (error != 0)
        return fail(error == ENOENT ? Errc::NotFound : Errc::IoFailed,
                    fmt::format("cannot run {}: {}", command.front(), std::strerror(error)), error);
    return pid;
}

int millis_left(SteadyTime deadline) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000));
}

}  // namespace

Result<std::vector<std::byte>> command_output(const std::vector<std::string>& command,
                                              std::size_t bytes_max,
                                              std::chrono::milliseconds time) {
    TM_CHECK(!command.empty());
    const auto deadline = std::chrono::steady_clock::now() + time;
    const auto late = [&] {
        return fail(Errc::Timeout,
                    fmt::format("{} did not end within {} ms", command.front(), time.count()));
    };
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return fail(Errc::IoFailed, "cannot make a pipe", errno);
    struct Closer {
        int fd;
        ~Closer() { ::close(fd); }
    } reading{ends[0]};
    auto pid = spawn(command, ends[1]);
    ::close(ends[1]);
    if (!pid) return std::unexpected(pid.error());
    Child child(*pid);

    std::vector<std::byte> output(bytes_max + 1);
    std::size_t filled = 0;
    const auto give_up = [&](std::unexpected<Error> why) {
        wipe(output);
        return why;
    };
    while (true) {
        pollfd wish{reading.fd, POLLIN, 0};
        const int left = millis_left(deadline);
        if (left == 0) return give_up(late());
        if (::poll(&wish, 1, left) <= 0) continue;
        const ssize_t count = ::read(reading.fd, output.data() + filled, output.size() - filled);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0)
            return give_up(
                fail(Errc::IoFailed, fmt::format("cannot read from {}", command.front()), errno));
        if (count == 0) break;
        filled += static_cast<std::size_t>(count);
        if (filled > bytes_max)
            return give_up(fail(Errc::TooLarge, fmt::format("{} printed more than {} bytes",
                                                            command.front(), bytes_max)));
    }
    int status = 0;
    while (!child.has_ended(status)) {
        if (millis_left(deadline) == 0) return give_up(late());
        ::poll(nullptr, 0, 2);
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return give_up(fail(
            Errc::IoFailed,
            WIFEXITED(status)
                ? fmt::format("{} ended with exit code {}", command.front(), WEXITSTATUS(status))
                : fmt::format("{} was ended by signal {}", command.front(), WTERMSIG(status))));
    output.resize(filled);
    return output;
}

}  // namespace tidemill
