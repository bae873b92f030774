#pragma once

#include <string>
#include <sys/types.h>
#include <vector>

namespace tidemill::test {

/// A real `tidemill serve` on loopback and a free port, as a child process. Ended by its pid, and
/// with the thread that started it.
class BrokerProcess {
 public:
    BrokerProcess(std::string program, std::string data_directory,
                  std::vector<std::string> more = {});
    ~BrokerProcess();
    BrokerProcess(const BrokerProcess&) = delete;
    BrokerProcess& operator=(const BrokerProcess&) = delete;

    /// Later starts listen where the first one did, so that clients find the broker again.
    void keep_port() { keeps_port_ = true; }
    /// Starts it; does not wait.
    void launch();
    /// Waits until it says where it listens. False when it ended before.
    bool await_ready();
    void start();  ///< both, aborting the test program with the child's words when it fails

    const std::string& address() const { return address_; }  ///< "127.0.0.1:port"
    pid_t pid() const { return pid_; }

    void kill();      ///< SIGKILL, and waits until it is gone
    int terminate();  ///< SIGTERM, and waits; returns its exit status

 private:
    std::string program_, data_directory_, address_;
    std::vector<std::string> more_;
    bool keeps_port_ = false;
    pid_t pid_ = -1;
    int output_ = -1;
};

}  // namespace tidemill::test
