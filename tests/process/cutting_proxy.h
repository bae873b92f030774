#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "engine/base/random.h"

namespace tidemill::test {

/// A TCP proxy on loopback that breaks connections at the worst moments: when the broker's answer
/// has come and before it is passed on, or within a request. Where and when follows from the seed
/// and the traffic.
class CuttingProxy {
 public:
    CuttingProxy(std::uint64_t seed, std::uint64_t cuts);
    ~CuttingProxy();
    CuttingProxy(const CuttingProxy&) = delete;
    CuttingProxy& operator=(const CuttingProxy&) = delete;

    /// "127.0.0.1:port", the same for as long as the proxy lives.
    std::string address() const;
    /// Where new connections lead: "127.0.0.1:port".
    void lead_to(const std::string& address);
    /// Connections broken with an answer in hand, and within a request.
    std::uint64_t answers_lost() const { return answers_lost_; }
    std::uint64_t requests_cut() const { return requests_cut_; }

 private:
    struct Pair {
        int client = -1, broker = -1;
        std::uint64_t answers_left = 0;  // passed on before the connection breaks
        std::uint64_t requests_left = 0;
    };

    void run();
    void accept_one();
    /// False when the pair is to be closed.
    bool pass_request(Pair& pair);
    bool pass_answer(Pair& pair);

    Random random_;
    std::uint64_t cuts_;
    int listener_ = -1, wake_[2] = {-1, -1};
    std::uint16_t port_ = 0;
    std::mutex mutex_;
    std::uint16_t broker_port_ = 0;  // under mutex_
    std::atomic<std::uint64_t> answers_lost_{0}, requests_cut_{0};
    std::vector<Pair> pairs_;
    std::thread thread_;
};

}  // namespace tidemill::test
