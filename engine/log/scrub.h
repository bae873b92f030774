#pragma once

#include <boost/unordered/unordered_flat_set.hpp>

#include "engine/log/lane_parts.h"

namespace tidemill {

/// Reads the lane's sealed segments through in the background, slowly, and reports what no longer
/// matches its checksum while the other copies of it, elsewhere, may still be good: commit headers,
/// directories, batches, footers. Changes nothing. A pass begins anywhere by chance and goes round,
/// so that also a broker that is often restarted comes past every segment; nothing is remembered
/// across starts. Shares its rules with `tidemill log verify` (SegmentScanner).
///
/// Rate: LogConfig::scrub_bytes_per_second; a quarter of it while commits wait for the disk.
/// Core: the lane's.
class Scrub {
 public:
    Scrub(LaneParts& parts, std::uint64_t seed) : parts_(parts), random_(seed) {}

    /// Until the lane's gate closes. Run it inside the gate.
    Task<void> run();

 private:
    /// One look at every segment that is sealed now; false when the gate closes.
    Task<bool> pass();
    /// False when the gate closes.
    Task<bool> look_at(std::uint64_t number);
    Task<Status> scan(File& file, const SegmentHeader& header, const SegmentSeal& seal);
    /// Sleeps as long as reading so many bytes may have taken.
    Task<bool> pace(std::uint64_t bytes);
    void report(const SegmentHeader& header, std::uint64_t position, const std::string& what);
    const Segment* sealed(std::uint64_t number) const;

    LaneParts& parts_;
    Random random_;
    boost::unordered_flat_set<std::uint64_t> reported_;  // salt + position: told once
};

}  // namespace tidemill
