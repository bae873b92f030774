#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tidemill::sql {

/// Splits a line of a log into pieces, one for each column of a ROW. Made once for a query.
class RowParser {
 public:
    virtual ~RowParser() = default;
    virtual std::size_t size() const = 0;
    /// Fills `pieces` with size() texts; a piece may be missing. False: the line does not fit.
    /// Ownership: pieces point into `line`, or into this object until the next call.
    virtual bool parse(std::string_view line,
                       std::vector<std::optional<std::string_view>>& pieces) = 0;
};
using RowParserPtr = std::unique_ptr<RowParser>;

/// One piece for each group of a regular expression that the whole line must match.
/// Errors: what is wrong with the pattern, in words.
RowParserPtr make_regex_parser(std::string_view pattern, std::string& error);
/// The patterns of FAST_REGEX_LOG_PARSE: cut into parts that are found one after the other, each as
/// short as it goes, and never reconsidered. Limits: no intersection (&).
RowParserPtr make_fast_regex_parser(std::string_view pattern, std::string& error);
/// `Mon DD HH:MM:SS rest`: the time as text, and the rest.
RowParserPtr make_syslog_parser();
/// A predefined format by its name, or a format of Apache's LogFormat.
RowParserPtr make_w3c_parser(std::string_view format, std::string& error);
/// `count` pieces between delimiters; `escape` takes the next character as it is, quotes hide
/// delimiters. Empty escape or quotes: none.
RowParserPtr make_delimited_parser(std::size_t count, std::string delimiter, std::string escape,
                                   std::string quotes);
struct FixedColumn {
    std::size_t start = 0;
    std::optional<std::size_t> length;  ///< nothing: to the end
};
/// Pieces by their places in the line, blanks around them cut.
RowParserPtr make_fixed_parser(std::vector<FixedColumn> columns);

}  // namespace tidemill::sql
