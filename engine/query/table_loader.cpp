#include "engine/query/table_loader.h"

#include <fmt/format.h>

#include "engine/query/on_worker.h"
#include "engine/query/outside_writer.h"
#include "operators/exec/external_streams.h"

namespace tidemill::query {

Task<Status> TableLoader::open(std::string_view sql_text) {
    auto declared = sql::external_streams(sql_text);
    if (!declared) co_return fail(Errc::InvalidArgument, declared.error().to_string());
    for (auto& file : declared->tables) {
        CO_ASSIGN(file.path, allowed_file(file.path, limits_));
        Table table{std::move(file), {}, {}};
        table.stamp = sql::file_stamp(table.file.path);
        CO_ASSIGN(table.rows, co_await on_worker(worker_, reactor_, [file = table.file] {
                      return sql::read_table(file);
                  }));
        tables_.push_back(std::move(table));
    }
    co_return Status{};
}

std::vector<sql::TableInfo> TableLoader::tables() const {
    std::vector<sql::TableInfo> infos;
    for (const auto& table : tables_)
        infos.push_back({table.file.name, table.rows.schema});
    return infos;
}

Status TableLoader::fill(sql::Application& application) {
    for (auto& table : tables_) {
        TRY(application.set_table(table.file.name, table.rows.rows));
        application.reject(table.rows.rejected);
        table.rows.rows.reset();
        table.rows.rejected.clear();
    }
    return {};
}

Task<void> TableLoader::refresh(sql::Application& application) {
    for (auto& table : tables_) {
        const auto stamp = sql::file_stamp(table.file.path);
        if (stamp == table.stamp) continue;
        table.stamp = stamp;
        // The columns stay what the SQL was compiled for.
        auto read = co_await on_worker(worker_, reactor_,
                                       [file = table.file] { return sql::read_table(file); });
        std::string why;
        if (!read)
            why = read.error().message;
        else if (!(read->schema == table.rows.schema))
            why = "its columns are others than before";
        else if (read->rows->size() == 0)
            why = "it has no rows";
        if (why.empty()) {
            application.reject(read->rejected);
            const auto set = application.set_table(table.file.name, std::move(read->rows));
            if (set) continue;
            why = set.error().message;
        }
        sql::RejectedRow rejected;
        rejected.name = "REFERENCE_TABLE";
        rejected.message =
            fmt::format("The reference table {} stays as it was: {}.", table.file.name, why);
        application.reject({std::move(rejected)});
    }
}

}  // namespace tidemill::query
