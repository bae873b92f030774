#include "console/repl/completion.h"

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "operators/expr/function.h"

namespace tidemill::console {
namespace {

const std::vector<std::string> kKeywords = {"ALL",
                                            "AND",
                                            "ANALYZE",
                                            "APPLICATION",
                                            "AS",
                                            "BETWEEN",
                                            "BIGINT",
                                            "BOOLEAN",
                                            "BY",
                                            "CASE",
                                            "CAST",
                                            "CREATE",
                                            "CROSS",
                                            "CURSOR",
                                            "DATE",
                                            "DAY",
                                            "DECIMAL",
                                            "DESCRIPTION",
                                            "DISTINCT",
                                            "DOUBLE",
                                            "ELSE",
                                            "END",
                                            "EXPLAIN",
                                            "FALSE",
                                            "FLOOR",
                                            "FROM",
                                            "FULL",
                                            "FUNCTION",
                                            "GROUP",
                                            "HAVING",
                                            "HOTSPOTS",
                                            "HOUR",
                                            "IN",
                                            "INNER",
                                            "INSERT",
                                            "INTEGER",
                                            "INTERVAL",
                                            "INTO",
                                            "IS",
                                            "JOIN",
                                            "LEFT",
                                            "LIKE",
                                            "LIMIT",
                                            "MINUTE",
                                            "MONOTONIC",
                                            "NOT",
                                            "NULL",
                                            "ON",
                                            "OR",
                                            "ORDER",
                                            "OUTER",
                                            "OVER",
                                            "PARTITION",
                                            "PRECEDING",
                                            "PUMP",
                                            "RANGE",
                                            "RANDOM_CUT_FOREST",
                                            "RANDOM_CUT_FOREST_WITH_EXPLANATION",
                                            "REPLACE",
                                            "RETURN",
                                            "RETURNS",
                                            "RIGHT",
                                            "ROWS",
                                            "ROWTIME",
                                            "SECOND",
                                            "SELECT",
                                            "SIMILAR",
                                            "SMALLINT",
                                            "STAGGER",
                                            "STARTED",
                                            "STEP",
                                            "STOPPED",
                                            "STREAM",
                                            "TABLE",
                                            "THEN",
                                            "TIME",
                                            "TIMESTAMP",
                                            "TINYINT",
                                            "TO",
                                            "TRUE",
                                            "UNION",
                                            "UNKNOWN",
                                            "VARBINARY",
                                            "VARCHAR",
                                            "WHEN",
                                            "WHERE",
                                            "WINDOW",
                                            "WINDOWED",
                                            "WITHIN"};

char lower(char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); }

bool begins(std::string_view candidate, std::string_view word) {
    if (candidate.size() < word.size()) return false;
    for (std::size_t i = 0; i < word.size(); ++i)
        if (lower(candidate[i]) != lower(word[i])) return false;
    return true;
}

/// The last whole word before the one that is being typed, in upper case.
std::string word_before(std::string_view text) {
    auto end = text.find_last_not_of(" \t\n");
    if (end == std::string_view::npos) return {};
    auto begin = text.find_last_of(" \t\n(),;", end);
    begin = begin == std::string_view::npos ? 0 : begin + 1;
    std::string word(text.substr(begin, end - begin + 1));
    std::ranges::transform(word, word.begin(),
                           [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return word;
}

class Candidates {
 public:
    explicit Candidates(std::string_view word) : word_(word) {
        const auto is_letter = [](unsigned char c) { return std::isalpha(c) != 0; };
        const auto letter = std::ranges::find_if(word, is_letter);
        is_lower_ = letter != word.end() && std::islower(static_cast<unsigned char>(*letter)) != 0;
    }

    /// Keywords follow the case of what was typed.
    void add_keywords(const std::vector<std::string>& keywords) {
        for (std::string keyword : keywords) {
            if (word_.empty() || !begins(keyword, word_)) continue;
            if (is_lower_) std::ranges::transform(keyword, keyword.begin(), lower);
            found_.push_back(std::move(keyword));
        }
    }
    /// A name is found with and without its quote.
    void add_names(const std::vector<std::string>& names) {
        for (const auto& name : names)
            if (begins(name, word_) ||
                (name.starts_with('"') && begins(std::string_view(name).substr(1), word_)))
                found_.push_back(name);
    }
    void add_files() {
        namespace fs = std::filesystem;
        const auto slash = word_.rfind('/');
        const std::string folder(slash == std::string_view::npos ? "" : word_.substr(0, slash + 1));
        std::error_code ignored;
        for (const auto& entry :
             fs::directory_iterator(folder.empty() ? fs::path(".") : fs::path(folder), ignored)) {
            std::string path = folder + entry.path().filename().string();
            if (entry.is_directory(ignored)) path += '/';
            if (path.starts_with(word_)) found_.push_back(std::move(path));
        }
    }
    std::vector<std::string> take() {
        std::ranges::sort(found_);
        found_.erase(std::ranges::unique(found_).begin(), found_.end());
        return std::move(found_);
    }

 private:
    std::string_view word_;
    bool is_lower_ = false;
    std::vector<std::string> found_;
};

}  // namespace

const std::vector<std::string>& shell_commands() {
    static const std::vector<std::string> kCommands = {
        "\\?", "\\apps", "\\bind", "\\clear", "\\d",   "\\df",     "\\dp", "\\format", "\\from",
        "\\h", "\\i",    "\\l",    "\\q",     "\\run", "\\timing", "\\w",  "\\x"};
    return kCommands;
}

std::size_t last_word(std::string_view line) {
    std::size_t begin = line.size();
    bool is_quoted = std::ranges::count(line, '"') % 2 == 1;
    while (begin > 0) {
        const char c = line[begin - 1];
        if (c == '"' && is_quoted) return begin - 1;
        if (!is_quoted && std::string_view(" \t\n(),;=<>+-*|.'").contains(c)) break;
        --begin;
    }
    return begin;
}

std::vector<std::string> complete(std::string_view statement, std::string_view line,
                                  std::size_t word_begin, const CompletionNames& names) {
    const std::string_view word = line.substr(word_begin);
    Candidates candidates(word);
    const auto first = line.find_first_not_of(' ');
    if (statement.empty() && first != std::string_view::npos && line[first] == '\\') {
        const auto blank = line.find(' ', first);
        const auto command =
            line.substr(first, blank == std::string_view::npos ? blank : blank - first);
        if (blank == std::string_view::npos) {
            candidates.add_names(shell_commands());
        } else if (command == "\\i" || command == "\\w") {
            candidates.add_files();
        } else if (command == "\\d") {
            candidates.add_names(names.streams);
            candidates.add_names(names.pumps);
        } else if (command == "\\from") {
            candidates.add_names({"earliest", "latest"});
        } else if (command == "\\format") {
            candidates.add_names({"csv", "json", "table"});
        }
        return candidates.take();
    }
    const std::string before =
        word_before(std::string(statement) + std::string(line.substr(0, word_begin)));
    if (before == "FROM" || before == "JOIN" || before == "INTO") {
        candidates.add_names(names.streams);
        if (before != "INTO") candidates.add_keywords({"TABLE"});
        return candidates.take();
    }
    if (before == "EXPLAIN") {
        candidates.add_keywords({"ANALYZE", "APPLICATION", "CREATE", "PUMP", "SELECT"});
        return candidates.take();
    }
    candidates.add_keywords(kKeywords);
    candidates.add_keywords(sql::function_names());
    candidates.add_names(names.columns);
    candidates.add_names(names.streams);
    return candidates.take();
}

}  // namespace tidemill::console
