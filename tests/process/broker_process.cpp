#include "tests/process/broker_process.h"

#include <cstdio>
#include <cstdlib>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

namespace tidemill::test {

BrokerProcess::BrokerProcess(std::string program, std::string data_directory,
                             std::vector<std::string> more)
    : program_(std::move(program)),
      data_directory_(std::move(data_directory)),
      more_(std::move(more)) {}

BrokerProcess::~BrokerProcess() {
    if (pid_ > 0) kill();
}

void BrokerProcess::launch() {
    int pipe_ends[2];
    if (::pipe2(pipe_ends, O_CLOEXEC) != 0) std::abort();
    std::vector<std::string> words = {
        program_,        "serve",    "--data",
        data_directory_, "--listen", keeps_port_ && !address_.empty() ? address_ : "127.0.0.1:0"};
    words.insert(words.end(), more_.begin(), more_.end());
    std::vector<char*> arguments;
    for (auto& word : words)
        arguments.push_back(word.data());
    arguments.push_back(nullptr);
    const pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ == 0) {
        // Ends with this program, however that ends; it may have ended just before.
        if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || ::getppid() != parent ||
            ::dup2(pipe_ends[1], STDOUT_FILENO) < 0)
            ::_exit(127);
        ::execv(arguments[0], arguments.data());
        ::_exit(127);
    }
    if (pid_ < 0) {
        std::fprintf(stderr, "cannot start %s\n", program_.c_str());
        std::exit(1);
    }
    ::close(pipe_ends[1]);
    output_ = pipe_ends[0];
}

bool BrokerProcess::await_ready() {
    std::string line;
    for (char c = 0; ::read(output_, &c, 1) == 1;) {
        if (c != '\n') {
            line += c;
            continue;
        }
        if (line.starts_with("listening on ")) {
            address_ = line.substr(line.rfind(' ') + 1);
            return true;
        }
        line.clear();
    }
    return false;
}

void BrokerProcess::start() {
    launch();
    if (await_ready()) return;
    std::fprintf(stderr, "the broker ended before it was ready (data in %s)\n",
                 data_directory_.c_str());
    std::exit(1);
}

void BrokerProcess::kill() {
    ::kill(pid_, SIGKILL);
    int status = 0;
    ::waitpid(pid_, &status, 0);
    ::close(output_);
    pid_ = -1;
}

int BrokerProcess::terminate() {
    ::kill(pid_, SIGTERM);
    int status = 0;
    ::waitpid(pid_, &status, 0);
    ::close(output_);
    pid_ = -1;
    return status;
}

}  // namespace tidemill::test
