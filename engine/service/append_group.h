#pragma once

#include <deque>
#include <functional>

#include "engine/io/task.h"
#include "engine/log/log_store.h"

namespace tidemill {

/// Several appends in flight, waited for together. Core: one.
/// Ownership: must outlive its appends: `wait` before destroying it.
class AppendGroup {
 public:
    AppendGroup() = default;
    AppendGroup(const AppendGroup&) = delete;
    AppendGroup& operator=(const AppendGroup&) = delete;
    ~AppendGroup();

    /// Submits; `batch` may be reused as soon as this returns. The reference stays valid for the
    /// group's life.
    const AppendOp& submit(ShardWriter& writer, ShardUid shard, RecordBatchView batch);
    /// Resumes when every append so far has its result.
    Task<void> wait();

 private:
    struct Member : AppendOp {
        AppendGroup* group = nullptr;
    };
    static void on_done(AppendOp& op) noexcept;

    std::deque<Member> members_;
    std::size_t pending_ = 0;
    std::move_only_function<void()> resume_;
};

}  // namespace tidemill
