#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/base/result.h"

namespace tidemill::anomaly {

struct HotSpotConfig {
    std::uint32_t columns = 2;    ///< numeric columns of a record, 1..30
    std::uint32_t window = 1000;  ///< records that count, 2..1048576
    double radius = 0;          ///< two records are neighbours within this Euclidean distance; > 0
    std::uint32_t minimum = 2;  ///< neighbours, itself included, that make a core; 2..window
    bool has_identity = false;  ///< `text` says id and number of records of each hot spot as well

    /// Says which parameter is out of its range.
    Status validate() const;
    bool operator==(const HotSpotConfig&) const = default;
};

/// A hot spot: a connected component of core records with the records next to them.
/// Ownership: `low` and `high` point into the detector, until its next change.
struct HotSpot {
    std::uint64_t id = 0;       ///< from 1, never used again; the larger part of a split keeps it,
                                ///< and the largest of those that merge
    std::uint64_t records = 0;  ///< cores and the records next to them
    std::optional<double> density;      ///< records per volume of the box; none for a point
    std::span<const double> low, high;  ///< the box, one value a column
};

/// What has become of a hot spot since the last `take_events`.
struct HotSpotEvent {
    enum class Kind : std::uint8_t { Born, Split, Merged, Gone };
    Kind kind;
    std::uint64_t id;         ///< born, split off, merged away, gone
    std::uint64_t other = 0;  ///< Split: from which; Merged: into which
    bool operator==(const HotSpotEvent&) const = default;
};

/// Dense regions among the last `window` records: DBSCAN's clusters, kept up to date record by
/// record and equal to clustering the window from scratch. A record is a core if at least `minimum`
/// records, itself included, lie within `radius`; cores within `radius` of each other belong to one
/// hot spot; a record that is no core belongs to every hot spot with a core next to it. A column in
/// which a box has no width is left out of its volume.
///
/// Cost of `insert`: the records within the radius of the one that comes and of the one that goes,
/// plus, when a core is lost whose neighbours do not reach each other directly, a search from all
/// of them at once that ends when they have met or all but one part has been walked through.
/// Memory: about 100 + 8 x columns bytes a record and 8 a pair of neighbours. Sources: Ester,
/// Kriegel, Sander, Xu, "A density-based algorithm for discovering clusters", KDD 1996; Ester et
/// al., "Incremental clustering for mining in a data warehousing environment", VLDB 1998. Threads:
/// none of its own; one caller at a time. Deterministic.
class HotSpotDetector {
 public:
    /// Config must be valid (TM_CHECKed).
    explicit HotSpotDetector(const HotSpotConfig& config);
    ~HotSpotDetector();
    HotSpotDetector(HotSpotDetector&&) noexcept;
    HotSpotDetector& operator=(HotSpotDetector&&) noexcept;

    const HotSpotConfig& config() const;
    /// Records in the window.
    std::size_t size() const;

    /// Takes in a record of finite values, one a column; the oldest leaves if the window is full.
    void insert(std::span<const double> record);
    /// The oldest record leaves; for windows by time. There must be one.
    void expire();

    /// By id, ascending. Ownership: until the next change.
    std::span<const HotSpot> hot_spots();
    /// {"hotspots":[{"density":d,"minValues":[...],"maxValues":[...]},...]}, numbers as short as
    /// they can be read back; density null for a point. With `has_identity` also "id" and
    /// "records". Only what changed is written anew. Ownership: until the next change.
    std::string_view text();
    /// What happened since the last call, in order. Kept only from the first call on.
    std::vector<HotSpotEvent> take_events();

    /// Number of the hot spot of each record, oldest first; 0 for one that is no core.
    std::vector<std::uint64_t> core_ids() const;

    /// The window and the identities; `restore` goes on as this one would.
    /// Format: docs/formats/hot_spots_snapshot.md.
    std::vector<std::byte> snapshot() const;
    /// Errors: Corrupt.
    static Result<HotSpotDetector> restore(Bytes snapshot);
    /// Bytes that a full window holds if each record has `minimum` neighbours; for admission.
    static std::size_t memory_bytes(const HotSpotConfig& config);

    struct Impl;

 private:
    explicit HotSpotDetector(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace tidemill::anomaly
