#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/time.h"

namespace tidemill {

/// Something that wants to be called once at a time of its reactor's clock. Must not be armed when
/// it is destroyed.
class Alarm {
 public:
    Alarm() = default;
    Alarm(const Alarm&) = delete;
    Alarm& operator=(const Alarm&) = delete;

    /// Called from the run loop; no longer armed then, and may arm itself or others again.
    virtual void ring() = 0;
    bool is_armed() const { return number_ != 0; }

 protected:
    ~Alarm() { TM_CHECK(!is_armed(), "an armed alarm is destroyed"); }

 private:
    friend class AlarmQueue;
    MonoTime when_{};
    std::uint64_t number_ = 0;  // 0: not armed
};

/// The alarms of one reactor by time; those of one time ring in the order they were armed.
/// Core: one.
class AlarmQueue {
 public:
    void arm(Alarm& alarm, MonoTime when);
    void disarm(Alarm& alarm);  ///< fine when it is not armed
    std::optional<MonoTime> next() const;
    /// Rings what is due at `now`, but nothing that was armed meanwhile. Returns how many rang.
    std::size_t ring_due(MonoTime now);

 private:
    std::map<std::pair<MonoTime, std::uint64_t>, Alarm*> armed_;
    std::uint64_t last_number_ = 0;
};

}  // namespace tidemill
