#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "engine/base/time.h"
#include "proto/wire_limits.h"

namespace tidemill {

/// What one native connection may take. At a limit the door stops reading from the socket:
/// back-pressure, not an error.
struct NativeLimits {
    std::size_t frame_bytes_max = wire_limits::kFrameBytesMax;
    std::uint32_t requests_in_flight_max = 8192;
    std::size_t bytes_in_flight_max = 64_MiB;  ///< batches handed to the log and not yet answered
    std::size_t output_bytes_max = 16_MiB;     ///< answers and pushes not yet taken by the socket
    std::uint32_t subscriptions_max = 16384;
    std::size_t fetch_bytes_max = 8_MiB;  ///< a larger wish is cut to this
    std::size_t push_bytes_max = 1_MiB;   ///< of one pushed frame, if its first batch is not larger
    /// The same while other frames wait to be sent.
    std::size_t push_bytes_busy_max = 256_KiB;
    /// Subscriptions push no more while so many bytes are unsent: what their peer's socket has not
    /// taken costs this at most, whatever their credit and however many they are.
    std::size_t push_unsent_max = 1_MiB;
    /// A peer that leaves bytes unsent for so long gets copies of them: it keeps no block of the
    /// log's caches, of which it would hold the whole for the sake of a few bytes.
    std::chrono::milliseconds share_max = 250ms;
    std::uint32_t connections_per_core_max = 10'000;
    std::chrono::milliseconds hello_timeout = 10s;
    /// How long a subscription sleeps before it looks whether its connection still stands.
    std::chrono::milliseconds wait_slice = 1s;
    std::chrono::milliseconds drain_timeout = 5s;  ///< for a closing connection's last answers
    bool serves_this_machine_alone = false;        ///< others are told that they may not
};

/// What the broker says of itself in Hello.
struct NativeGreeting {
    std::string server = "tidemill";
    std::string durability = "disk";  ///< "disk" or "memory": what an acknowledgement means
};

}  // namespace tidemill
