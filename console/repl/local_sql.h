#pragma once

#include "console/repl/sql_runner.h"
#include "operators/plan/stream_catalog.h"

namespace tidemill::console {

/// Queries over files, each from the first row to the last.
class LocalSql final : public SqlRunner {
 public:
    LocalSql(std::vector<sql::FileBinding> bind, std::vector<sql::FileBinding> tables,
             std::string rowtime_column)
        : bind_(std::move(bind)),
          tables_(std::move(tables)),
          rowtime_column_(std::move(rowtime_column)) {}

    Result<Summary> run(const Request& request, std::ostream& out,
                        const IsWanted& is_wanted) override;
    Result<Explanation> explain(const std::string& sql_text) override;
    Result<Explanation> measure(
        const std::string& sql_text, const IsWanted& is_wanted,
        const std::function<void(const Explanation&)>& on_progress) override;
    Result<std::pair<Explanation, Explanation>> explain_application(
        const std::string& name) override;
    Result<std::vector<KnownStream>> streams() override;
    Result<sql::Schema> columns_of(const std::string& sql_text, const std::string& stream) override;
    void bind(const std::string& name, const std::string& target) override;
    std::string target_word() const override { return "file"; }

 private:
    Result<std::vector<sql::CatalogStream>> inputs() const;
    /// The reference tables, those of the text too.
    Result<std::vector<sql::CatalogTable>> tables(const std::string& sql_text) const;
    /// Makes a bare SELECT at its end into a pump, and says which stream to print then.
    Result<std::optional<std::uint64_t>> prepare(sql::LocalRunOptions& options) const;

    std::vector<sql::FileBinding> bind_, tables_;
    std::string rowtime_column_;
};

}  // namespace tidemill::console
