#pragma once

#include <memory>

#include "engine/io/disk.h"
#include "engine/io/sim_storage.h"

namespace tidemill {

/// One process's view of a SimStorage, until the power goes. See sim_storage.h for what is
/// promised. Core: one thread; tasks resume on `context`.
class SimDisk final : public Disk {
 public:
    SimDisk(std::shared_ptr<SimStorage> storage, boost::asio::io_context& context);
    SimDisk(const SimDisk&) = delete;
    SimDisk& operator=(const SimDisk&) = delete;
    ~SimDisk() override;

    /// True since the storage has crashed: every call fails.
    bool is_lost() const { return generation_ != storage_->generation_; }

    Result<std::unique_ptr<File>> open(const std::string& name, OpenMode mode) override;
    Status rename(const std::string& from, const std::string& to) override;
    Status remove(const std::string& name) override;
    Status make_directory(const std::string& name) override;
    Result<std::vector<std::string>> list(const std::string& directory) override;
    Task<Status> sync_directory(std::string directory) override;
    Result<std::uint64_t> free_bytes() override;
    std::string description() const override { return "simulated"; }
    std::size_t in_flight() const override;

 private:
    friend class SimStorage;
    friend class SimFile;

    Status begin(const std::string& what);

    std::shared_ptr<SimStorage> storage_;
    boost::asio::io_context& context_;
    std::uint64_t generation_;
    std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);
};

}  // namespace tidemill
