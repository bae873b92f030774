#include "console/repl/schema_report.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>

#include "console/repl/text_table.h"
#include "operators/connect/input_discovery.h"

namespace tidemill::console {
namespace {

constexpr std::size_t kFileSample = 1 << 20;
constexpr std::size_t kRowsShown = 10;
constexpr std::size_t kCellShown = 40;

/// S of "clicks.json": the name's letters and digits, as SQL likes them.
std::string stream_name(const sql::DiscoverStatement& statement) {
    std::string name = std::filesystem::path(statement.target).stem().string();
    std::ranges::transform(name, name.begin(), [](char c) {
        return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
    return sql::column_name_for(name, 1);
}

std::string shortened(const std::string& cell) {
    return cell.size() <= kCellShown ? cell : cell.substr(0, kCellShown) + "...";
}

}  // namespace

Result<std::string> schema_report(const sql::DiscoverStatement& statement,
                                  std::span<const std::string> records) {
    ASSIGN(const auto found, sql::discover_input(records));
    const std::string source = (statement.is_file ? "file:" : "") + statement.target;
    std::string text = sql::create_stream_text(found, stream_name(statement), source) + "\n\n";
    std::vector<std::string> names;
    for (const auto& field : found.columns.fields)
        names.push_back(field.name);
    TextTable table(names);
    for (std::size_t i = 0; i < std::min(found.rows.size(), kRowsShown); ++i) {
        std::vector<std::string> row;
        for (const auto& cell : found.rows[i])
            row.push_back(shortened(cell));
        table.add(std::move(row));
    }
    return text + table.to_string();
}

Result<std::string> file_schema_report(const sql::DiscoverStatement& statement) {
    std::ifstream in(statement.target, std::ios::binary);
    if (!in) return fail(Errc::NotFound, "cannot read " + statement.target);
    std::string text(kFileSample, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(in.gcount()));
    // A row that the sample cuts is none.
    if (text.size() == kFileSample && text.find('\n') != std::string::npos)
        text.resize(text.rfind('\n') + 1);
    return schema_report(statement, std::span(&text, 1));
}

}  // namespace tidemill::console
