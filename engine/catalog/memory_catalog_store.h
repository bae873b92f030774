#pragma once

#include <map>

#include "engine/catalog/catalog_store.h"
#include "engine/catalog/row_watch.h"
#include "engine/reactor/reactor.h"

namespace tidemill {

/// The catalog store of tests, simulation and `durability = "memory"` servers: a map owned by one
/// reactor.
class MemoryCatalogStore final : public CatalogStore {
 public:
    /// Ownership: `home` outlives the store, and no call is in flight when the store dies.
    explicit MemoryCatalogStore(Reactor& home) : home_(home) {}

    Task<Result<std::optional<CatalogRow>>> read(std::string space, std::string key) override;
    Task<Result<std::vector<CatalogRow>>> scan(std::string space, std::string prefix) override;
    Task<Result<std::uint64_t>> commit(std::vector<CatalogWrite> writes) override;
    Task<Result<std::uint64_t>> watch(std::uint64_t beyond, MonoTime deadline) override;

 private:
    using Name = std::pair<std::string, std::string>;  // space, key

    Task<Result<std::uint64_t>> apply(std::vector<CatalogWrite> writes);

    Reactor& home_;
    std::map<Name, CatalogRow> rows_;
    std::uint64_t revision_ = 0;
    RowWatch watch_;
};

}  // namespace tidemill
