#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "engine/base/time.h"

namespace tidemill::console {

/// This machine's own figures, read from /proc: rates between two samples.
class MachineMetrics {
 public:
    MachineMetrics();

    /// One JSON object with a "time" (ISO 8601, UTC) and the columns below. The first call covers
    /// the time since construction.
    std::string sample_json(WallTime now, MonoTime mono);

    /// Column names in the order of the JSON, "time" first.
    static const std::vector<std::string>& columns();

 private:
    struct Counters {
        double cpu_user = 0, cpu_system = 0, cpu_iowait = 0, cpu_total = 0;  // jiffies
        double context_switches = 0, interrupts = 0;
        double disk_read_bytes = 0, disk_written_bytes = 0;
        double network_in_bytes = 0, network_out_bytes = 0;
        double memory_used_bytes = 0, running = 0;  // levels, not rates
    };
    static Counters read();

    Counters before_;
    MonoTime before_at_;
};

}  // namespace tidemill::console
