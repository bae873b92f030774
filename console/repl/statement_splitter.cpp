#include "console/repl/statement_splitter.h"

#include <utility>

namespace tidemill::console {

void StatementSplitter::add_line(std::string_view line) {
    pending_ += line;
    pending_ += '\n';
}

StatementSplitter::Scan StatementSplitter::scan() const {
    Scan found;
    const std::string_view text = pending_;
    // Past the closing mark; the length of the text when there is none.
    const auto skip = [&](std::size_t from, std::string_view mark, Inside inside) {
        const auto at = text.find(mark, from);
        if (at == std::string_view::npos) {
            found.inside = inside;
            return text.size();
        }
        return at + mark.size();
    };
    std::size_t at = 0;
    while (at < text.size()) {
        const std::string_view rest = text.substr(at);
        if (rest.starts_with("--") || rest.starts_with("//")) {
            at = skip(at, "\n", Inside::Comment);
        } else if (rest.starts_with("/*")) {
            at = skip(at + 2, "*/", Inside::Comment);
        } else if (rest.front() == '\'' || rest.front() == '"') {
            found.has_content = true;
            at = skip(at + 1, rest.substr(0, 1), rest.front() == '"' ? Inside::Name : Inside::Text);
        } else if (rest.front() == ';') {
            found.end = at + 1;
            return found;
        } else {
            found.has_content |= rest.find_first_not_of(" \t\r\n") == 0;
            ++at;
        }
    }
    if (found.inside == Inside::Nothing && found.has_content) found.inside = Inside::Statement;
    return found;
}

std::optional<std::string> StatementSplitter::next() {
    for (;;) {
        const Scan found = scan();
        if (found.end == std::string::npos) return std::nullopt;
        std::string statement = pending_.substr(0, found.end);
        pending_.erase(0, found.end);
        if (!found.has_content) continue;
        return statement.substr(statement.find_first_not_of(" \t\r\n"));
    }
}

StatementSplitter::Inside StatementSplitter::inside() const { return scan().inside; }

std::string StatementSplitter::take_rest() {
    const bool has_content = scan().has_content;
    std::string rest = std::exchange(pending_, {});
    return has_content ? rest : std::string();
}

}  // namespace tidemill::console
