#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/base/time.h"
#include "engine/io/task.h"

namespace tidemill {

/// One row of the catalog store: a name within a space, and its bytes.
struct CatalogRow {
    std::string key;
    std::vector<std::byte> value;
    std::uint64_t version =
        0;  ///< the store's revision that wrote it; never 0, grows with every change
};

/// One change of a transaction.
struct CatalogWrite {
    std::string space;
    std::string key;
    std::optional<std::vector<std::byte>> value;  ///< nothing: delete the row
    /// The version the row must have, 0: it must not exist; nothing: whatever is there.
    std::optional<std::uint64_t> expected;
};

/// SEAM: where the catalog, leases and named blobs live: a small, durable map with compare-and-set.
/// Leases are rows too (engine/catalog/lease.h): whoever wins the compare-and-set holds them.
/// Implementations: SqliteCatalogStore (embedded), MemoryCatalogStore (tests, simulation). All pass
/// tests/contract/catalog_store_contract_test.
/// Core: every function may be called from any reactor and resumes there.
class CatalogStore {
 public:
    virtual ~CatalogStore() = default;

    /// Errors: IoFailed, Corrupt.
    virtual Task<Result<std::optional<CatalogRow>>> read(std::string space, std::string key) = 0;

    /// All rows of a space whose key begins with `prefix`, by key. As of one revision.
    virtual Task<Result<std::vector<CatalogRow>>> scan(std::string space, std::string prefix) = 0;

    /// Makes all writes or none, and returns the revision that they have from now on.
    /// Durability: on stable storage when it succeeds. Errors: ResourceInUse when a row is not as
    /// expected (nothing was written); NoSpace (nothing was written); IoFailed (the outcome is
    /// unknown: read again).
    virtual Task<Result<std::uint64_t>> commit(std::vector<CatalogWrite> writes) = 0;

    /// Resumes with the store's revision once it exceeds `beyond`, or at `deadline` as it is.
    /// Whoever watches reads again what he cares for; several changes may pass as one.
    virtual Task<Result<std::uint64_t>> watch(std::uint64_t beyond, MonoTime deadline) = 0;

    /// Leaves nothing of deleted and replaced rows in the store's files. Slow: rewrites them.
    /// Errors: NoSpace, IoFailed; the rows are as before.
    virtual Task<Status> purge() { co_return Status{}; }
};

}  // namespace tidemill
