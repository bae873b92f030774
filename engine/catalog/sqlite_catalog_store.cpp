#include "engine/catalog/sqlite_catalog_store.h"

#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include "engine/base/bytes.h"
#include "engine/catalog/row_watch.h"
#include "engine/catalog/sqlite_database.h"

namespace tidemill {
namespace {

constexpr std::int64_t kApplicationId = 0x54444d43;  // "TDMC"
constexpr std::int64_t kSchemaVersion = 1;

// `rows` is the map; `store` holds one line with the revision.
constexpr const char* kSchema = R"(
    BEGIN IMMEDIATE;
    CREATE TABLE rows (space BLOB NOT NULL, key BLOB NOT NULL, version INTEGER NOT NULL,
                       value BLOB NOT NULL,
                       PRIMARY KEY (space, key)) WITHOUT ROWID;
    CREATE TABLE store (id INTEGER PRIMARY KEY CHECK (id = 1), revision INTEGER NOT NULL);
    INSERT INTO store VALUES (1, 0);
    PRAGMA application_id = 1413762371;
    PRAGMA user_version = 1;
    COMMIT;
)";
static_assert(kApplicationId == 1413762371 && kSchemaVersion == 1);

Status prepare_schema(SqliteDatabase& database) {
    // One process at a time: the exclusive lock is taken by the first read below and kept.
    TRY(
        database.execute("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;"
                         "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 1000;"));
    ASSIGN(const std::int64_t application, database.integer("PRAGMA application_id"));
    ASSIGN(const std::int64_t version, database.integer("PRAGMA user_version"));
    ASSIGN(const std::int64_t tables, database.integer("SELECT count(*) FROM sqlite_master"));
    if (application == 0 && version == 0 && tables == 0) return database.execute(kSchema);
    if (application != kApplicationId)
        return fail(Errc::Corrupt, "the catalog's file is some other program's database");
    if (version > kSchemaVersion)
        return fail(Errc::Corrupt,
                    fmt::format("the catalog has schema version {}; this program knows {}", version,
                                kSchemaVersion));
    return {};
}

std::vector<std::byte> copy_of(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

}  // namespace

class SqliteCatalogStore::Worker {
 public:
    explicit Worker(SqliteDatabase database)
        : database_(std::move(database)), guard_(context_.get_executor()) {}
    ~Worker() {
        if (!thread_.joinable()) return;
        boost::asio::post(context_, [this] { watch_.close(); });
        guard_.reset();
        thread_.join();
    }

    Status start() {
        TRY(prepare_schema(database_));
        const auto prepare = [this](SqliteStatement& into, std::string_view sql) -> Status {
            ASSIGN(into, database_.prepare(sql));
            return {};
        };
        TRY(prepare(read_, "SELECT version, value FROM rows WHERE space = ?1 AND key = ?2"));
        TRY(prepare(scan_,
                    "SELECT key, version, value FROM rows WHERE space = ?1 AND key >= ?2 "
                    "ORDER BY key"));
        TRY(prepare(put_,
                    "INSERT OR REPLACE INTO rows (space, key, version, value) "
                    "VALUES (?1, ?2, ?3, ?4)"));
        TRY(prepare(erase_, "DELETE FROM rows WHERE space = ?1 AND key = ?2"));
        TRY(prepare(revise_, "UPDATE store SET revision = ?1"));
        ASSIGN(const std::int64_t revision, database_.integer("SELECT revision FROM store"));
        revision_ = static_cast<std::uint64_t>(revision);
        thread_ = std::thread([this] { context_.run(); });
        return {};
    }

    /// Runs `make()` on the store's thread and resumes on the caller's reactor.
    template <class Make>
    auto run(Make make) -> std::invoke_result_t<Make&> {
        auto token = boost::asio::use_awaitable_t<boost::asio::io_context::executor_type>{};
        co_return co_await boost::asio::co_spawn(context_.get_executor(), std::move(make), token);
    }

    Result<std::optional<CatalogRow>> read(const std::string& space, const std::string& key) {
        read_.rewind().bind(1, space).bind(2, key);
        ASSIGN(const bool found, read_.step());
        if (!found) return std::nullopt;
        CatalogRow row{key, copy_of(read_.blob(1)), static_cast<std::uint64_t>(read_.integer(0))};
        read_.rewind();
        return row;
    }

    Result<std::vector<CatalogRow>> scan(const std::string& space, const std::string& prefix) {
        std::vector<CatalogRow> rows;
        scan_.rewind().bind(1, space).bind(2, prefix);
        while (true) {
            ASSIGN(const bool found, scan_.step());
            if (!found || !as_text(scan_.blob(0)).starts_with(prefix)) break;
            rows.push_back({std::string(as_text(scan_.blob(0))), copy_of(scan_.blob(2)),
                            static_cast<std::uint64_t>(scan_.integer(1))});
        }
        scan_.rewind();
        return rows;
    }

    Result<std::uint64_t> commit(const std::vector<CatalogWrite>& writes) {
        TRY(database_.execute("BEGIN IMMEDIATE"));
        Status status = apply(writes);
        if (status) status = database_.execute("COMMIT");
        if (!status) {
            // After a failed COMMIT SQLite may have rolled back by itself; a second ROLLBACK then
            // fails, harmlessly.
            (void)database_.execute("ROLLBACK");
            return std::unexpected(std::move(status).error());
        }
        ++revision_;
        watch_.notify();
        return revision_;
    }

    /// Free pages go with VACUUM, older versions of pages with the log that holds them.
    Status purge() {
        TRY(database_.execute("VACUUM"));
        return database_.execute("PRAGMA wal_checkpoint(TRUNCATE)");
    }

    Task<Result<std::uint64_t>> wait(std::uint64_t beyond, MonoTime deadline) {
        co_await watch_.wait(revision_, beyond, deadline);
        co_return revision_;
    }

 private:
    Status apply(const std::vector<CatalogWrite>& writes) {
        for (const auto& write : writes) {
            if (!write.expected) continue;
            ASSIGN(const auto row, read(write.space, write.key));
            const std::uint64_t version = row ? row->version : 0;
            if (version != *write.expected)
                return fail(Errc::ResourceInUse,
                            fmt::format("catalog row {}/{} has version {}, not {}", write.space,
                                        write.key, version, *write.expected));
        }
        const auto next = static_cast<std::int64_t>(revision_ + 1);
        for (const auto& write : writes) {
            if (write.value) {
                put_.rewind().bind(1, write.space).bind(2, write.key).bind(3, next);
                TRY(put_.bind(4, Bytes(*write.value)).step());
                put_.rewind();
            } else {
                TRY(erase_.rewind().bind(1, write.space).bind(2, write.key).step());
                erase_.rewind();
            }
        }
        TRY(revise_.rewind().bind(1, next).step());
        revise_.rewind();
        return {};
    }

    SqliteDatabase database_;
    SqliteStatement read_, scan_, put_, erase_, revise_;  // finalised before the database closes
    std::uint64_t revision_ = 0;
    boost::asio::io_context context_{1};
    RowWatch watch_;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_;
    std::thread thread_;
};

SqliteCatalogStore::SqliteCatalogStore(std::unique_ptr<Worker> worker)
    : worker_(std::move(worker)) {}
SqliteCatalogStore::~SqliteCatalogStore() = default;

Result<std::unique_ptr<SqliteCatalogStore>> SqliteCatalogStore::open(
    const std::filesystem::path& file) {
    ASSIGN(SqliteDatabase database, SqliteDatabase::open(file));
    auto worker = std::make_unique<Worker>(std::move(database));
    TRY(worker->start());
    return std::unique_ptr<SqliteCatalogStore>(new SqliteCatalogStore(std::move(worker)));
}

Task<Result<std::optional<CatalogRow>>> SqliteCatalogStore::read(std::string space,
                                                                 std::string key) {
    auto work = [worker = worker_.get(), space = std::move(space),
                 key = std::move(key)]() -> Task<Result<std::optional<CatalogRow>>> {
        co_return worker->read(space, key);
    };
    co_return co_await worker_->run(std::move(work));
}

Task<Result<std::vector<CatalogRow>>> SqliteCatalogStore::scan(std::string space,
                                                               std::string prefix) {
    auto work = [worker = worker_.get(), space = std::move(space),
                 prefix = std::move(prefix)]() -> Task<Result<std::vector<CatalogRow>>> {
        co_return worker->scan(space, prefix);
    };
    co_return co_await worker_->run(std::move(work));
}

Task<Result<std::uint64_t>> SqliteCatalogStore::commit(std::vector<CatalogWrite> writes) {
    auto work = [worker = worker_.get(),
                 writes = std::move(writes)]() -> Task<Result<std::uint64_t>> {
        co_return worker->commit(writes);
    };
    co_return co_await worker_->run(std::move(work));
}

Task<Result<std::uint64_t>> SqliteCatalogStore::watch(std::uint64_t beyond, MonoTime deadline) {
    auto work = [worker = worker_.get(), beyond, deadline]() -> Task<Result<std::uint64_t>> {
        return worker->wait(beyond, deadline);
    };
    co_return co_await worker_->run(std::move(work));
}

Task<Status> SqliteCatalogStore::purge() {
    auto work = [worker = worker_.get()]() -> Task<Status> { co_return worker->purge(); };
    co_return co_await worker_->run(std::move(work));
}

}  // namespace tidemill
