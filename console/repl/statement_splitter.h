#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tidemill::console {

/// Cuts what a person types, line by line, into statements that end with `;`. A semicolon inside
/// 'text', "name" or a comment ends nothing.
class StatementSplitter {
 public:
    /// What the text so far ends inside of; the prompt shows it.
    enum class Inside : std::uint8_t { Nothing, Statement, Text, Name, Comment };

    void add_line(std::string_view line);
    /// The next whole statement with its semicolon; nothing until more is typed. A semicolon with
    /// nothing but blanks and comments before it is skipped.
    std::optional<std::string> next();
    Inside inside() const;
    /// What is left without a semicolon, given up by the splitter; empty when it is only blanks.
    std::string take_rest();
    void clear() { pending_.clear(); }

 private:
    struct Scan {
        std::size_t end = std::string::npos;  // of the first statement, past its semicolon
        bool has_content = false;
        Inside inside = Inside::Nothing;
    };
    Scan scan() const;

    std::string pending_;
};

}  // namespace tidemill::console
