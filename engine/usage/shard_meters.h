#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "engine/base/random.h"
#include "engine/log/log_store.h"
#include "engine/usage/key_sample.h"
#include "engine/usage/shard_rates.h"
#include "proto/batch_codec.h"

namespace tidemill {

/// What one core has moved in and out of one shard since that was last collected.
struct ShardMeter {
    ShardUid shard;
    ShardUsage used;
    bool is_counted = false;            ///< among those to collect
    std::unique_ptr<KeySample> sample;  ///< while the shard's keys are wanted
};

/// The meters of one core. Costs a batch a few additions, and memory for shards in use only. Core:
/// one.
class ShardMeters {
 public:
    ShardMeter& of(ShardUid shard);  ///< stays where it is
    void count_in(ShardMeter& meter, const RecordBatchView& batch);
    void count_out(ShardUid shard, const ReadResult& read);

    struct Collected {
        ShardUid shard;
        ShardUsage used;
        std::vector<SampledKey> keys{};      ///< the latest
        std::vector<SampledKey> new_keys{};  ///< of them, since the last call
    };
    /// What was used since the last call; costs nothing for shards that were not.
    std::vector<Collected> collect();
    /// Begins to sample the keys of `shard`, or stops.
    void sample(ShardUid shard, bool is_wanted);
    /// Takes some keys out of a batch, for a meter that samples.
    void sample_batch(ShardMeter& meter, const RecordBatchView& batch);
    /// Of a batch of `count` records every `stride`th from `first` on: any is as likely as the
    /// others, for a producer's order must not decide.
    struct Sampling {
        std::uint32_t first, stride;
        bool takes(std::uint32_t i) const { return i % stride == first; }
    };
    Sampling sampling_of(std::uint32_t count) {
        const std::uint32_t stride = (count + KeySample::kOfBatch - 1) / KeySample::kOfBatch;
        return {static_cast<std::uint32_t>(random_.below(stride)), stride};
    }

 private:
    void touch(ShardMeter& meter) {
        if (meter.is_counted) return;
        meter.is_counted = true;
        counted_.push_back(&meter);
    }

    std::unordered_map<ShardUid, ShardMeter> meters_;
    std::vector<ShardMeter*> counted_;
    BatchOpener opener_;
    std::uint32_t compressed_batches_ = 0;
    Random random_{1};
};

/// A shard's writer that counts what goes through it. Core: one. Ownership: `meters` outlives it.
class MeteredWriter final : public ShardWriter {
 public:
    MeteredWriter(std::unique_ptr<ShardWriter> next, ShardMeters& meters)
        : next_(std::move(next)), meters_(meters), meter_(meters.of(next_->shard())) {}

    ShardUid shard() const override { return next_->shard(); }
    void submit(AppendOp& op) override {
        meters_.count_in(meter_, op.batch);
        if (meter_.sample != nullptr && !std::exchange(is_sampled_, false))
            meters_.sample_batch(meter_, op.batch);
        next_->submit(op);
    }
    /// For whoever knows the hash keys of the batch of `count` records that it submits next: which
    /// of them are wanted. `submit` does not look for itself then.
    bool wants_keys() const { return meter_.sample != nullptr; }
    ShardMeters::Sampling begin_keys(std::uint32_t count) {
        is_sampled_ = true;
        return meters_.sampling_of(count);
    }
    void take_key(uint128 hash_key, std::uint32_t weight, std::string_view partition_key) {
        meter_.sample->add(hash_key, weight, partition_key);
    }

 private:
    std::unique_ptr<ShardWriter> next_;
    ShardMeters& meters_;
    ShardMeter& meter_;
    bool is_sampled_ = false;
};

}  // namespace tidemill
