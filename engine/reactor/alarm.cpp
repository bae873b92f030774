#include "engine/reactor/alarm.h"

namespace tidemill {

void AlarmQueue::arm(Alarm& alarm, MonoTime when) {
    disarm(alarm);
    alarm.when_ = when;
    alarm.number_ = ++last_number_;
    armed_.emplace(std::pair{when, alarm.number_}, &alarm);
}

void AlarmQueue::disarm(Alarm& alarm) {
    if (!alarm.is_armed()) return;
    armed_.erase({alarm.when_, alarm.number_});
    alarm.number_ = 0;
}

std::optional<MonoTime> AlarmQueue::next() const {
    if (armed_.empty()) return std::nullopt;
    return armed_.begin()->first.first;
}

std::size_t AlarmQueue::ring_due(MonoTime now) {
    const std::uint64_t last = last_number_;
    std::size_t count = 0;
    auto next = armed_.begin();
    while (next != armed_.end() && next->first.first <= now) {
        if (next->first.second > last) {
            ++next;
            continue;
        }
        Alarm& alarm = *next->second;
        armed_.erase(next);
        alarm.number_ = 0;
        ++count;
        alarm.ring();
        next = armed_.begin();  // ring() may have changed anything
    }
    return count;
}

}  // namespace tidemill
