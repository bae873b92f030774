#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/io/blocking_worker.h"
#include "engine/query/query_limits.h"
#include "engine/reactor/reactor.h"
#include "operators/connect/table_file.h"
#include "operators/exec/application.h"

namespace tidemill::query {

/// The reference tables of an application, CREATE TABLE ... WITH (file = ...): reads their files,
/// and reads them again when they change. Files are below `sql.files`. Core: one.
class TableLoader {
 public:
    TableLoader(Reactor& reactor, const QueryLimits& limits) : reactor_(reactor), limits_(limits) {}

    /// Reads every file that the text names. Errors: AccessDenied (no such directory set, or a file
    /// outside it), those of sql::read_table.
    Task<Status> open(std::string_view sql_text);
    /// For Application::compile. After `open`.
    std::vector<sql::TableInfo> tables() const;
    /// Sets the rows that `open` has read; rows that do not fit go to the error stream.
    Status fill(sql::Application& application);
    /// Reads again what has changed since. A file that is missing, empty or cannot be read leaves
    /// the old rows in place, and a row in the error stream.
    Task<void> refresh(sql::Application& application);

 private:
    struct Table {
        sql::TableFile file;
        std::string stamp;  ///< of what has been read, or tried
        sql::TableRows rows;
    };

    Reactor& reactor_;
    const QueryLimits& limits_;
    std::vector<Table> tables_;
    BlockingWorker worker_;
};

}  // namespace tidemill::query
