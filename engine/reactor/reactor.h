#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/ids.h"
#include "engine/base/result.h"
#include "engine/io/clock.h"
#include "engine/io/disk.h"
#include "engine/io/task.h"
#include "engine/reactor/gate.h"

namespace tidemill {

struct ReactorConfig {
    std::string data_directory;                 ///< root of this reactor's Disk
    enum class DiskKind : std::uint8_t { Auto, Uring, Threads } disk = DiskKind::Auto;
    bool pin_to_core = false;
    std::chrono::microseconds spin{20};         ///< how long an idle turn polls before it sleeps; 0 to never
    std::chrono::milliseconds stall_limit{50};  ///< a turn longer than this is reported
};

struct ReactorStats {
    std::uint64_t turns = 0, sleeps = 0, stalls = 0;
    std::chrono::nanoseconds longest_turn{};
    std::chrono::nanoseconds busy{};
};

/// Work that a component wants done once at the end of each turn in which it asked for it: sealing a group commit,
/// sending what a connection has collected.
class TurnHook {
 public:
    virtual void at_turn_end() = 0;

 protected:
    ~TurnHook() = default;

 private:
    friend class Reactor;
    bool is_queued_ = false;
};

/// One thread, one io_context, one Disk. Its run loop is a sequence of turns: run ready handlers, reap the ring, run
/// the turn hooks, then sleep until something is ready.
class Reactor {
 public:
    static Reactor& current();       ///< the reactor of this thread; TM_CHECKs that there is one
    static Reactor* current_or_null();

    virtual ~Reactor() = default;

    virtual CoreId id() const = 0;
    virtual boost::asio::io_context& context() = 0;
    virtual Disk& disk() = 0;
    virtual Clock& clock() = 0;
    virtual ReactorStats stats() const = 0;

    /// Runs `task` inside `gate`; an exception out of it is logged and ends the program.
    /// Core: this reactor's only (use call_on or post from elsewhere).
    virtual void spawn(Gate& gate, Task<void> task) = 0;
    /// Runs `hook` once at the end of the current turn. Core: this reactor's only.
    void request_turn_end(TurnHook& hook);
    /// Runs `work` on this reactor's thread soon. Any thread may call it.
    virtual void post(std::move_only_function<void()> work) = 0;

 protected:
    /// Runs and clears the queued hooks; a hook may queue itself again for the next turn. Returns how many ran.
    std::size_t run_turn_hooks();

 private:
    std::vector<TurnHook*> hooks_, running_hooks_;
};

/// All reactors of the process. Starts them in order, stops them in reverse.
class ReactorGroup {
 public:
    /// Errors: IoFailed, NotFound when the data directory cannot be used.
    static Result<std::unique_ptr<ReactorGroup>> start(std::uint32_t cores, const ReactorConfig& config);
    virtual ~ReactorGroup() = default;  ///< stops

    virtual std::uint32_t size() const = 0;
    virtual Reactor& at(CoreId core) = 0;
    /// Lets the run loops end once their work is done; owners have closed their gates before.
    virtual void stop() = 0;
};

}  // namespace tidemill
