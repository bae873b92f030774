#include "engine/io/sim_storage.h"

#include <algorithm>
#include <cerrno>

#include "engine/base/check.h"
#include "engine/io/sim_disk.h"
#include "engine/io/sim_operation.h"
#include "engine/io/system_error.h"

namespace tidemill {
namespace {

constexpr std::uint64_t kSlowSteps = 64;

double chance_of(const SimFaults& faults, SimCall call) {
    switch (call) {
        case SimCall::Write:
        case SimCall::Grow:
            return faults.write_error;
        case SimCall::Read:
            return faults.read_error;
        case SimCall::Sync:
            return faults.sync_error;
        case SimCall::Directory:
            return faults.directory_error;
        case SimCall::Punch:
            return faults.punch_error;
    }
    return 0;
}

const char* verb_of(SimCall call) {
    static constexpr const char* kVerbs[] = {"write ", "read ",   "sync ",
                                             "punch ", "change ", "grow "};
    return kVerbs[static_cast<std::size_t>(call)];
}

Status power_is_gone(const std::string& what) {
    return fail(Errc::IoFailed, "cannot " + what + ": the power is gone", EIO);
}

}  // namespace

SimStorage::SimStorage(std::uint64_t seed, std::uint64_t capacity_bytes)
    : random_(seed), capacity_(capacity_bytes) {}

SimStorage::~SimStorage() {
    TM_CHECK(in_flight_.empty(), "a simulated storage ends with {} operations in flight",
             in_flight_.size());
}

void SimStorage::crash(PowerLoss style) {
    ++generation_;
    stay_powered();
    planned_.clear();
    // Writes in flight may have reached the device in any order.
    auto ended = std::exchange(in_flight_, {});
    for (std::size_t i = ended.size(); i > 1; --i)
        std::swap(ended[i - 1], ended[random_.below(i)]);
    const bool is_power_lost = style != PowerLoss::ProcessOnly;
    for (auto& [inode, file] : files_)
        if (is_power_lost) file->lose_unsynced(style, random_);
    for (SimOperation* operation : ended)
        if (operation->call == SimCall::Write)
            operation->file->lose_in_flight(operation->offset, operation->bytes, style, random_);
    for (auto& [inode, file] : files_)
        if (is_power_lost) file->restart();
    if (style == PowerLoss::Chance) {
        names_.crash(random_);
    } else if (is_power_lost) {
        names_.crash(style == PowerLoss::KeepAll);
    }
    forget_unreachable();
    for (SimOperation* operation : ended) {
        operation->outcome = power_is_gone(verb_of(operation->call) + *operation->name);
        operation->waiter.resume_soon(operation->disk->context_);
    }
}

void SimStorage::fail_next(SimCall call, int sys_errno, std::uint64_t skip) {
    planned_.push_back({call, sys_errno, calls(call) + skip});
}

bool SimStorage::is_crash_due(SimCall call) const {
    return crash_in_ == 0 || (planned_crash_ && planned_crash_->call == call &&
                              planned_crash_->at_call == calls(call));
}

int SimStorage::begin_call(SimCall call) {
    if (is_crash_due(call)) crash(crash_style_);
    if (crash_in_) --*crash_in_;
    const std::uint64_t number = calls_[static_cast<std::size_t>(call)]++;
    const auto found = std::ranges::find_if(planned_, [&](const PlannedFault& fault) {
        return fault.call == call && fault.at_call == number;
    });
    if (found != planned_.end()) {
        const int reason = found->sys_errno;
        planned_.erase(found);
        return reason;
    }
    const double chance = chance_of(faults, call);
    return chance > 0 && random_.chance(chance) ? EIO : 0;
}

void SimStorage::start(SimOperation& operation) {
    if (is_crash_due(operation.call) && !operation.disk->is_lost()) {
        in_flight_.push_back(&operation);  // it takes its chance with the others
        crash(crash_style_);
        return;
    }
    operation.planned_errno = begin_call(operation.call);
    if (operation.disk->is_lost()) {
        operation.outcome = power_is_gone(verb_of(operation.call) + *operation.name);
        operation.waiter.resume_soon(operation.disk->context_);
        return;
    }
    operation.ready_at = steps_;
    if (faults.slow > 0 && random_.chance(faults.slow))
        operation.ready_at += 1 + random_.below(kSlowSteps);
    in_flight_.push_back(&operation);
    if (is_manual_) return;
    boost::asio::post(operation.disk->context_,
                      [this, disk = operation.disk, alive = operation.disk->is_alive_] {
                          if (*alive) step_of(disk);
                      });
}

bool SimStorage::step() { return step_of(nullptr); }

bool SimStorage::step_of(const SimDisk* disk) {
    const auto is_eligible = [&](const SimOperation* operation) {
        return disk == nullptr || operation->disk == disk;
    };
    std::vector<std::size_t> ready;
    std::uint64_t earliest = UINT64_MAX;
    for (const SimOperation* operation : in_flight_)
        if (is_eligible(operation)) earliest = std::min(earliest, operation->ready_at);
    if (earliest == UINT64_MAX) return false;
    steps_ = std::max(steps_ + 1, earliest);
    for (std::size_t i = 0; i < in_flight_.size(); ++i)
        if (is_eligible(in_flight_[i]) && in_flight_[i]->ready_at <= steps_) ready.push_back(i);
    const std::size_t chosen = ready[random_.below(ready.size())];
    SimOperation& operation = *in_flight_[chosen];
    in_flight_.erase(in_flight_.begin() + static_cast<std::ptrdiff_t>(chosen));
    perform(operation);
    operation.waiter.resume_soon(operation.disk->context_);
    return true;
}

void SimStorage::perform(SimOperation& operation) {
    SimFileState& file = *operation.file;
    int reason = operation.planned_errno;
    if (reason == 0 && operation.call == SimCall::Write &&
        file.growth_of(operation.offset, operation.bytes.size()) > capacity_ - used_bytes())
        reason = ENOSPC;
    if (reason == 0 && operation.call == SimCall::Grow &&
        file.growth_of(file.size(), operation.length) > capacity_ - used_bytes())
        reason = ENOSPC;
    switch (operation.call) {
        case SimCall::Write:
            if (reason == 0) {
                file.write(operation.offset, operation.bytes, operation.is_durable);
            } else if (reason != ENOSPC) {
                file.write_some(operation.offset, operation.bytes, random_);
            } else if (faults.short_write > 0 && random_.chance(faults.short_write)) {
                land_part(operation);
            }
            break;
        case SimCall::Read:
            if (faults.early > 0) land_early(operation);
            if (reason == 0) operation.done = file.read(operation.offset, operation.into);
            break;
        case SimCall::Sync:
            if (reason == 0) {
                file.sync();
            } else {
                file.fail_sync();
            }
            break;
        case SimCall::Punch:
            if (reason == 0) file.punch(operation.offset, operation.length);
            break;
        case SimCall::Grow:
            if (reason == 0) file.grow(operation.length);
            break;
        case SimCall::Directory:
            break;
    }
    if (reason != 0)
        operation.outcome = system_failure(reason, verb_of(operation.call) + *operation.name);
}

// Of a write that does not fit, a first part that does.
void SimStorage::land_part(const SimOperation& write) {
    Bytes part = write.bytes.first(
        align_down(static_cast<std::size_t>(random_.below(write.bytes.size() + 1)), kSimSector));
    while (!part.empty() &&
           write.file->growth_of(write.offset, part.size()) > capacity_ - used_bytes())
        part = part.first(align_down(part.size() / 2, kSimSector));
    write.file->write(write.offset, part, false);
}

// A device may have written any of a write's sectors long before it says so.
void SimStorage::land_early(const SimOperation& read) {
    for (const SimOperation* write : in_flight_) {
        const bool overlaps = write->call == SimCall::Write && write->file == read.file &&
                              write->planned_errno == 0 &&
                              write->offset < read.offset + read.into.size() &&
                              read.offset < write->offset + write->bytes.size();
        if (overlaps && random_.chance(faults.early) &&
            write->file->growth_of(write->offset, write->bytes.size()) == 0)
            write->file->write_some(write->offset, write->bytes, random_);
    }
}

std::uint64_t SimStorage::used_bytes() const {
    std::uint64_t used = 0;
    for (const auto& [name, inode] : names_.files())
        used += files_.at(inode)->allocated_bytes();
    return std::min(used, capacity_);
}

void SimStorage::flip_bit(const std::string& name, std::uint64_t offset, unsigned bit) {
    const auto file = file_of(name);
    TM_CHECK(file != nullptr && offset < file->size() && bit < 8, "no bit {} at {} of {}", bit,
             offset, name);
    file->flip_bit(offset, bit);
}

void SimStorage::plant(const std::string& name, std::uint64_t offset, Bytes bytes) {
    const auto file = file_of(name);
    TM_CHECK(file != nullptr && offset + bytes.size() <= file->size(), "no {} bytes at {} of {}",
             bytes.size(), offset, name);
    file->plant(offset, bytes);
}

std::optional<std::vector<std::byte>> SimStorage::contents(const std::string& name) const {
    const auto file = file_of(name);
    if (file == nullptr) return std::nullopt;
    std::vector<std::byte> bytes(file->size());
    file->read(0, bytes);
    return bytes;
}

std::shared_ptr<SimFileState> SimStorage::file_of(const std::string& name) const {
    const auto inode = names_.find(name);
    return inode ? files_.at(*inode) : nullptr;
}

std::shared_ptr<SimFileState> SimStorage::create(const std::string& name) {
    if (!names_.create(name, last_inode_ + 1)) return nullptr;
    return files_[++last_inode_] = std::make_shared<SimFileState>();
}

void SimStorage::forget_unreachable() {
    const auto kept = names_.reachable();
    std::erase_if(files_, [&](const auto& file) { return !kept.contains(file.first); });
}

}  // namespace tidemill
