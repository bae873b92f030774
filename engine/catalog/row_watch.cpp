#include "engine/catalog/row_watch.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace tidemill {
namespace asio = boost::asio;

Task<void> RowWatch::wait(const std::uint64_t& revision, std::uint64_t beyond, MonoTime deadline) {
    const auto executor = co_await asio::this_coro::executor;
    const auto timer = waiting_.emplace(waiting_.end(), executor);
    while (revision <= beyond && !closed_ && std::chrono::steady_clock::now() < deadline) {
        timer->expires_at(deadline);
        boost::system::error_code cancelled;
        auto token = asio::use_awaitable_t<asio::io_context::executor_type>{};
        co_await timer->async_wait(asio::redirect_error(token, cancelled));
    }
    waiting_.erase(timer);
}

void RowWatch::notify() {
    for (auto& timer : waiting_)
        timer.cancel();
}

void RowWatch::close() {
    closed_ = true;
    notify();
}

}  // namespace tidemill
