#include "engine/log/remote_appends.h"

namespace tidemill {
namespace {

constexpr std::size_t kIdleParcelsMax = 1024;
constexpr std::size_t kIdleBytesMax = 256_KiB;  // a larger one is not kept

}  // namespace

void RemoteAppends::submit(AppendOp& op, Ownership ownership) {
    here_.request_turn_end(*this);
    ++outstanding_;
    const Bytes bytes = op.batch.bytes();
    if (bytes_ > 0 && bytes_ + bytes.size() > bytes_max_) {
        op.result.outcome = Outcome::Rejected;
        op.result.error = Error(Errc::Throttled, "too much is under way to the log");
        refused_.push_back(&op);
        if (const auto producer = op.batch.header().producer_id; producer != 0)
            lane_.reactor().post([lane = &lane_, shard = op.shard, producer,
                                  sequence = op.batch.header().producer_sequence] {
                lane->turn_away(shard, producer, sequence);
            });
        return;
    }
    auto parcel = new_parcel();
    parcel->shard = op.shard;
    parcel->origin = &op;
    parcel->path = this;
    parcel->ownership = ownership;
    parcel->bytes.assign(bytes.begin(), bytes.end());
    parcel->batch = RecordBatchView::trusted(parcel->bytes);
    parcel->done = [](AppendOp& ended) noexcept {
        auto& self = static_cast<Parcel&>(ended);
        self.path->returns_.add(self);
    };
    bytes_ += bytes.size();
    leaving_.push_back(std::move(parcel));
}

void RemoteAppends::fence(ShardUid shard, Ownership ownership) {
    lane_.reactor().post(
        [lane = &lane_, shard, ownership] { (void)lane->open_writer(shard, ownership); });
}

std::unique_ptr<RemoteAppends::Parcel> RemoteAppends::new_parcel() {
    if (idle_.empty()) return std::make_unique<Parcel>();
    auto parcel = std::move(idle_.back());
    idle_.pop_back();
    parcel->result = {};
    return parcel;
}

void RemoteAppends::at_turn_end() {
    for (auto* op : std::exchange(refused_, {})) {
        --outstanding_;
        op->done(*op);
    }
    if (leaving_.empty()) return;
    lane_.reactor().post([this, parcels = std::exchange(leaving_, {})]() mutable {
        // From here until `done` each parcel is owned by its address.
        for (auto& parcel : parcels) {
            auto* sent = parcel.release();
            lane_.submit(*sent, sent->ownership);
        }
    });
}

void RemoteAppends::Returns::add(Parcel& parcel) {
    ended_.emplace_back(&parcel);
    path_.lane_.reactor().request_turn_end(*this);
}

void RemoteAppends::Returns::at_turn_end() {
    path_.here_.post([path = &path_, parcels = std::exchange(ended_, {})]() mutable {
        path->arrive(std::move(parcels));
    });
}

void RemoteAppends::arrive(Parcels parcels) {
    for (auto& parcel : parcels) {
        --outstanding_;
        bytes_ -= parcel->bytes.size();
        auto* origin = parcel->origin;
        origin->result = std::move(parcel->result);
        if (idle_.size() < kIdleParcelsMax && parcel->bytes.capacity() <= kIdleBytesMax)
            idle_.push_back(std::move(parcel));
        origin->done(*origin);
    }
}

}  // namespace tidemill
