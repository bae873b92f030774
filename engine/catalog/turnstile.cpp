#include "engine/catalog/turnstile.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace tidemill {
namespace asio = boost::asio;

Task<Turnstile::Pass> Turnstile::enter() {
    if (busy_) {
        Timer turn(co_await asio::this_coro::executor);
        turn.expires_at(Timer::time_point::max());
        waiting_.push_back(&turn);
        boost::system::error_code cancelled;
        auto token = asio::use_awaitable_t<asio::io_context::executor_type>{};
        co_await turn.async_wait(asio::redirect_error(token, cancelled));
        // `leave` kept `busy_` set for us.
    }
    busy_ = true;
    co_return Pass(*this);
}

void Turnstile::leave() {
    if (waiting_.empty()) {
        busy_ = false;
        return;
    }
    Timer* next = waiting_.front();
    waiting_.pop_front();
    next->cancel();
}

}  // namespace tidemill
