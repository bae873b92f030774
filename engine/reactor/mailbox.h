#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <mutex>
#include <vector>

namespace tidemill {

/// Work that other threads send to one core. The receiver looks once a turn; senders wake it only
/// when the box was empty.
class Mailbox {
 public:
    using Work = std::move_only_function<void()>;

    /// True when the receiver must be woken. Any thread.
    [[nodiscard]] bool put(Work work);
    /// Runs what was there in the order of posting; returns how much. Receiver's thread.
    std::size_t run_all();
    bool is_empty() const { return !has_mail_.load(std::memory_order_acquire); }

 private:
    std::mutex mutex_;
    std::vector<Work> posted_;  // under mutex_
    std::atomic<bool> has_mail_{false};
    std::vector<Work> running_;  // receiver's
};

}  // namespace tidemill
