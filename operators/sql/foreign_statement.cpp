#include "operators/sql/foreign_statement.h"

#include <span>

namespace tidemill::sql {
namespace {

struct Instead {
    std::string_view word, text;
};

constexpr Instead kStatements[] = {
    {"SELECT",
     "SELECT stands inside a pump, CREATE PUMP name AS INSERT INTO stream SELECT ..., or is the "
     "last statement of what `tidemill sql` runs."},
    {"INSERT", "INSERT stands inside a pump: CREATE PUMP name AS INSERT INTO ..."},
    {"DROP",
     "DROP is not needed: an application has the streams and pumps of its text; take the CREATE "
     "out of it."},
    {"ALTER",
     "ALTER is not part of the dialect; change the CREATE itself, with STARTED or STOPPED after a "
     "pump's name."},
    {"EXPLAIN",
     "EXPLAIN is asked of `tidemill sql`, by itself; it is not part of an application's text."},
    {"DISCOVER",
     "DISCOVER SCHEMA is asked of `tidemill sql`, by itself; it is not part of an application's "
     "text."},
    {"SET", "SET is not part of the dialect; options stand in CREATE STREAM ... WITH (...)."},
    {"UPDATE", "Rows of a stream do not change: insert new ones by a pump."},
    {"DELETE", "Rows of a stream are not taken back: filter them in the pump that reads them."},
    {"MERGE", "Rows of a stream do not change: insert new ones by a pump."},
    {"TRUNCATE", "A stream holds no rows that could be taken away."},
    {"WITH", "A query has no WITH clause: create a stream and a pump for each step."},
    {"VALUES", "Rows come from streams; VALUES gives none."},
    {"BEGIN", "There are no transactions; each row takes effect as a whole."},
    {"COMMIT", "There are no transactions; each row takes effect as a whole."},
    {"GRANT", "Rights are given outside SQL: see `tidemill credentials`."},
    {"USE", "There is one database; leave USE out."},
    {"SHOW", "The shell lists streams and pumps: \\d, and functions: \\df."},
    {"DESCRIBE", "The shell describes a stream: \\d NAME."},
};

constexpr Instead kCreates[] = {
    {"VIEW", "There are no views: CREATE STREAM and a pump that fills it give the same rows."},
    {"MATERIALIZED",
     "There are no views: CREATE STREAM and a pump that fills it give the same rows."},
    {"INDEX", "Streams have no indexes; joins and groups make their own."},
    {"SCHEMA", "All streams of an application are in one schema; leave CREATE SCHEMA out."},
    {"DATABASE", "There is one database; leave CREATE DATABASE out."},
    {"FOREIGN", "Streams from outside are made by CREATE STREAM ... WITH (source = ...)."},
    {"TEMPORARY", "Everything an application creates is its own; leave TEMPORARY out."},
    {"TRIGGER", "A pump runs for every row: CREATE PUMP name AS INSERT INTO ..."},
    {"PROCEDURE", "There are no procedures; a pump computes rows from rows."},
};

std::string_view find(std::span<const Instead> table, std::string_view word) {
    for (const auto& row : table)
        if (row.word == word) return row.text;
    return {};
}

}  // namespace

std::string_view instead_of_statement(std::string_view word) { return find(kStatements, word); }
std::string_view instead_of_create(std::string_view word) { return find(kCreates, word); }

}  // namespace tidemill::sql
