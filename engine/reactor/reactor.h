#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "engine/base/ids.h"
#include "engine/base/result.h"
#include "engine/io/clock.h"
#include "engine/io/disk.h"
#include "engine/io/make_disk.h"
#include "engine/io/task.h"
#include "engine/reactor/alarm.h"
#include "engine/reactor/gate.h"
#include "engine/reactor/turn_hook.h"

namespace tidemill {

struct ReactorConfig {
    std::string data_directory;  ///< root of this reactor's Disk
    using DiskKind = tidemill::DiskKind;
    DiskKind disk = DiskKind::Auto;
    bool direct_io = true;  ///< where the file system takes it
    bool pin_to_core = false;
    /// How long an idle core polls before it sleeps; 0: never.
    std::chrono::microseconds spin{20};
    /// The same while its sleeps end sooner than this: waking up costs more than they save then,
    /// some 40 us for both sides on a virtual machine. Not above `spin`: always `spin`.
    std::chrono::microseconds spin_when_busy{0};
    std::chrono::milliseconds stall_limit{50};  ///< a turn longer than this is reported
};

struct ReactorStats {
    std::uint64_t turns = 0, sleeps = 0, stalls = 0;
    std::chrono::nanoseconds longest_turn{};
    std::chrono::nanoseconds busy{};
};

/// One thread, one io_context, one Disk. Its run loop is a sequence of turns: run ready handlers,
/// reap the ring, run the turn hooks, then sleep until something is ready.
class Reactor {
 public:
    static Reactor& current();  ///< the reactor of this thread; TM_CHECKs that there is one
    static Reactor* current_or_null();

    virtual ~Reactor() = default;

    virtual CoreId id() const = 0;
    virtual boost::asio::io_context& context() = 0;
    virtual Disk& disk() = 0;
    virtual Clock& clock() = 0;
    virtual ReactorStats stats() const = 0;

    /// Runs `task` inside `gate`; an exception out of it is logged and ends the program.
    /// Core: this reactor's only (use call_on or post from elsewhere).
    void spawn(Gate& gate, Task<void> task);
    /// Runs `work` on this reactor's thread soon, in the order of posting. Any thread may call it.
    virtual void post(std::move_only_function<void()> work) = 0;

    /// Runs `hook` once at the end of the current turn. Core: this reactor's only.
    void request_turn_end(TurnHook& hook) { hooks_.request(hook); }
    /// Resumes at `when` of the reactor's clock, or early when the reactor stops. A task that
    /// sleeps in a loop uses Gate::sleep_until instead, which its owner can cut short. Core: this
    /// reactor's only.
    Task<void> sleep_until(MonoTime when);
    /// What rings at times of this reactor's clock. Core: this reactor's only.
    AlarmQueue& alarms() { return alarms_; }

 protected:
    /// Makes a reactor the thread's current one for as long as it lives.
    class CurrentScope {
     public:
        explicit CurrentScope(Reactor& reactor);
        CurrentScope(const CurrentScope&) = delete;
        CurrentScope& operator=(const CurrentScope&) = delete;
        ~CurrentScope();

     private:
        Reactor* previous_;
    };

    TurnHooks hooks_;
    AlarmQueue alarms_;
};

/// All reactors of the process. Starts them in order, stops them in reverse.
class ReactorGroup {
 public:
    /// Errors: IoFailed, NotFound when the data directory cannot be used; Unsupported when io_uring
    /// was asked for by
    ///   name and is not to be had.
    static Result<std::unique_ptr<ReactorGroup>> start(std::uint32_t cores,
                                                       const ReactorConfig& config);
    virtual ~ReactorGroup() = default;  ///< stops

    virtual std::uint32_t size() const = 0;
    virtual Reactor& at(CoreId core) = 0;
    /// Lets the run loops end once their work is done; owners have closed their gates before.
    virtual void stop() = 0;
};

}  // namespace tidemill
