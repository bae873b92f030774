#include "engine/native/native_door.h"

#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include "engine/native/native_connection.h"
#include "engine/reactor/call_on.h"

namespace tidemill {

struct NativeDoor::PerCore {
    Gate gate;
    std::unordered_set<NativeConnection*> connections;
    bool is_stopping = false, is_closed = false;
};

NativeDoor::NativeDoor(StreamService& service, ReactorGroup& reactors, NativeLimits limits,
                       NativeGreeting greeting)
    : service_(service),
      reactors_(reactors),
      limits_(limits),
      greeting_(std::move(greeting)),
      extensions_(256) {
    for (std::uint32_t i = 0; i < reactors.size(); ++i)
        cores_.push_back(std::make_unique<PerCore>());
}

NativeDoor::~NativeDoor() = default;

NativeDoor::PerCore& NativeDoor::here() const { return *cores_[Reactor::current().id().value]; }

std::size_t NativeDoor::connection_count() const { return here().connections.size(); }

void NativeDoor::set_extension(std::uint8_t first_kind, std::uint8_t last_kind,
                               NativeExtension handler) {
    for (std::size_t kind = first_kind; kind <= last_kind; ++kind)
        extensions_[kind] = handler;
}

namespace {

bool is_of_this_machine(const NativeSocket& socket) {
    boost::system::error_code error;
    const auto address = socket.remote_endpoint(error).address();
    if (error) return false;
    if (address.is_v6() && address.to_v6().is_v4_mapped())
        return boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, address.to_v6())
            .is_loopback();
    return address.is_loopback();
}

}  // namespace

Task<void> NativeDoor::serve(NativeSocket socket, std::vector<std::byte> already_read) {
    PerCore& core = here();
    if (core.is_stopping) co_return;
    core.gate.enter();
    const NativeShared shared{service_, limits_, greeting_, extensions_};
    {
        const bool is_refused = limits_.serves_this_machine_alone && !is_of_this_machine(socket);
        NativeConnection connection(Reactor::current(), shared, std::move(socket));
        if (is_refused) {
            connection.send_error(
                0, 0,
                Error(Errc::Unauthenticated,
                      "this broker requires signed requests, which the native protocol has not: "
                      "it serves connections from its own machine alone (docs/security.md)"));
            connection.shut_down();
        } else if (core.connections.size() >= limits_.connections_per_core_max) {
            connection.send_error(
                0, 0,
                Error(Errc::LimitExceeded, fmt::format("this core already has {} connections",
                                                       core.connections.size())));
            connection.shut_down();
        }
        core.connections.insert(&connection);
        co_await connection.run(std::move(already_read));
        core.connections.erase(&connection);
    }
    core.gate.leave();
}

Task<void> NativeDoor::stop() {
    for (std::uint32_t i = 0; i < reactors_.size(); ++i) {
        PerCore* core = cores_[i].get();
        auto stop_core = [core]() -> Task<void> {
            if (core->is_stopping) co_return;
            core->is_stopping = true;
            for (auto* connection : core->connections)
                connection->shut_down();
            co_return;
        };
        co_await call_on(reactors_.at(CoreId{i}), stop_core);
    }
    // Idle subscriptions wait for records that may never come.
    co_await service_.interrupt_waits();
    for (std::uint32_t i = 0; i < reactors_.size(); ++i) {
        PerCore* core = cores_[i].get();
        auto wait_for_core = [core]() -> Task<void> {
            if (!std::exchange(core->is_closed, true)) co_await core->gate.close();
        };
        co_await call_on(reactors_.at(CoreId{i}), wait_for_core);
    }
}

}  // namespace tidemill
