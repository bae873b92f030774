#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/steady_timer.hpp>

#include "engine/io/system_clock.h"
#include "engine/reactor/mailbox.h"
#include "engine/reactor/reactor.h"
#include "engine/reactor/stall_watch.h"

namespace tidemill {

/// The reactor of one thread: the run loop that `ReactorGroup::start` starts.
class CoreReactor final : public Reactor {
 public:
    CoreReactor(CoreId id, const ReactorConfig& config);

    /// Opens the disk; called on the thread that will call `run`.
    Status open();
    /// Returns after `stop`, when nothing is ready and nothing is in flight. Then closes the disk.
    void run();
    /// Any thread.
    void stop();

    CoreId id() const override { return id_; }
    boost::asio::io_context& context() override { return context_; }
    Disk& disk() override { return *disk_; }
    Clock& clock() override { return clock_; }
    ReactorStats stats() const override;
    void post(std::move_only_function<void()> work) override;

 private:
    std::size_t turn();
    bool is_idle();
    void sleep(MonoTime now);
    void publish_stats();

    CoreId id_;
    ReactorConfig config_;
    std::chrono::microseconds spin_;  // as of the last sleep
    SystemClock clock_;
    boost::asio::io_context context_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_;
    std::unique_ptr<Disk> disk_;
    Mailbox mailbox_;
    boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                      boost::asio::wait_traits<std::chrono::steady_clock>,
                                      boost::asio::io_context::executor_type>
        wake_up_;
    std::optional<MonoTime> wake_up_at_;
    bool stopping_ = false;
    ReactorStats counted_;
    StallWatch stall_watch_;
    mutable std::mutex stats_mutex_;
    ReactorStats published_;  // under stats_mutex_
    MonoTime published_at_{};
};

}  // namespace tidemill
