#pragma once

#include <memory>
#include <vector>

#include "engine/log/lane.h"

namespace tidemill {

/// The appends of one core to a lane on another: batches travel together once a turn, results come
/// back together. Order is kept. Core: the sending one; destroyed when `outstanding` is 0. Limits:
/// LogConfig::pending_bytes_max under way; more is Throttled.
class RemoteAppends final : TurnHook {
 public:
    RemoteAppends(Reactor& here, Lane& lane, std::size_t bytes_max)
        : here_(here), lane_(lane), bytes_max_(bytes_max), returns_(*this) {}

    void submit(AppendOp& op, Ownership ownership);
    /// Tells the lane of an owner; comes before what is submitted later.
    void fence(ShardUid shard, Ownership ownership);
    std::size_t outstanding() const { return outstanding_; }

 private:
    struct Parcel : AppendOp {
        AppendOp* origin = nullptr;
        RemoteAppends* path = nullptr;
        Ownership ownership;
        std::vector<std::byte> bytes;
    };
    using Parcels = std::vector<std::unique_ptr<Parcel>>;
    /// Collects results on the lane's core.
    class Returns final : public TurnHook {
     public:
        explicit Returns(RemoteAppends& path) : path_(path) {}
        void add(Parcel& parcel);

     private:
        void at_turn_end() override;
        RemoteAppends& path_;
        Parcels ended_;
    };

    void at_turn_end() override;
    void arrive(Parcels parcels);
    std::unique_ptr<Parcel> new_parcel();

    Reactor& here_;
    Lane& lane_;
    std::size_t bytes_max_, bytes_ = 0, outstanding_ = 0;
    Parcels leaving_, idle_;
    std::vector<AppendOp*> refused_;
    Returns returns_;
};

}  // namespace tidemill
