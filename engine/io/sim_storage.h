#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/random.h"
#include "engine/io/disk.h"
#include "engine/io/sim_directory.h"
#include "engine/io/sim_file_state.h"
#include "engine/io/suspension.h"

namespace tidemill {

class SimDisk;
struct SimOperation;

enum class SimCall : std::uint8_t { Write, Read, Sync, Punch, Directory, Grow };

/// How often things go wrong by themselves, each from 0 to 1.
struct SimFaults {
    double write_error = 0, read_error = 0, sync_error = 0, directory_error = 0, punch_error = 0;
    double slow = 0;         ///< an operation is overtaken by up to 64 later ones
    double early = 0;        ///< a read sees some sectors of a write that has not ended yet
    double short_write = 0;  ///< a write that meets a full disk has landed in part
};

/// The simulated device that outlives the processes which use it (each through a SimDisk of its
/// own). Everything follows from the seed and the order of calls.
///
/// What holds while it runs: an operation ends in a step; each step ends one, chosen by the seed. A
/// write is seen by reads from its end on, whole, and before it not or in part (`early`). After a
/// failed write each of its sectors is old or new by chance; after a failed sync the unsynced bytes
/// stay visible and are lost by the next crash, whatever later syncs say.
///
/// What a crash leaves: writes that ended Durable, and all that had ended before a successful sync
/// began; not what was written into a file's growth before a sync. Of every other write each page
/// that was cached, and each write still in flight as one, is lost, torn at 512 bytes, or present.
/// A file's size is its durable size or, by chance, the size seen. Names: see SimDirectory; a file
/// whose name is lost is gone. Core: one thread.
class SimStorage {
 public:
    explicit SimStorage(std::uint64_t seed, std::uint64_t capacity_bytes = UINT64_MAX);
    SimStorage(const SimStorage&) = delete;
    SimStorage& operator=(const SimStorage&) = delete;
    ~SimStorage();

    /// Power goes. Operations in flight end with IoFailed, and every SimDisk made so far fails
    /// every call from now on; the next process makes a new SimDisk. `is_lost` of those old disks
    /// says so.
    void crash(PowerLoss style = PowerLoss::Chance);
    /// What the crashes that come by themselves leave.
    void set_crash_style(PowerLoss style) { crash_style_ = style; }
    /// The power goes by itself once that many more calls (of any kind) have been made.
    void crash_after(std::uint64_t calls) { crash_in_ = calls; }
    /// The power goes with the call of this kind that comes after `skip` more of them: a write then
    /// takes its chance with those in flight, a change of names is not made.
    void crash_at(SimCall call, std::uint64_t skip = 0) {
        planned_crash_ = PlannedFault{call, 0, calls(call) + skip};
    }
    /// No crash is planned any more.
    void stay_powered() { crash_in_.reset(), planned_crash_.reset(); }
    std::uint64_t crashes() const { return generation_; }

    /// Manual: nothing ends until `step`. Otherwise (the start) operations end by themselves
    /// through the io_context.
    void set_manual(bool manual) { is_manual_ = manual; }
    /// Ends one operation in flight; its task goes on from its run loop. False when there was none.
    bool step();
    std::size_t in_flight() const { return in_flight_.size(); }

    SimFaults faults;
    /// The call of this kind after `skip` more of them fails with `sys_errno` (EIO, ENOSPC).
    /// Several may be set.
    void fail_next(SimCall call, int sys_errno, std::uint64_t skip = 0);
    /// Space is counted in pages of 4 KiB that were written and not punched, in files that have a
    /// name.
    void set_capacity(std::uint64_t bytes) { capacity_ = bytes; }
    std::uint64_t used_bytes() const;
    /// Decay at rest. TM_CHECKs that the file exists and is long enough.
    void flip_bit(const std::string& name, std::uint64_t offset, unsigned bit);
    /// Content of an earlier use of the file's blocks. TM_CHECKs that they lie within the file.
    void plant(const std::string& name, std::uint64_t offset, Bytes bytes);
    /// False makes File::is_direct false, as on a file system that refuses it.
    void set_direct(bool direct) { is_direct_ = direct; }

    /// What a process would read now; nullopt when there is no such file. For checks in tests.
    std::optional<std::vector<std::byte>> contents(const std::string& name) const;
    /// How many calls of a kind were made so far: to fail each in turn.
    std::uint64_t calls(SimCall call) const { return calls_[static_cast<std::size_t>(call)]; }

 private:
    friend class SimDisk;
    friend class SimFile;
    using Inode = SimDirectory::Inode;

    struct PlannedFault {
        SimCall call;
        int sys_errno;
        std::uint64_t at_call;
    };

    void start(SimOperation& operation);
    bool is_crash_due(SimCall call) const;
    bool step_of(const SimDisk* disk);
    void perform(SimOperation& operation);
    void land_early(const SimOperation& read);
    void land_part(const SimOperation& write);
    /// Counts a call; the errno it shall fail with, or 0.
    int begin_call(SimCall call);
    std::shared_ptr<SimFileState> file_of(const std::string& name) const;
    std::shared_ptr<SimFileState> create(const std::string& name);
    void forget_unreachable();

    Random random_;
    std::uint64_t capacity_;
    std::uint64_t generation_ = 0;
    std::optional<std::uint64_t> crash_in_;
    std::optional<PlannedFault> planned_crash_;
    PowerLoss crash_style_ = PowerLoss::Chance;
    bool is_manual_ = false;
    bool is_direct_ = true;
    std::uint64_t steps_ = 0;
    std::uint64_t calls_[6] = {};
    std::vector<PlannedFault> planned_;
    std::vector<SimOperation*> in_flight_;
    SimDirectory names_;
    std::map<Inode, std::shared_ptr<SimFileState>> files_;
    Inode last_inode_ = 0;
};

}  // namespace tidemill
