#pragma once

#include <functional>
#include <memory>

#include "engine/catalog/catalog_store.h"
#include "engine/dynamodb/tables.h"
#include "engine/reactor/call_on.h"
#include "engine/reactor/gate.h"
#include "engine/reactor/reactor.h"
#include "engine/reactor/signal.h"

namespace tidemill::dynamodb {

struct TableStoreStats {
    std::uint64_t commits = 0, rows_written = 0, failed_commits = 0;
    std::size_t tables = 0, items = 0, bytes = 0;
};

/// The tables, durable in the catalog store. Each piece of work runs in one go on the store's home
/// core; what many do while one commit is on its way goes into the next, together.
class TableStore {
 public:
    /// Loads all tables. Runs on a reactor. Ownership: home and store outlive it; stopped before it
    /// dies. Errors: Corrupt, IoFailed.
    static Task<Result<std::unique_ptr<TableStore>>> open(Reactor& home, CatalogStore& store);

    /// Runs `work(Tables&)`, which must not suspend, and resumes with what it returns once all that
    /// it did, and all that it saw, is durable. Core: any.
    /// Errors: of the commit. Nothing of the work, or all of it, is there then; the tables are as
    /// in the catalog store.
    template <class Work>
    auto run(Work work) -> Task<Result<std::invoke_result_t<Work&, Tables&>>> {
        using T = std::invoke_result_t<Work&, Tables&>;
        auto at_home = [this, work = std::move(work)]() mutable -> Task<Result<T>> {
            const Inside inside(gate_);
            if (!inside) co_return fail(Errc::Unavailable, "the broker is stopping");
            CO_TRY(co_await be_sound());
            T outcome = work(tables_);
            CO_TRY(co_await settle());
            co_return outcome;
        };
        co_return co_await call_on(home_, std::move(at_home));
    }

    /// Resumes when nothing is inside. Once, on any core.
    Task<void> stop();
    /// Core: the home's.
    TableStoreStats stats() const;

 private:
    TableStore(Reactor& home, CatalogStore& store) : home_(home), store_(store) {}

    /// A piece of work in the gate, unless that is closed.
    class Inside {
     public:
        explicit Inside(Gate& gate) : gate_(gate.is_closed() ? nullptr : &gate) {
            if (gate_ != nullptr) gate_->enter();
        }
        Inside(const Inside&) = delete;
        Inside& operator=(const Inside&) = delete;
        ~Inside() {
            if (gate_ != nullptr) gate_->leave();
        }
        explicit operator bool() const { return gate_ != nullptr; }

     private:
        Gate* gate_;
    };

    Task<Status> load();
    /// After a failed commit what is in memory is not what is stored: reads it again.
    Task<Status> be_sound();
    /// Commits the changes of `tables_` with those of others; waits for all there are.
    Task<Status> settle();

    /// Changes that are committed together.
    struct Group {
        std::vector<CatalogWrite> writes;
        std::optional<Status> outcome;
    };

    Reactor& home_;
    CatalogStore& store_;
    Gate gate_;
    Tables tables_;
    std::shared_ptr<Group> filling_, flying_;  // null: none
    bool is_loading_ = false, is_sound_ = true;
    Signal changed_;
    TableStoreStats stats_;
};

}  // namespace tidemill::dynamodb
