#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tidemill::sql {

struct CsvField {
    std::string_view text;
    bool is_quoted = false;
};

/// Splits one CSV line (RFC 4180: fields in double quotes may hold delimiters, line ends and
/// doubled quotes). Reusable: the fields are valid until the next call, or as long as the line
/// where no doubled quotes had to be opened.
class CsvLine {
 public:
    explicit CsvLine(std::string delimiter) : delimiter_(std::move(delimiter)) {}
    const std::vector<CsvField>& split(std::string_view line);

 private:
    std::string delimiter_;
    std::vector<CsvField> fields_;
    std::vector<std::string> opened_;
};

}  // namespace tidemill::sql
