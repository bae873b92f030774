#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "engine/base/random.h"
#include "engine/log/log_store.h"
#include "tests/sim/journal.h"

namespace tidemill::sim {

class ShardModel;

/// What the world knows of one append.
struct Sent : AppendOp {
    ShardModel* model = nullptr;
    const Journal* journal = nullptr;
    std::uint64_t id = 0;
    std::uint32_t count = 0;
    std::uint32_t epoch = 1;
    std::uint32_t life = 0;
    std::int64_t sent_ms = 0;  ///< when, in time that has really passed
    bool is_ended = false;
    bool is_seen = false;    ///< somebody has read it
    bool may_commit = true;  ///< false: the shard was sealed, or its writer fenced, before
    std::vector<std::byte> bytes;

    Ordinal end() const { return result.first_ordinal + count; }
};

/// What of an append was read: all of it, but for the first one of a packed batch.
struct Piece {
    Sent* sent = nullptr;
    Ordinal first = 0;  ///< of the append
    Ordinal at = 0;     ///< of the first record that is there
    WallTime arrival{};

    Ordinal end() const { return first + sent->count; }
};

/// All appends of a run. What each record says follows from its append's number, so that a reader
/// can tell whose it is.
class SentLedger {
 public:
    /// A new append to `model`'s shard; takes its end into the model.
    Sent& add(const Journal& journal, ShardModel& model, std::uint32_t count,
              std::size_t record_bytes);
    /// The appends that `batch` holds, in order; nothing when it is not made of whole ones. Only of
    /// a packed batch may there be several, and the first lack its beginning.
    std::vector<Piece> identify(const RecordBatchView& batch) const;
    std::size_t size() const { return all_.size(); }
    Sent& at(std::size_t i) const { return *all_[i]; }

 private:
    std::vector<std::unique_ptr<Sent>> all_;
    RecordBatchBuilder builder_;
    std::string text_;
};

/// How time has passed in the world, to judge what may have expired.
struct WorldTime {
    std::int64_t now_ms = 0;          ///< that has really passed
    std::int64_t undisturbed_ms = 0;  ///< what the process's clock would say without its leaps
    std::uint32_t life = 0;
    std::int64_t slack_ms = 0;  ///< small leaps that the log follows
};

/// What must be, and what may be, in one shard.
class ShardModel {
 public:
    explicit ShardModel(ShardUid shard) : uid(shard) {}

    ShardUid uid;
    std::chrono::milliseconds retention = std::chrono::hours(24 * 365 * 10);
    std::chrono::milliseconds least_retention = retention;  ///< ever in force
    Ordinal trimmed = 0, trim_asked = 0;                    ///< surely, perhaps
    bool is_sealed = false, is_seal_asked = false;
    std::optional<Ordinal> sealed_end;
    bool is_deleted = false;       ///< asked for
    bool is_gone = false;          ///< and done
    std::uint32_t epoch = 1;       ///< greatest opened
    std::uint32_t epoch_here = 0;  ///< greatest opened in this life
    Ordinal end_least = 0;         ///< no end is smaller

    /// An acknowledgement, or a batch that was read: from now on it is there for good.
    void must_have(const Journal& journal, Ordinal at, const Sent& sent);
    void may_have(const Sent& sent) { may_.insert(&sent); }

    /// A reader that stood at `from` was given `piece`. Checks that it may be there, at this place,
    /// and that nothing was left out that must be between.
    void read(const Journal& journal, const WorldTime& time, Ordinal from, const Piece& piece);
    /// A reader that stood at `from` was told that nothing comes before `to`.
    void pass_over(const Journal& journal, const WorldTime& time, Ordinal from, Ordinal to);
    /// A life ends. What has expired by its clock may be gone for good, even if the next one's
    /// clock is behind.
    void end_life(const WorldTime& time);
    /// After everything was read: what was not there will never be, but for what may stand among
    /// records that had expired, which a clock that is set back between two lives shows again.
    void forget_unknown();
    /// Durability `memory`: what is acknowledged by now is there for good.
    void secure();
    /// Durability `memory`, after a crash: only what was secured surely is there.
    void doubt();
    /// And this is where it ends: what was acknowledged behind it is gone, nothing before it. True
    /// when that is anything.
    bool settle_for(const Journal& journal, const TailInfo& tail);
    /// The first acknowledged ordinal at or behind `from`.
    std::optional<Ordinal> next_known(Ordinal from) const;
    /// Damage in [begin, end): what was there, also in part, is excused.
    void excuse(Ordinal begin, Ordinal end);

 private:
    bool may_be_gone(const WorldTime& time, Ordinal at, const Sent& sent) const;

    struct Secured {
        Ordinal end = 0, trimmed = 0;
        bool is_sealed = false;
        std::optional<Ordinal> sealed_end;
    };
    Secured secured_;
    struct Known {
        const Sent* sent;
        std::int64_t arrival_ms;
        bool may_go = false;  // had expired when some life ended
    };
    std::map<Ordinal, Known> must_;        // by first ordinal
    std::map<Ordinal, const Sent*> gone_;  // were let go; may be seen again after a restart
    std::set<const Sent*> may_;            // outcome unknown
    Ordinal widest_hole_ = 0;              // among what was passed over and has never been read
};

}  // namespace tidemill::sim
