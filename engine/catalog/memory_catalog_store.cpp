#include "engine/catalog/memory_catalog_store.h"

#include <fmt/format.h>

#include "engine/reactor/call_on.h"

namespace tidemill {

Task<Result<std::optional<CatalogRow>>> MemoryCatalogStore::read(std::string space,
                                                                 std::string key) {
    Name name{std::move(space), std::move(key)};
    auto find = [this, name = std::move(name)]() -> Task<Result<std::optional<CatalogRow>>> {
        const auto found = rows_.find(name);
        if (found == rows_.end()) co_return std::nullopt;
        co_return found->second;
    };
    co_return co_await call_on(home_, std::move(find));
}

Task<Result<std::vector<CatalogRow>>> MemoryCatalogStore::scan(std::string space,
                                                               std::string prefix) {
    Name from{std::move(space), std::move(prefix)};
    auto collect = [this, from = std::move(from)]() -> Task<Result<std::vector<CatalogRow>>> {
        std::vector<CatalogRow> rows;
        for (auto at = rows_.lower_bound(from); at != rows_.end(); ++at) {
            if (at->first.first != from.first || !at->first.second.starts_with(from.second)) break;
            rows.push_back(at->second);
        }
        co_return rows;
    };
    co_return co_await call_on(home_, std::move(collect));
}

Task<Result<std::uint64_t>> MemoryCatalogStore::commit(std::vector<CatalogWrite> writes) {
    auto change = [this, writes = std::move(writes)]() mutable -> Task<Result<std::uint64_t>> {
        return apply(std::move(writes));
    };
    co_return co_await call_on(home_, std::move(change));
}

Task<Result<std::uint64_t>> MemoryCatalogStore::apply(std::vector<CatalogWrite> writes) {
    for (const auto& write : writes) {
        if (!write.expected) continue;
        const auto found = rows_.find(Name{write.space, write.key});
        const std::uint64_t version = found == rows_.end() ? 0 : found->second.version;
        if (version != *write.expected)
            co_return fail(Errc::ResourceInUse,
                           fmt::format("catalog row {}/{} has version {}, not {}", write.space,
                                       write.key, version, *write.expected));
    }
    ++revision_;
    for (auto& write : writes) {
        Name name{write.space, write.key};
        if (write.value)
            rows_[std::move(name)] = {write.key, std::move(*write.value), revision_};
        else
            rows_.erase(name);
    }
    watch_.notify();
    co_return revision_;
}

Task<Result<std::uint64_t>> MemoryCatalogStore::watch(std::uint64_t beyond, MonoTime deadline) {
    auto wait = [this, beyond, deadline]() -> Task<Result<std::uint64_t>> {
        co_await watch_.wait(revision_, beyond, deadline);
        co_return revision_;
    };
    co_return co_await call_on(home_, std::move(wait));
}

}  // namespace tidemill
