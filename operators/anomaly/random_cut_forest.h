#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/base/result.h"

namespace tidemill::anomaly {

/// Which published behaviour the scores follow.
enum class ScoreMode : std::uint8_t {
    Kda,  ///< the retired Kinesis Data Analytics service: no duplicate damping, factor log2(sample
          ///< size), 0 until the sample is full
    Library,  ///< AWS's current open library: damping by leaf mass, factor log2(mass + 1), 0 until
              ///< a quarter is full
};

struct ForestConfig {
    std::uint32_t columns = 1;   ///< numeric columns of a record, 1..30
    std::uint32_t shingle = 1;   ///< records that make one point, 1..30
    std::uint32_t trees = 100;   ///< 1..1000
    std::uint32_t sample = 256;  ///< points a tree keeps, 10..1000
    std::uint32_t time_decay =
        100000;  ///< mean residence of a point in records; lambda = 1/time_decay; > sample
    std::uint64_t seed = 42;
    ScoreMode mode = ScoreMode::Kda;

    /// Says which parameter is out of its range, in the words of the SQL reference.
    Status validate() const;
};

/// Share of the score that each column carries: `high` above what was seen, `low` below; their sum
/// over columns is the score.
struct ColumnAttribution {
    double high = 0, low = 0;
};

/// A point that the forest keeps near another.
struct Neighbour {
    std::vector<double> values;  ///< `shingle` records of `columns` values, oldest record first
    double distance = 0;         ///< Euclidean, over all of them
    std::uint32_t trees = 0;     ///< in which the two fall to one leaf
    std::uint64_t sequence = 0;  ///< number of the point in the stream
};

/// Random cut forest over a stream of records.
/// Source: Guha, Mishra, Roy, Schrijvers, "Robust random cut forest based anomaly detection on
/// streams", ICML 2016. Threads: none of its own; one caller at a time. Deterministic for a seed,
/// whatever the batch sizes.
class RandomCutForest {
 public:
    /// Config must be valid (TM_CHECKed).
    explicit RandomCutForest(const ForestConfig& config);
    ~RandomCutForest();
    RandomCutForest(RandomCutForest&&) noexcept;
    RandomCutForest& operator=(RandomCutForest&&) noexcept;

    const ForestConfig& config() const;
    std::uint64_t records_seen() const;

    /// Score of `record` (one value per column) against what was learnt before it; not learnt
    /// itself. 0 while the forest is learning. NaN for a record with a NaN or infinite value.
    double score(std::span<const double> record);
    /// Learns a record without scoring it, or nothing if a value is NaN or infinite.
    void update(std::span<const double> record);
    /// `score`, then `update`, at less than the cost of both. O(trees x depth).
    double score_and_update(std::span<const double> record);
    /// The same, and the columns' shares of the score (`attribution.size()` == columns).
    double score_and_update(std::span<const double> record,
                            std::span<ColumnAttribution> attribution);
    /// `score_and_update` for `scores.size()` records of `columns` values each, row after row, with
    /// the same results; batches cost half of single calls at few columns.
    void process(std::span<const double> records, std::span<double> scores);

    /// What the values of the marked columns should be, by the record's other columns and the
    /// records before it; those columns keep their value. Empty while the forest is learning.
    /// O(trees x sample x columns x shingle) at worst. Source: imputation as in AWS's
    /// random-cut-forest library, with every leaf that the known values lead to.
    std::vector<double> expected(std::span<const double> record, std::span<const bool> is_missing);
    /// The same for the record that `score_and_update` with attribution was last given, as it stood
    /// then. Empty if there is none or the forest was learning.
    std::vector<double> expected_of_last(std::span<const bool> is_missing);
    /// Points within `radius` that the record falls to a leaf with, nearest first.
    std::vector<Neighbour> neighbours(std::span<const double> record, double radius);

    /// The whole model; `restore` gives a forest that continues exactly as this one would.
    std::vector<std::byte> snapshot() const;
    static Result<RandomCutForest> restore(Bytes snapshot);
    /// Bytes a forest of this config will hold when full.
    static std::size_t memory_bytes(const ForestConfig& config);

 private:
    friend class ForestSnapshot;
    friend class ForestQueries;
    friend struct ForestInspector;  // tests look at the trees through it
    struct Impl;
    struct Restored {};
    RandomCutForest(Restored, std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace tidemill::anomaly
