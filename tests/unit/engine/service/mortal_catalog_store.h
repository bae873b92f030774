#pragma once

#include <map>
#include <memory>
#include <utility>

#include "engine/catalog/catalog_store.h"
#include "engine/reactor/reactor.h"

namespace tidemill {

/// What stays of a catalog store when its process dies.
struct CatalogRows {
    std::map<std::pair<std::string, std::string>, CatalogRow> rows;
    std::uint64_t revision = 0;
};

/// A catalog store over rows that outlive it. It dies with the simulated disk, or takes the disk
/// with it at a chosen commit; a dead one fails every call. Core: one.
class MortalCatalogStore final : public CatalogStore {
 public:
    enum class Death : std::uint8_t { BeforeCommit, AfterCommit };

    MortalCatalogStore(std::shared_ptr<CatalogRows> rows, SimStorage& storage)
        : rows_(std::move(rows)), storage_(storage), born_(storage.crashes()) {}

    /// The power goes at the commit after `skip` more of them.
    void die_at_commit(std::uint64_t skip, Death death) {
        left_ = skip + 1;
        death_ = death;
    }
    /// The next `count` commits fail, and nothing is written.
    void fail_commits(std::uint64_t count, Errc code) {
        failing_ = count;
        failure_ = code;
    }
    bool is_dead() const { return storage_.crashes() != born_; }
    std::uint64_t commits() const { return commits_; }

    Task<Result<std::optional<CatalogRow>>> read(std::string space, std::string key) override {
        if (is_dead()) co_return dead();
        const auto found = rows_->rows.find({space, key});
        if (found == rows_->rows.end()) co_return std::optional<CatalogRow>{};
        co_return std::optional<CatalogRow>{found->second};
    }
    Task<Result<std::vector<CatalogRow>>> scan(std::string space, std::string prefix) override {
        if (is_dead()) co_return dead();
        std::vector<CatalogRow> found;
        for (const auto& [name, row] : rows_->rows)
            if (name.first == space && name.second.starts_with(prefix)) found.push_back(row);
        co_return found;
    }
    Task<Result<std::uint64_t>> commit(std::vector<CatalogWrite> writes) override {
        // As a store on a disk: others run meanwhile.
        Reactor& reactor = Reactor::current();
        co_await reactor.sleep_until(reactor.clock().mono_now() + std::chrono::milliseconds{1});
        if (is_dead()) co_return dead();
        ++commits_;
        const bool dies = left_ > 0 && --left_ == 0;
        if (dies && death_ == Death::BeforeCommit) {
            storage_.crash();
            co_return dead();
        }
        if (failing_ > 0) {
            --failing_;
            co_return fail(failure_, "a commit was made to fail");
        }
        for (const auto& write : writes) {
            if (!write.expected) continue;
            const auto found = rows_->rows.find({write.space, write.key});
            const auto version = found == rows_->rows.end() ? 0 : found->second.version;
            if (version != *write.expected) co_return fail(Errc::ResourceInUse, "not as expected");
        }
        ++rows_->revision;
        for (auto& write : writes) {
            if (write.value)
                rows_->rows[{write.space, write.key}] = {write.key, std::move(*write.value),
                                                         rows_->revision};
            else
                rows_->rows.erase({write.space, write.key});
        }
        if (dies) {
            storage_.crash();
            co_return dead();
        }
        co_return rows_->revision;
    }
    Task<Result<std::uint64_t>> watch(std::uint64_t, MonoTime) override {
        co_return rows_->revision;
    }

 private:
    static std::unexpected<Error> dead() { return fail(Errc::IoFailed, "the power is off"); }

    std::shared_ptr<CatalogRows> rows_;
    SimStorage& storage_;
    std::uint64_t born_, left_ = 0, commits_ = 0, failing_ = 0;
    Death death_ = Death::BeforeCommit;
    Errc failure_ = Errc::IoFailed;
};

}  // namespace tidemill
