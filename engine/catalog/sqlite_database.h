#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace tidemill {

class SqliteDatabase;

/// A prepared statement, bound and stepped by position. Reset by `rewind`, which every use begins
/// with.
class SqliteStatement {
 public:
    SqliteStatement() = default;
    SqliteStatement(SqliteStatement&& other) noexcept
        : statement_(std::exchange(other.statement_, nullptr)) {}
    SqliteStatement& operator=(SqliteStatement&& other) noexcept {
        std::swap(statement_, other.statement_);
        return *this;
    }
    ~SqliteStatement();

    SqliteStatement& rewind();
    SqliteStatement& bind(int position, std::int64_t value);
    /// Ownership: the bytes stay alive until the next rewind.
    SqliteStatement& bind(int position, Bytes blob);
    SqliteStatement& bind(int position, std::string_view blob) {
        return bind(position, as_bytes(blob));
    }

    /// True: a row is there. False: done.
    Result<bool> step();
    std::int64_t integer(int column) const;
    Bytes blob(int column) const;  ///< valid until the next step

 private:
    friend class SqliteDatabase;
    sqlite3_stmt* statement_ = nullptr;
};

/// One connection. Core: the one thread that opened it.
class SqliteDatabase {
 public:
    static Result<SqliteDatabase> open(const std::filesystem::path& file);
    SqliteDatabase(SqliteDatabase&& other) noexcept
        : connection_(std::exchange(other.connection_, nullptr)) {}
    SqliteDatabase& operator=(SqliteDatabase&&) = delete;
    ~SqliteDatabase();

    Status execute(const std::string& sql);
    Result<SqliteStatement> prepare(std::string_view sql);
    Result<std::int64_t> integer(std::string_view sql);

 private:
    SqliteDatabase() = default;
    sqlite3* connection_ = nullptr;
};

}  // namespace tidemill
