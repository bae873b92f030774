#include "engine/log/trims.h"

#include <deque>

namespace tidemill {
namespace {

struct TrimOp : AppendOp {
    Signal* ended = nullptr;
    std::size_t* waiting = nullptr;
};

}  // namespace

Task<Status> commit_trims(CommitWriter& writer, Trims trims) {
    std::deque<TrimOp> ops;
    std::size_t waiting = trims.size();
    Signal ended;
    for (const auto& [shard, before] : trims) {
        auto& op = ops.emplace_back();
        op.shard = shard;
        op.ended = &ended;
        op.waiting = &waiting;
        op.done = [](AppendOp& done) noexcept {
            auto& self = static_cast<TrimOp&>(done);
            --*self.waiting;
            self.ended->notify_all();
        };
        writer.submit_control(op, Control::Trim, before);
    }
    while (waiting > 0)
        co_await ended.wait_until(MonoTime::max());
    for (auto& op : ops)
        if (op.result.outcome != Outcome::Committed && op.result.error.code != Errc::NotFound)
            co_return std::unexpected(std::move(op.result.error));
    co_return Status{};
}

}  // namespace tidemill
