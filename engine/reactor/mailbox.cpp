#include "engine/reactor/mailbox.h"

#include <utility>

namespace tidemill {

bool Mailbox::put(Work work) {
    const std::lock_guard lock(mutex_);
    posted_.push_back(std::move(work));
    return !has_mail_.exchange(true, std::memory_order_acq_rel);
}

std::size_t Mailbox::run_all() {
    if (is_empty()) return 0;
    {
        const std::lock_guard lock(mutex_);
        running_.swap(posted_);
        has_mail_.store(false, std::memory_order_release);
    }
    const std::size_t count = running_.size();
    for (auto& work : running_)
        std::exchange(work, nullptr)();
    running_.clear();
    return count;
}

}  // namespace tidemill
