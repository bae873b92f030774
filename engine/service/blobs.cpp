// LocalStreamService: named blobs in the catalog store.
#include <fmt/format.h>

#include "engine/service/local_stream_service.h"
#include "engine/service/service_limits.h"
#include "engine/service/stored_keys.h"

namespace tidemill {
namespace {

Result<std::string> blob_key(std::string_view kind, std::string_view name) {
    if (kind.empty() || name.empty() || kind.size() + name.size() > service_limits::kBlobNameMax ||
        kind.find('\0') != std::string_view::npos)
        return fail(Errc::InvalidArgument, fmt::format("a blob's kind and name have 1 to {} bytes",
                                                       service_limits::kBlobNameMax));
    return fmt::format("{}{}{}", kind, '\0', name);
}

}  // namespace

const char* LocalStreamService::blob_space() const {
    return encryption_.keys == nullptr ? kBlobSpace : kSealedBlobSpace;
}

Task<Result<std::optional<std::vector<std::byte>>>> LocalStreamService::load_blob(
    std::string kind, std::string name) {
    CO_ASSIGN(std::string key, blob_key(kind, name));
    const auto* space = blob_space();
    CO_ASSIGN(auto row, co_await store_.read(space, key));
    if (!row) co_return std::nullopt;
    auto* cipher = this_core().blobs.get();
    if (cipher == nullptr) co_return std::move(row->value);
    co_return cipher->open(key, row->value);
}

Task<Status> LocalStreamService::save_blob(std::string kind, std::string name,
                                           std::vector<std::byte> bytes) {
    CO_ASSIGN(std::string key, blob_key(kind, name));
    if (bytes.size() > service_limits::kBlobBytesMax)
        co_return fail(Errc::TooLarge, fmt::format("a blob has at most {} bytes, not {}",
                                                   service_limits::kBlobBytesMax, bytes.size()));
    if (auto* cipher = this_core().blobs.get()) bytes = cipher->seal(key, bytes);
    std::vector<CatalogWrite> writes;
    writes.push_back({blob_space(), std::move(key), std::move(bytes), std::nullopt});
    CO_TRY(co_await store_.commit(std::move(writes)));
    co_return Status{};
}

Task<Status> LocalStreamService::delete_blob(std::string kind, std::string name) {
    CO_ASSIGN(std::string key, blob_key(kind, name));
    std::vector<CatalogWrite> writes;
    writes.push_back({blob_space(), std::move(key), std::nullopt, std::nullopt});
    CO_TRY(co_await store_.commit(std::move(writes)));
    co_return Status{};
}

Task<Result<std::vector<std::string>>> LocalStreamService::list_blobs(std::string kind) {
    const std::string prefix = kind + '\0';
    CO_ASSIGN(const auto rows, co_await store_.scan(blob_space(), prefix));
    std::vector<std::string> names;
    names.reserve(rows.size());
    for (const auto& row : rows)
        names.push_back(row.key.substr(prefix.size()));
    co_return names;
}

}  // namespace tidemill
