#include "operators/connect/table_file.h"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <sys/stat.h>

#include <fmt/format.h>

#include "operators/connect/file_source.h"

namespace tidemill::sql {

namespace {

// Whether the first line is the names of the columns, in their order.
bool begins_with_names(const TableFile& file, const std::string& delimiter) {
    std::ifstream in(file.path);
    std::string line, names;
    std::getline(in, line);
    std::erase_if(line, [](char c) { return c == '"' || c == '\r' || c == ' '; });
    for (const auto& field : file.columns.fields)
        names += (names.empty() ? "" : delimiter) + field.name;
    const auto same = [](unsigned char a, unsigned char b) {
        return std::tolower(a) == std::tolower(b);
    };
    return std::ranges::equal(line, names, same);
}

}  // namespace

Result<TableRows> read_table(const TableFile& file) {
    struct stat status{};
    if (::stat(file.path.c_str(), &status) == 0 &&
        static_cast<std::uint64_t>(status.st_size) > kTableBytesMax)
        return fail(Errc::TooLarge, fmt::format("{} is larger than {} bytes, the most that a "
                                                "reference table may have",
                                                file.path, kTableBytesMax));
    FileSourceOptions options{file.path, {}, file.layout, file.columns};
    if (file.columns.size() != 0) {
        if (!options.layout) options.layout.emplace();
        auto& layout = *options.layout;
        if (layout.format == RecordFormat::Csv)
            layout.has_header =
                file.has_header.value_or(begins_with_names(file, layout.column_delimiter));
    }
    ASSIGN(const auto source, open_file_source(options));
    TableRows table;
    table.schema = source->schema();
    auto rows = std::make_shared<RowBatch>(table.schema);
    RowBatch part(table.schema);
    for (auto state = SourceState::Ready; state != SourceState::Finished;) {
        ASSIGN(state, source->poll(part, table.rejected));
        const auto view = part.view();
        for (std::size_t row = 0; row < part.size(); ++row)
            rows->append_row(view, row);
    }
    for (auto& bad : table.rejected)
        bad.message = fmt::format("reference table {}: {}", file.name, bad.message);
    table.rows = std::move(rows);
    return table;
}

std::string file_stamp(const std::string& path) {
    struct stat status{};
    if (::stat(path.c_str(), &status) != 0) return {};
    return fmt::format("{} {} {}.{}", status.st_ino, status.st_size, status.st_mtim.tv_sec,
                       status.st_mtim.tv_nsec);
}

}  // namespace tidemill::sql
