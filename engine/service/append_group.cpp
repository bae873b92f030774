#include "engine/service/append_group.h"

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "engine/base/check.h"

namespace tidemill {
namespace asio = boost::asio;

AppendGroup::~AppendGroup() { TM_CHECK(pending_ == 0, "{} appends outlive their group", pending_); }

const AppendOp& AppendGroup::submit(ShardWriter& writer, ShardUid shard, RecordBatchView batch) {
    Member& member = members_.emplace_back();
    member.group = this;
    member.shard = shard;
    member.batch = batch;
    member.done = &AppendGroup::on_done;
    ++pending_;
    writer.submit(member);
    return member;
}

void AppendGroup::on_done(AppendOp& op) noexcept {
    AppendGroup& group = *static_cast<Member&>(op).group;
    if (--group.pending_ == 0 && group.resume_) std::exchange(group.resume_, nullptr)();
}

Task<void> AppendGroup::wait() {
    if (pending_ == 0) co_return;
    auto keep = [this](auto handler) {
        resume_ = [handler = std::move(handler)]() mutable {
            // Posted, not called: the log may be in the middle of completing a commit.
            const auto executor = asio::get_associated_executor(handler);
            asio::post(executor, std::move(handler));
        };
    };
    auto token = asio::use_awaitable_t<asio::io_context::executor_type>{};
    co_await asio::async_initiate<decltype(token), void()>(std::move(keep), token);
}

}  // namespace tidemill
