#include "engine/service/stored_keys.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "engine/base/crc32c.h"
#include "engine/catalog/stream_format.h"
#include "engine/service/blob_cipher.h"
#include "engine/service/stream_ciphers.h"

namespace tidemill {
namespace {

constexpr const char* kStreamSpace = "stream";
constexpr const char* kKeySpace = "key";
constexpr const char* kStoreKey = "store";
constexpr const char* kPurgeDue = "purge";
constexpr std::string_view kStoreContext = "store key";
constexpr std::uint32_t kStoreKeyMagic = 0x314b4d54;  // "TMK1"
constexpr std::size_t kFingerprintDigits = 16;

// docs/formats/catalog.md
std::vector<std::byte> encode_store_key(const WrappedKey& key) {
    std::vector<std::byte> row(4);
    store_le(row.data(), kStoreKeyMagic);
    const Bytes master = as_bytes(key.master);
    row.insert(row.end(), master.begin(), master.end());
    row.insert(row.end(), key.bytes.begin(), key.bytes.end());
    const std::uint32_t crc = crc32c(row);
    row.resize(row.size() + 4);
    store_le(row.data() + row.size() - 4, crc);
    return row;
}

Result<WrappedKey> decode_store_key(Bytes row) {
    if (row.size() < 8 + kFingerprintDigits || load_le<std::uint32_t>(row.data()) != kStoreKeyMagic)
        return fail(Errc::Corrupt, "the catalog's row of the store key holds none");
    const Bytes body = row.first(row.size() - 4);
    if (crc32c(body) != load_le<std::uint32_t>(row.data() + body.size()))
        return fail(Errc::Corrupt, "the checksum of the store key's catalog row does not match");
    const Bytes wrapped = body.subspan(4 + kFingerprintDigits);
    return WrappedKey{std::string(as_text(body.subspan(4, kFingerprintDigits))),
                      {wrapped.begin(), wrapped.end()}};
}

/// What needs a master key that is not there, by that key.
class Missing {
 public:
    void add(const std::string& master, std::string what) {
        auto& list = by_master_[master];
        if (std::ranges::find(list, what) == list.end()) list.push_back(std::move(what));
    }
    Status status(const KeyRing* ring) const {
        if (by_master_.empty()) return {};
        std::string text;
        for (const auto& [master, list] : by_master_) {
            if (!text.empty()) text += "; ";
            text += fmt::format("master key {} is needed for ", master);
            for (std::size_t i = 0; i < std::min(list.size(), kNamed); ++i)
                text += (i == 0 ? "" : ", ") + list[i];
            if (list.size() > kNamed) text += fmt::format(" and {} more", list.size() - kNamed);
        }
        text += ring == nullptr
                    ? "; none was given: set encryption.master_key_file or master_key_command"
                    : fmt::format("; the one given is {}", ring->fingerprint());
        return fail(Errc::AccessDenied, std::move(text));
    }

 private:
    static constexpr std::size_t kNamed = 8;
    std::map<std::string, std::vector<std::string>> by_master_;
};

/// One key as it is met. Says whether `key` was changed.
Result<bool> take_in(WrappedKey& key, std::string_view context, const std::string& what,
                     const KeyRing* ring, Missing& missing) {
    if (ring == nullptr || !ring->knows(key.master)) {
        missing.add(key.master, what);
        return false;
    }
    auto secret = ring->unwrap(key, context);
    if (!secret) return fail(secret.error().code, what + ": " + secret.error().message);
    if (ring->is_current(key)) return false;
    ASSIGN(key, ring->rewrap(key, context));
    return true;
}

Result<std::size_t> take_in_stream(StreamInfo& stream, const KeyRing* ring, Missing& missing) {
    std::size_t changed = 0;
    for (auto& key : stream.encryption.keys) {
        WrappedKey wrapped{key.master, key.wrapped};
        ASSIGN(const bool is_changed, take_in(wrapped, key_context(stream, key.id),
                                              "stream " + stream.name, ring, missing));
        if (!is_changed) continue;
        ++changed;
        key.master = std::move(wrapped.master);
        key.wrapped = std::move(wrapped.bytes);
    }
    return changed;
}

CatalogWrite purge_mark(std::optional<std::vector<std::byte>> value) {
    return {kKeySpace, kPurgeDue, std::move(value), std::nullopt};
}

Task<Result<std::size_t>> seal_plain_blobs(CatalogStore& store, const Secret& store_key) {
    CO_ASSIGN(const auto rows, co_await store.scan(kBlobSpace, ""));
    BlobCipher cipher(store_key);
    for (const auto& row : rows) {
        std::vector<CatalogWrite> writes;
        writes.push_back(
            {kSealedBlobSpace, row.key, cipher.seal(row.key, row.value), std::nullopt});
        writes.push_back({kBlobSpace, row.key, std::nullopt, row.version});
        writes.push_back(purge_mark(std::vector<std::byte>{}));
        CO_TRY(co_await store.commit(std::move(writes)));
    }
    co_return rows.size();
}

/// What was plain, or wrapped under the previous master key, leaves the store's files; also when a
/// crash came in between.
Task<Status> purge_if_due(CatalogStore& store) {
    CO_ASSIGN(const auto mark, co_await store.read(kKeySpace, kPurgeDue));
    if (!mark) co_return Status{};
    CO_TRY(co_await store.purge());
    std::vector<CatalogWrite> writes;
    writes.push_back(purge_mark(std::nullopt));
    CO_TRY(co_await store.commit(std::move(writes)));
    co_return Status{};
}

}  // namespace

Task<Result<bool>> needs_master_key(CatalogStore& store) {
    CO_ASSIGN(const auto row, co_await store.read(kKeySpace, kStoreKey));
    co_return row.has_value();
}

Task<Result<StoredKeys>> open_stored_keys(CatalogStore& store, const KeyRing* ring) {
    StoredKeys result;
    Missing missing;
    std::vector<CatalogWrite> writes;
    CO_ASSIGN(const auto rows, co_await store.scan(kStreamSpace, ""));
    for (const auto& row : rows) {
        CO_ASSIGN(StreamInfo stream, decode_stream(row.value));
        CO_ASSIGN(const std::size_t changed, take_in_stream(stream, ring, missing));
        if (changed == 0) continue;
        result.rewrapped += changed;
        writes.push_back({kStreamSpace, row.key, encode_stream(stream), row.version});
    }
    CO_ASSIGN(const auto row, co_await store.read(kKeySpace, kStoreKey));
    if (row) {
        CO_ASSIGN(WrappedKey key, decode_store_key(row->value));
        CO_ASSIGN(const bool is_changed,
                  take_in(key, kStoreContext, "the state of SQL applications", ring, missing));
        if (is_changed) {
            ++result.rewrapped;
            writes.push_back({kKeySpace, kStoreKey, encode_store_key(key), row->version});
        }
        CO_TRY(missing.status(ring));
        CO_ASSIGN(result.store_key, ring->unwrap(key, kStoreContext));
    } else if (ring != nullptr) {
        const WrappedKey key = ring->make_key(kStoreContext);
        writes.push_back({kKeySpace, kStoreKey, encode_store_key(key), 0});
        CO_ASSIGN(result.store_key, ring->unwrap(key, kStoreContext));
    }
    CO_TRY(missing.status(ring));
    if (result.rewrapped > 0) writes.push_back(purge_mark(std::vector<std::byte>{}));
    if (!writes.empty()) CO_TRY(co_await store.commit(std::move(writes)));
    if (ring != nullptr) {
        CO_ASSIGN(result.sealed_blobs, co_await seal_plain_blobs(store, *result.store_key));
        CO_TRY(co_await purge_if_due(store));
    }
    co_return result;
}

}  // namespace tidemill
