#include "engine/catalog/sqlite_database.h"

#include <fmt/format.h>
#include <sqlite3.h>

namespace tidemill {
namespace {

std::unexpected<Error> sqlite_failure(sqlite3* connection, std::string_view doing) {
    const int code = connection == nullptr ? SQLITE_NOMEM : sqlite3_errcode(connection);
    const char* text = connection == nullptr ? "out of memory" : sqlite3_errmsg(connection);
    Errc errc = Errc::IoFailed;
    switch (code & 0xff) {
        case SQLITE_FULL:
            errc = Errc::NoSpace;
            break;
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            errc = Errc::Corrupt;
            break;
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            errc = Errc::ResourceInUse;
            break;
        default:
            break;
    }
    const int reason = connection == nullptr ? 0 : sqlite3_system_errno(connection);
    return fail(errc, fmt::format("the catalog's database failed while {}: {}", doing, text),
                reason);
}

}  // namespace

SqliteStatement::~SqliteStatement() { sqlite3_finalize(statement_); }

SqliteStatement& SqliteStatement::rewind() {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
    return *this;
}

SqliteStatement& SqliteStatement::bind(int position, std::int64_t value) {
    sqlite3_bind_int64(statement_, position, value);
    return *this;
}

SqliteStatement& SqliteStatement::bind(int position, Bytes blob) {
    // A null pointer would bind NULL; an empty blob is a value.
    const void* data = blob.empty() ? "" : static_cast<const void*>(blob.data());
    sqlite3_bind_blob64(statement_, position, data, blob.size(), SQLITE_STATIC);
    return *this;
}

Result<bool> SqliteStatement::step() {
    const int code = sqlite3_step(statement_);
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    auto failure = sqlite_failure(sqlite3_db_handle(statement_), sqlite3_sql(statement_));
    sqlite3_reset(statement_);
    return failure;
}

std::int64_t SqliteStatement::integer(int column) const {
    return sqlite3_column_int64(statement_, column);
}

Bytes SqliteStatement::blob(int column) const {
    const auto* data = static_cast<const std::byte*>(sqlite3_column_blob(statement_, column));
    return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

Result<SqliteDatabase> SqliteDatabase::open(const std::filesystem::path& file) {
    SqliteDatabase database;
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(file.c_str(), &database.connection_, flags, nullptr) != SQLITE_OK)
        return sqlite_failure(database.connection_, fmt::format("opening {}", file.string()));
    sqlite3_extended_result_codes(database.connection_, 0);
    return database;
}

SqliteDatabase::~SqliteDatabase() { sqlite3_close_v2(connection_); }

Status SqliteDatabase::execute(const std::string& sql) {
    if (sqlite3_exec(connection_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
        return sqlite_failure(connection_, sql);
    return {};
}

Result<SqliteStatement> SqliteDatabase::prepare(std::string_view sql) {
    SqliteStatement statement;
    if (sqlite3_prepare_v3(connection_, sql.data(), static_cast<int>(sql.size()),
                           SQLITE_PREPARE_PERSISTENT, &statement.statement_, nullptr) != SQLITE_OK)
        return sqlite_failure(connection_, sql);
    return statement;
}

Result<std::int64_t> SqliteDatabase::integer(std::string_view sql) {
    ASSIGN(SqliteStatement statement, prepare(sql));
    ASSIGN(const bool has_row, statement.step());
    return has_row ? statement.integer(0) : 0;
}

}  // namespace tidemill
