#pragma once

#include "console/repl/sql_runner.h"

namespace tidemill::console {

/// Queries over files, each from the first row to the last.
class LocalSql final : public SqlRunner {
 public:
    LocalSql(std::vector<sql::FileBinding> bind, std::string rowtime_column)
        : bind_(std::move(bind)), rowtime_column_(std::move(rowtime_column)) {}

    Result<Summary> run(const std::string& sql_text, const std::vector<std::string>& print,
                        sql::PrintFormat format, std::ostream& out,
                        const std::function<bool()>& is_wanted) override;
    Result<std::string> describe_streams() override;

 private:
    std::vector<sql::FileBinding> bind_;
    std::string rowtime_column_;
};

}  // namespace tidemill::console
