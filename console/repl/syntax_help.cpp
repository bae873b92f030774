#include "console/repl/syntax_help.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <vector>

#include "operators/expr/function.h"
#include "operators/sql/nearest_name.h"

namespace tidemill::console {
namespace {

struct Subject {
    std::string_view name, text;
};

constexpr std::array<Subject, 10> kSubjects = {{
    {"CREATE STREAM",
     "CREATE [OR REPLACE] STREAM name (\n"
     "    column TYPE [NOT NULL], ...\n"
     ") [DESCRIPTION 'text'];\n"},
    {"CREATE PUMP",
     "CREATE [OR REPLACE] PUMP name [STARTED | STOPPED] [DESCRIPTION 'text'] AS\n"
     "    INSERT INTO stream [(column, ...)]\n"
     "    SELECT [STREAM] ...;\n"},
    {"CREATE FUNCTION",
     "CREATE FUNCTION name (parameter TYPE, ...) RETURNS TYPE\n"
     "    [LANGUAGE SQL] [[NOT] DETERMINISTIC] CONTAINS SQL\n"
     "    [RETURNS NULL ON NULL INPUT | CALLED ON NULL INPUT]\n"
     "    RETURN expression;\n"},
    {"SELECT",
     "SELECT [STREAM] [DISTINCT] expression [AS alias], ...\n"
     "    FROM stream | (SELECT ...) | TABLE(function(CURSOR(SELECT ...), ...)) [AS alias]\n"
     "    [WHERE condition]\n"
     "    [GROUP BY key, STEP(stream.ROWTIME BY INTERVAL '60' SECOND)]\n"
     "    [HAVING condition]\n"
     "    [WINDOW name AS (window)]\n"
     "    [UNION ALL SELECT ...]\n"
     "    [LIMIT rows]                               only outside a pump\n"},
    {"WINDOW",
     "Tumbling:  GROUP BY STEP(s.ROWTIME BY INTERVAL 'n' SECOND | MINUTE | HOUR | DAY)\n"
     "           GROUP BY FLOOR(s.ROWTIME TO SECOND | MINUTE | HOUR | DAY)\n"
     "Sliding:   aggregate OVER (PARTITION BY key RANGE INTERVAL 'n' MINUTE PRECEDING)\n"
     "           aggregate OVER (PARTITION BY key ROWS n PRECEDING)\n"
     "           aggregate OVER name ... WINDOW name AS (PARTITION BY ...)\n"
     "Stagger:   WINDOWED BY STAGGER (PARTITION BY key, ... RANGE INTERVAL 'n' MINUTE)\n"},
    {"JOIN",
     "FROM stream OVER (RANGE INTERVAL 'n' MINUTE PRECEDING) AS a\n"
     "    [INNER | LEFT | RIGHT | FULL] JOIN stream OVER (...) AS b ON condition\n"
     "A side without OVER is its current row alone.\n"},
    {"RANDOM_CUT_FOREST",
     "TABLE(RANDOM_CUT_FOREST(\n"
     "    CURSOR(SELECT STREAM ...),\n"
     "    numberOfTrees 100, subSampleSize 256, timeDecay 100000, shingleSize 1))\n"
     "gives the cursor's columns and ANOMALY_SCORE; ..._WITH_EXPLANATION one more.\n"},
    {"EXPLAIN",
     "EXPLAIN [ANALYZE] [SELECT ... | CREATE PUMP ...];   alone: all pumps so far\n"
     "EXPLAIN [ANALYZE] PUMP name;\n"
     "EXPLAIN APPLICATION name;                           as it runs in the broker\n"
     "ANALYZE runs it and counts rows, time and state of each step.\n"},
    {"CASE",
     "CASE WHEN condition THEN value ... [ELSE value] END\n"
     "CASE operand WHEN candidate THEN value ... [ELSE value] END\n"},
    {"TYPES",
     "BOOLEAN  TINYINT  SMALLINT  INTEGER  BIGINT  DECIMAL(p, s)  REAL  DOUBLE\n"
     "CHAR(n)  VARCHAR(n)  BINARY(n)  VARBINARY(n)  DATE  TIME  TIMESTAMP\n"},
}};

std::string upper(std::string_view text) {
    std::string result(text);
    std::ranges::transform(result, result.begin(),
                           [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return result;
}

}  // namespace

std::string syntax_help(std::string_view subject) {
    const std::string wanted = upper(subject);
    std::string text;
    for (const auto& known : kSubjects)
        if (!wanted.empty() && (known.name == wanted || known.name.starts_with(wanted)))
            text += std::string(known.text);
    if (!text.empty()) return text;
    if (const auto* function = sql::find_function(wanted); function != nullptr)
        return std::string(function->usage) + "\n";
    std::vector<std::string> names;
    for (const auto& known : kSubjects)
        names.emplace_back(known.name);
    if (!wanted.empty()) {
        auto all = sql::function_names();
        all.insert(all.end(), names.begin(), names.end());
        text = "There is no help on " + wanted + "." + sql::did_you_mean(wanted, all) + "\n";
    }
    text += "\\h NAME shows the syntax of: ";
    for (std::size_t i = 0; i < names.size(); ++i)
        text += (i == 0 ? "" : ", ") + names[i];
    return text + ";\nof a function its arguments. \\df lists functions.\n";
}

}  // namespace tidemill::console
