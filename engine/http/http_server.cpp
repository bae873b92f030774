#include "engine/http/http_server.h"

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/chrono.h>
#include <fmt/format.h>

#include "engine/base/check.h"
#include "engine/http/http_core.h"
#include "engine/reactor/call_on.h"

namespace tidemill {
namespace asio = boost::asio;
using asio::ip::tcp;
namespace {

using Token = asio::use_awaitable_t<asio::io_context::executor_type>;
using Acceptor = asio::basic_socket_acceptor<tcp, asio::io_context::executor_type>;
using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>,
                                         asio::io_context::executor_type>;
constexpr auto kSweepEvery = std::chrono::milliseconds(500);

}  // namespace

std::string_view HttpDate::at(WallTime now) {
    const std::int64_t second = to_millis(now) / 1000;
    if (second != second_) {
        second_ = second;
        text_ = fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT",
                            fmt::gmtime(static_cast<std::time_t>(second)));
    }
    return text_;
}

void HttpStats::add(const HttpStats& other) {
    connections_open += other.connections_open;
    connections_total += other.connections_total;
    connections_refused += other.connections_refused;
    requests += other.requests;
    bad_requests += other.bad_requests;
    timeouts += other.timeouts;
    body_bytes_in += other.body_bytes_in;
    body_bytes_out += other.body_bytes_out;
    http1_connections += other.http1_connections;
    http2_connections += other.http2_connections;
    http2_streams += other.http2_streams;
    http2_ended_for_abuse += other.http2_ended_for_abuse;
    tls_handshakes += other.tls_handshakes;
    tls_failures += other.tls_failures;
}

struct HttpServer::State {
    State(std::vector<Reactor*> all, HttpLimits given) : reactors(std::move(all)), limits(given) {}

    Reactor& home() { return *reactors.front(); }
    Task<void> accept_loop();
    Task<void> sweep_loop(HttpCore& core, Timer& timer);
    void adopt(HttpCore& core, TcpSocket socket);
    void stop_core(HttpCore& core);

    std::vector<Reactor*> reactors;
    HttpLimits limits;
    HttpRouter router;
    std::vector<std::pair<std::string, RawHandler>> raw_handlers;
    std::vector<std::unique_ptr<HttpCore>> cores;
    std::vector<std::unique_ptr<Timer>> sweepers;
    std::unique_ptr<Acceptor> acceptor;
    bool accepting = false;         // home core only
    std::optional<TlsContext> tls;  // for the cores when they are made
    bool requires_tls = false;
    HttpCors cors;
};

HttpServer::HttpServer(std::vector<Reactor*> reactors, HttpLimits limits)
    : state_(std::make_unique<State>(std::move(reactors), limits)) {}
HttpServer::~HttpServer() = default;

HttpRouter& HttpServer::router() { return state_->router; }

void HttpServer::set_raw_handler(std::string preface, RawHandler handler) {
    TM_CHECK(state_->cores.empty(), "the server listens already");
    state_->raw_handlers.emplace_back(std::move(preface), std::move(handler));
}

void HttpServer::set_cors(HttpCors cors) {
    TM_CHECK(state_->cores.empty(), "the server listens already");
    state_->cors = std::move(cors);
}

void HttpServer::set_tls(const TlsContext& context, bool is_required) {
    state_->tls = context;
    state_->requires_tls = is_required;
    for (auto& core : state_->cores)
        core->reactor.post([core = core.get(), context, is_required] {
            core->tls = context;
            core->requires_tls = is_required;
        });
}

Result<std::uint16_t> HttpServer::listen(const std::string& host, std::uint16_t port) {
    State& state = *state_;
    TM_CHECK(state.cores.empty(), "the server listens already");
    boost::system::error_code error;
    const auto address = asio::ip::make_address(host == "localhost" ? "127.0.0.1" : host, error);
    if (error)
        return fail(Errc::InvalidArgument, fmt::format("'{}' is no IP address to listen on", host));
    const tcp::endpoint endpoint(address, port);
    auto acceptor = std::make_unique<Acceptor>(state.home().context().get_executor());
    acceptor->open(endpoint.protocol(), error);
    if (!error) acceptor->set_option(asio::socket_base::reuse_address(true), error);
    if (!error) acceptor->bind(endpoint, error);
    if (!error) acceptor->listen(4096, error);
    if (error)
        return fail(Errc::IoFailed,
                    fmt::format("cannot listen on {}:{}: {}", host, port, error.message()),
                    error.value());
    const std::uint16_t bound = acceptor->local_endpoint(error).port();
    state.acceptor = std::move(acceptor);

    for (Reactor* reactor : state.reactors) {
        state.cores.push_back(
            std::make_unique<HttpCore>(*reactor, state.limits, state.router, state.raw_handlers));
        state.cores.back()->cors = state.cors;
        state.cores.back()->tls = state.tls;
        state.cores.back()->requires_tls = state.requires_tls;
        state.sweepers.push_back(std::make_unique<Timer>(reactor->context().get_executor()));
    }
    for (std::size_t i = 0; i < state.reactors.size(); ++i) {
        state.reactors[i]->post([&state, i] {
            HttpCore& core = *state.cores[i];
            core.reactor.spawn(core.gate, state.sweep_loop(core, *state.sweepers[i]));
            if (i == 0) {
                state.accepting = true;
                core.reactor.spawn(core.gate, state.accept_loop());
            }
        });
    }
    return bound;
}

Task<void> HttpServer::State::accept_loop() {
    std::size_t next = 0;
    while (accepting) {
        HttpCore& core = *cores[next];
        next = (next + 1) % cores.size();
        boost::system::error_code error;
        TcpSocket socket = co_await acceptor->async_accept(core.reactor.context(),
                                                           asio::redirect_error(Token{}, error));
        if (!accepting) break;
        if (error) {
            // Out of descriptors, most likely: wait for some to be closed.
            Timer pause(home().context().get_executor(), std::chrono::milliseconds(100));
            co_await pause.async_wait(asio::redirect_error(Token{}, error));
            continue;
        }
        if (&core.reactor == &home()) {
            adopt(core, std::move(socket));
        } else {
            core.reactor.post([this, &core, socket = std::move(socket)]() mutable {
                adopt(core, std::move(socket));
            });
        }
    }
}

void HttpServer::State::adopt(HttpCore& core, TcpSocket socket) {
    const std::size_t share = std::max<std::size_t>(1, limits.connections / cores.size());
    if (core.stopping || core.gate.is_closed() || core.connections.size() >= share) {
        ++core.stats.connections_refused;
        return;
    }
    auto serve = [](HttpCore& on, TcpSocket accepted) -> Task<void> {
        HttpConnection connection(on, std::move(accepted));
        co_await connection.serve();
    };
    core.reactor.spawn(core.gate, serve(core, std::move(socket)));
}

Task<void> HttpServer::State::sweep_loop(HttpCore& core, Timer& timer) {
    while (!core.stopping || !core.connections.empty()) {
        timer.expires_after(kSweepEvery);
        boost::system::error_code ignored;
        co_await timer.async_wait(asio::redirect_error(Token{}, ignored));
        const MonoTime now = core.reactor.clock().mono_now();
        for (HttpConnection* connection : core.connections)
            connection->sweep(now);
    }
}

void HttpServer::State::stop_core(HttpCore& core) {
    core.stopping = true;
    for (HttpConnection* connection : core.connections)
        connection->stop();
}

Task<void> HttpServer::stop_listening() {
    State& state = *state_;
    if (state.cores.empty()) co_return;
    auto close = [&state]() -> Task<void> {
        state.accepting = false;
        boost::system::error_code ignored;
        state.acceptor->close(ignored);
        co_return;
    };
    co_await call_on(state.home(), close);
    for (auto& core : state.cores) {
        auto stop = [&state, core = core.get()]() -> Task<void> {
            state.stop_core(*core);
            co_return;
        };
        co_await call_on(core->reactor, stop);
    }
}

Task<void> HttpServer::stop() {
    co_await stop_listening();
    State& state = *state_;
    for (std::size_t i = 0; i < state.cores.size(); ++i) {
        auto finish = [&state, i]() -> Task<void> {
            HttpCore& core = *state.cores[i];
            Timer patience(core.reactor.context().get_executor());
            const MonoTime end = std::chrono::steady_clock::now() + state.limits.stop_time;
            while (!core.connections.empty() && std::chrono::steady_clock::now() < end) {
                patience.expires_after(std::chrono::milliseconds(5));
                boost::system::error_code ignored;
                co_await patience.async_wait(asio::redirect_error(Token{}, ignored));
            }
            for (HttpConnection* connection : core.connections)
                connection->cut();
            state.sweepers[i]->cancel();
            co_await core.gate.close();
        };
        co_await call_on(*state.reactors[i], finish);
    }
}

HttpStats HttpServer::core_stats() const {
    const auto core = Reactor::current().id().value;
    return core < state_->cores.size() ? state_->cores[core]->stats : HttpStats{};
}

Task<HttpStats> HttpServer::stats() {
    HttpStats sum;
    for (auto& core : state_->cores) {
        auto read = [core = core.get()]() -> Task<HttpStats> { co_return core->stats; };
        sum.add(co_await call_on(core->reactor, read));
    }
    co_return sum;
}

}  // namespace tidemill
