#include "engine/dynamodb/table_store.h"

namespace tidemill::dynamodb {

Task<Result<std::unique_ptr<TableStore>>> TableStore::open(Reactor& home, CatalogStore& store) {
    std::unique_ptr<TableStore> made(new TableStore(home, store));
    TableStore* opened = made.get();
    const auto load = [opened]() -> Task<Status> { return opened->load(); };
    CO_TRY(co_await call_on(home, load));
    co_return made;
}

Task<Status> TableStore::load() {
    CO_ASSIGN(const auto tables, co_await store_.scan(kTableSpace, ""));
    CO_ASSIGN(const auto items, co_await store_.scan(kItemSpace, ""));
    CO_ASSIGN(tables_, Tables::load(tables, items));
    co_return Status{};
}

Task<Status> TableStore::be_sound() {
    while (is_loading_)
        if (!co_await changed_.wait_until(MonoTime::max()))
            co_return fail(Errc::Unavailable, "the broker is stopping");
    if (is_sound_) co_return Status{};
    is_loading_ = true;
    const Status loaded = co_await load();
    is_loading_ = false;
    is_sound_ = loaded.has_value();
    changed_.notify_all();
    co_return loaded;
}

Task<Status> TableStore::settle() {
    auto changes = tables_.take_changes();
    if (!changes.empty()) {
        if (filling_ == nullptr) filling_ = std::make_shared<Group>();
        auto& writes = filling_->writes;
        writes.insert(writes.end(), std::make_move_iterator(changes.begin()),
                      std::make_move_iterator(changes.end()));
    }
    const std::shared_ptr<Group> mine = filling_ != nullptr ? filling_ : flying_;
    if (mine == nullptr) co_return Status{};
    while (!mine->outcome) {
        if (flying_ != nullptr) {
            if (!co_await changed_.wait_until(MonoTime::max()))
                co_return fail(Errc::Unknown, "the broker stopped before the tables were stored");
            continue;
        }
        // Nothing is on its way, so ours is the one that fills: whoever comes first sends it.
        flying_ = std::exchange(filling_, nullptr);
        stats_.rows_written += flying_->writes.size();
        const auto committed = co_await store_.commit(std::move(flying_->writes));
        ++stats_.commits;
        const auto group = std::exchange(flying_, nullptr);
        group->outcome = committed ? Status{} : std::unexpected(committed.error());
        if (!committed) {
            // What has been done since stands on what has not been stored.
            ++stats_.failed_commits;
            is_sound_ = false;
            if (filling_ != nullptr) filling_->outcome = group->outcome;
            filling_ = nullptr;
        }
        changed_.notify_all();
    }
    co_return *mine->outcome;
}

Task<void> TableStore::stop() {
    auto close = [this]() -> Task<void> { return gate_.close(); };
    co_await call_on(home_, std::move(close));
}

TableStoreStats TableStore::stats() const {
    TableStoreStats stats = stats_;
    stats.tables = tables_.all().size();
    stats.items = tables_.item_count();
    stats.bytes = tables_.bytes();
    return stats;
}

}  // namespace tidemill::dynamodb
