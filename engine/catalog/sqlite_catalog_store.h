#pragma once

#include <filesystem>
#include <memory>

#include "engine/catalog/catalog_store.h"

namespace tidemill {

/// The embedded catalog store: one SQLite file in WAL mode with synchronous=FULL, worked on by one
/// thread of its own so that no reactor ever waits for the disk. Format: docs/formats/catalog.md.
class SqliteCatalogStore final : public CatalogStore {
 public:
    /// Opens or makes the file. Blocks: call it before reactors serve. Errors: IoFailed, Corrupt
    /// (not our file, or written by a newer version), ResourceInUse (another process has it open).
    static Result<std::unique_ptr<SqliteCatalogStore>> open(const std::filesystem::path& file);
    /// Ends the thread; watchers resume first. No call may be in flight but watches.
    ~SqliteCatalogStore() override;

    Task<Result<std::optional<CatalogRow>>> read(std::string space, std::string key) override;
    Task<Result<std::vector<CatalogRow>>> scan(std::string space, std::string prefix) override;
    Task<Result<std::uint64_t>> commit(std::vector<CatalogWrite> writes) override;
    Task<Result<std::uint64_t>> watch(std::uint64_t beyond, MonoTime deadline) override;
    Task<Status> purge() override;

 private:
    class Worker;  // the thread and everything that only it touches; sqlite_catalog_store.cpp
    explicit SqliteCatalogStore(std::unique_ptr<Worker> worker);
    std::unique_ptr<Worker> worker_;
};

}  // namespace tidemill
