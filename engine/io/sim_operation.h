#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "engine/base/bytes.h"
#include "engine/base/result.h"
#include "engine/io/sim_storage.h"
#include "engine/io/suspension.h"

namespace tidemill {

/// One call on a simulated file, in flight. Lives in the frame of the task that waits for it.
struct SimOperation {
    SimCall call;
    SimDisk* disk;
    std::shared_ptr<SimFileState> file;
    const std::string* name;  ///< for messages
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
    Bytes bytes{};        ///< Write
    MutableBytes into{};  ///< Read
    bool is_durable = false;

    std::uint64_t ready_at = 0;  ///< in steps
    int planned_errno = 0;
    Status outcome{};
    std::size_t done = 0;  ///< Read: bytes read
    Suspension waiter{};
};

}  // namespace tidemill
