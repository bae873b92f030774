#pragma once

#include <filesystem>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "engine/native/native_await.h"
#include "engine/native/native_door.h"
#include "engine/reactor/call_on.h"
#include "tests/unit/engine/native/fake_stream_service.h"

namespace tidemill {

using Acceptor = boost::asio::basic_socket_acceptor<boost::asio::ip::tcp, NativeExecutor>;

/// One core, a fake service, a door and a listener on a loopback port of the system's choice.
class DoorFixture {
 public:
    explicit DoorFixture(NativeLimits limits = {}) {
        if (limits.wait_slice == NativeLimits{}.wait_slice)
            limits.wait_slice = std::chrono::milliseconds{50};
        directory_ = std::filesystem::temp_directory_path() /
                     ("tidemill_native_" + std::to_string(::getpid()));
        std::filesystem::create_directories(directory_);
        ReactorConfig config;
        config.data_directory = directory_.string();
        config.disk = ReactorConfig::DiskKind::Threads;
        auto group = ReactorGroup::start(1, config);
        TM_CHECK(group.has_value(), "{}", group.error().to_string());
        reactors_ = std::move(*group);
        on_core([&] {
            service_ = std::make_unique<FakeStreamService>(reactor());
            gate_ = std::make_unique<Gate>();
            acceptor_ = std::make_unique<Acceptor>(
                reactor().context().get_executor(),
                boost::asio::ip::tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
            port_ = acceptor_->local_endpoint().port();
        });
        door_ = std::make_unique<NativeDoor>(*service_, *reactors_, limits,
                                             NativeGreeting{"tidemill test", "memory"});
        on_core([&] { reactor().spawn(*gate_, listen(this)); });
    }
    ~DoorFixture() {
        run_on(reactor(), [this]() -> Task<void> { return close(this); });
        on_core([&] {
            service_.reset();
            acceptor_.reset();
            gate_.reset();
        });
        door_.reset();
        reactors_->stop();
        reactors_.reset();
        std::filesystem::remove_all(directory_);
    }

    Reactor& reactor() { return reactors_->at(CoreId{0}); }
    FakeStreamService& service() { return *service_; }
    NativeDoor& door() { return *door_; }
    std::uint16_t port() const { return port_; }
    std::string endpoint() const { return "127.0.0.1:" + std::to_string(port_); }

    /// Runs `work` on the core and waits for it.
    template <class Work>
    void on_core(Work work) {
        run_on(reactor(), [&work]() -> Task<void> { return run(&work); });
    }
    /// Creates a stream and returns its first shard.
    ShardUid make_stream(std::string name, std::uint32_t shards = 1) {
        run_on(reactor(),
               [this, name, shards]() -> Task<void> { return create(this, name, shards); });
        ShardUid uid;
        on_core([&] { uid = (*service_->find_stream(name))->shards.front().uid; });
        return uid;
    }

 private:
    template <class Work>
    static Task<void> run(Work* work) {
        (*work)();
        co_return;
    }
    static Task<void> create(DoorFixture* self, std::string name, std::uint32_t shards) {
        CreateStream request;
        request.name = name;
        request.shard_count = shards;
        const auto made = co_await self->service_->create_stream(request);
        TM_CHECK(made.has_value());
    }
    static Task<void> listen(DoorFixture* self) {
        for (;;) {
            auto [error, socket] = co_await self->acceptor_->async_accept(kAwait);
            if (error) co_return;
            self->reactor().spawn(*self->gate_, self->door_->serve(std::move(socket), {}));
        }
    }
    static Task<void> close(DoorFixture* self) {
        boost::system::error_code ignored;
        self->acceptor_->close(ignored);
        co_await self->door_->stop();
        co_await self->gate_->close();
    }

    std::filesystem::path directory_;
    std::unique_ptr<ReactorGroup> reactors_;
    std::unique_ptr<FakeStreamService> service_;
    std::unique_ptr<Gate> gate_;
    std::unique_ptr<Acceptor> acceptor_;
    std::unique_ptr<NativeDoor> door_;
    std::uint16_t port_ = 0;
};

}  // namespace tidemill
