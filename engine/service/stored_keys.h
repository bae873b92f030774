#pragma once

#include <cstdint>
#include <optional>

#include "engine/catalog/catalog_store.h"
#include "engine/crypto/key_ring.h"

namespace tidemill {

/// What became of the keys in the catalog store at a start.
struct StoredKeys {
    std::optional<Secret> store_key;  ///< seals blobs; none without a ring
    std::size_t rewrapped = 0;        ///< keys that were under the previous master key
    std::size_t sealed_blobs = 0;     ///< blobs that were plain until now
};

/// Checks at a start that every key in `store` opens, so that a missing or wrong master key is
/// refused before anything is served; brings all keys under the ring's current master key in one
/// transaction; makes the store key when there is none; seals blobs that are still plain. `ring`
/// may be null. Errors: AccessDenied (a master key is missing: names it and the streams), Corrupt;
/// those of the store.
Task<Result<StoredKeys>> open_stored_keys(CatalogStore& store, const KeyRing* ring);

/// Whether the store has been served with a master key, and so needs one.
Task<Result<bool>> needs_master_key(CatalogStore& store);

constexpr const char* kBlobSpace = "blob";
constexpr const char* kSealedBlobSpace = "sealed_blob";

}  // namespace tidemill
