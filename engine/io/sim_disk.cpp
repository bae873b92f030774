#include "engine/io/sim_disk.h"

#include <algorithm>
#include <cerrno>

#include "engine/base/check.h"
#include "engine/io/buffer.h"
#include "engine/io/sim_operation.h"
#include "engine/io/system_error.h"

namespace tidemill {

class SimFile final : public File {
 public:
    SimFile(SimDisk& disk, std::string name, std::shared_ptr<SimFileState> state, bool is_direct)
        : disk_(disk), name_(std::move(name)), state_(std::move(state)), is_direct_(is_direct) {}
    SimFile(const SimFile&) = delete;
    SimFile& operator=(const SimFile&) = delete;
    ~SimFile() override {
        TM_CHECK(in_flight_ == 0, "{} is closed with {} operations in flight", name_, in_flight_);
    }

    Task<Status> write(std::uint64_t offset, Bytes bytes, Persistence persistence) override {
        check_alignment(offset, bytes.data(), bytes.size());
        SimOperation operation = make(SimCall::Write);
        operation.offset = offset;
        operation.bytes = bytes;
        operation.is_durable = persistence == Persistence::Durable;
        co_await run(operation);
        --in_flight_;
        co_return std::move(operation.outcome);
    }

    Task<Result<std::size_t>> read(std::uint64_t offset, MutableBytes into) override {
        check_alignment(offset, into.data(), into.size());
        SimOperation operation = make(SimCall::Read);
        operation.offset = offset;
        operation.into = into;
        co_await run(operation);
        --in_flight_;
        CO_TRY(std::move(operation.outcome));
        co_return operation.done;
    }

    Task<Status> sync() override {
        SimOperation operation = make(SimCall::Sync);
        co_await run(operation);
        --in_flight_;
        co_return std::move(operation.outcome);
    }

    Task<Status> grow(std::uint64_t size) override {
        if (size <= state_->size()) co_return Status{};
        SimOperation operation = make(SimCall::Grow);
        operation.length = size - state_->size();
        co_await run(operation);
        --in_flight_;
        co_return std::move(operation.outcome);
    }

    Task<Status> punch(std::uint64_t offset, std::uint64_t length) override {
        SimOperation operation = make(SimCall::Punch);
        operation.offset = offset;
        operation.length = length;
        co_await run(operation);
        --in_flight_;
        co_return std::move(operation.outcome);
    }

    std::uint64_t size() const override { return state_->size(); }
    bool is_direct() const override { return is_direct_; }

 private:
    SimOperation make(SimCall call) { return {call, &disk_, state_, &name_}; }

    Task<void> run(SimOperation& operation) {
        ++in_flight_;
        return operation.waiter.wait(
            [&operation, &storage = *disk_.storage_] { storage.start(operation); });
    }

    void check_alignment(std::uint64_t offset, const void* address, std::size_t length) const {
        if (!is_direct_) return;
        TM_CHECK(offset % kDiskAlignment == 0 && length % kDiskAlignment == 0 &&
                     reinterpret_cast<std::uintptr_t>(address) % kDiskAlignment == 0,
                 "direct I/O on {} at {} of {} bytes from {} is not aligned", name_, offset, length,
                 address);
    }

    SimDisk& disk_;
    std::string name_;
    std::shared_ptr<SimFileState> state_;
    bool is_direct_;
    std::size_t in_flight_ = 0;
};

SimDisk::SimDisk(std::shared_ptr<SimStorage> storage, boost::asio::io_context& context)
    : storage_(std::move(storage)), context_(context), generation_(storage_->generation_) {}

SimDisk::~SimDisk() { *is_alive_ = false; }

Status SimDisk::begin(const std::string& what) {
    const int reason = storage_->begin_call(SimCall::Directory);
    if (is_lost()) return fail(Errc::IoFailed, "cannot " + what + ": the power is gone", EIO);
    if (reason != 0) return system_failure(reason, what);
    return {};
}

Result<std::unique_ptr<File>> SimDisk::open(const std::string& name, OpenMode mode) {
    TRY(begin("open " + name));
    auto file = storage_->file_of(name);
    if (file != nullptr && mode.create && mode.exclusive)
        return system_failure(EEXIST, "open " + name);
    if (file == nullptr && mode.create) file = storage_->create(name);
    if (file == nullptr) return system_failure(ENOENT, "open " + name);
    return std::make_unique<SimFile>(*this, name, std::move(file),
                                     mode.direct && storage_->is_direct_);
}

Status SimDisk::rename(const std::string& from, const std::string& to) {
    TRY(begin("rename " + from));
    return storage_->names_.rename(from, to);
}

Status SimDisk::remove(const std::string& name) {
    TRY(begin("remove " + name));
    return storage_->names_.remove(name);
}

Status SimDisk::make_directory(const std::string& name) {
    TRY(begin("make the directory " + name));
    return storage_->names_.make_folder(name);
}

Result<std::vector<std::string>> SimDisk::list(const std::string& directory) {
    TRY(begin("list " + directory));
    return storage_->names_.list(directory);
}

Task<Status> SimDisk::sync_directory(std::string directory) {
    CO_TRY(begin("sync the directory " + directory));
    CO_TRY(storage_->names_.sync(directory));
    storage_->forget_unreachable();
    co_return Status{};
}

Result<std::uint64_t> SimDisk::free_bytes() {
    TRY(begin("ask for free space"));
    return storage_->capacity_ - storage_->used_bytes();
}

std::size_t SimDisk::in_flight() const {
    return static_cast<std::size_t>(std::ranges::count_if(
        storage_->in_flight_, [this](const SimOperation* op) { return op->disk == this; }));
}

}  // namespace tidemill
