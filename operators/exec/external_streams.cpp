#include "operators/exec/external_streams.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "engine/base/result.h"
#include "operators/connect/json_path.h"
#include "operators/sql/nearest_name.h"
#include "operators/sql/parser.h"
#include "operators/sql/printer.h"
#include "operators/sql/stream_options.h"
#include "operators/vector/time_text.h"

namespace tidemill::sql {
namespace {

using ast::StreamOption;

constexpr std::string_view kSourceOptions[] = {
    "SOURCE",  "FORMAT", "ROW_PATH",    "COLUMN_DELIMITER", "ROW_DELIMITER",     "HEADER",
    "ROWTIME", "START",  "PARALLELISM", "PREPROCESS",       "PREPROCESS_TIMEOUT"};
constexpr std::string_view kSinkOptions[] = {"SINK",   "FORMAT", "KEY",   "COLUMN_DELIMITER",
                                             "HEADER", "BATCH",  "TRIES", "TIMEOUT"};
constexpr std::string_view kTableOptions[] = {
    "FILE", "FORMAT", "ROW_PATH", "COLUMN_DELIMITER", "ROW_DELIMITER", "HEADER"};
/// Of streams that are neither, and of all: those say themselves what they mean.
constexpr std::string_view kOtherOptions[] = {"LATENESS", "IDLE_TIMEOUT", "ALLOWED_LATENESS"};
constexpr std::int64_t kTimeoutMax = 3'600'000;

std::string upper(std::string_view text) {
    std::string result(text);
    std::ranges::transform(result, result.begin(), [](char c) {
        return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
    return result;
}

/// The escapes that people write for characters they cannot type: \n \r \t \\ and \|.
std::string unescaped(std::string_view text) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\' || i + 1 == text.size()) {
            result += text[i];
            continue;
        }
        const char c = text[++i];
        result += c == 'n' ? '\n' : c == 'r' ? '\r' : c == 't' ? '\t' : c;
    }
    return result;
}

class Description {
 public:
    Description(std::string_view text, const ast::CreateStream& create)
        : text_(text), create_(create) {}

    SqlResult<ExternalSource> source() {
        TRY(check_names(kSourceOptions, "a source"));
        ExternalSource source;
        source.names = source_stream_names(create_);
        for (const auto& column : create_.columns)
            source.columns.fields.push_back(
                {column.name.text, column.type, !column.is_not_null, false});
        ASSIGN(source.connector, place("SOURCE", source.target));
        const auto& where = *find_option(create_, "SOURCE");
        if (source.connector == Connector::Http || source.connector == Connector::Stdout)
            return wrong(where, "a source is a stream or a file: 'clicks', 'file:clicks.json'");
        ASSIGN(source.layout.format, format());
        TRY(layout(source.layout));
        ASSIGN(source.rowtime_column, column("ROWTIME"));
        TRY(start(source));
        ASSIGN(const auto parallelism, number("PARALLELISM", 1, 1, 64));
        if (source.connector == Connector::File && parallelism > 1)
            return wrong(*find_option(create_, "PARALLELISM"), "a file is read by one");
        source.preprocess = text_of("PREPROCESS");
        if (!source.preprocess.empty() && source.connector == Connector::File)
            return wrong(*find_option(create_, "PREPROCESS"), "only records of streams are");
        ASSIGN(source.preprocess_timeout, number("PREPROCESS_TIMEOUT", 60'000, 1, kTimeoutMax));
        return source;
    }

    SqlResult<ExternalSink> sink() {
        TRY(check_names(kSinkOptions, "a sink"));
        for (const auto& column : create_.columns)
            if (column.path)
                return failure(column.name.span,
                               "PATH says where a source has a column; this stream is a sink.");
        ExternalSink sink;
        sink.name = create_.name.text;
        ASSIGN(sink.connector, place("SINK", sink.target));
        ASSIGN(sink.format, format());
        ASSIGN(sink.key_column, column("KEY"));
        if (!sink.key_column.empty() && sink.connector != Connector::Stream)
            return wrong(*find_option(create_, "KEY"), "only streams have a partition key");
        if (const auto* given = find_option(create_, "COLUMN_DELIMITER")) {
            if (sink.format != RecordFormat::Csv) return wrong(*given, "only CSV has delimiters");
            sink.delimiter = unescaped(given->value);
            if (sink.delimiter.empty()) return wrong(*given, "it is empty");
        }
        ASSIGN(sink.has_header, truth("HEADER"));
        if (sink.has_header && sink.format != RecordFormat::Csv)
            return wrong(*find_option(create_, "HEADER"), "only CSV has a header");
        ASSIGN(sink.batch_rows, number("BATCH", 500, 1, 10'000));
        ASSIGN(sink.tries, number("TRIES", 10, 1, 1'000));
        ASSIGN(sink.timeout, number("TIMEOUT", 10'000, 1, kTimeoutMax));
        return sink;
    }

    SqlResult<TableFile> table() {
        TRY(check_names(kTableOptions, "a table"));
        TableFile table;
        table.name = create_.name.text;
        const auto* file = find_option(create_, "FILE");
        if (file == nullptr)
            return failure(create_.name.span, fmt::format("The table {} needs WITH (file = '...').",
                                                          print_name(create_.name.text)));
        table.path = file->value;
        if (table.path.starts_with("file:")) table.path.erase(0, 5);
        if (table.path.empty()) return wrong(*file, "the file's path is missing");
        for (const auto& column : create_.columns)
            table.columns.fields.push_back(
                {column.name.text, column.type, !column.is_not_null, false});
        if (find_option(create_, "HEADER") != nullptr) {
            ASSIGN(table.has_header, truth("HEADER"));
        }
        RecordLayout layout;
        ASSIGN(layout.format, format());
        if (find_option(create_, "FORMAT") == nullptr && upper(table.path).ends_with(".CSV"))
            layout.format = RecordFormat::Csv;
        TRY(this->layout(layout));
        if (table.columns.size() != 0) table.layout = std::move(layout);
        return table;
    }

    SqlResult<void> neither() {
        for (const auto& option : create_.options)
            if (std::ranges::find(kOtherOptions, upper(option.name.text)) ==
                std::end(kOtherOptions))
                return failure(option.name.span,
                               fmt::format("The option {} goes with source = ... or sink = ...",
                                           option.name.text));
        for (const auto& column : create_.columns)
            if (column.path)
                return failure(column.name.span,
                               "PATH says where a source has a column: WITH (source = ...).");
        return {};
    }

    std::unexpected<SqlError> both() const {
        return wrong(*find_option(create_, "SINK"), "a stream is a source or a sink, not both");
    }

 private:
    std::unexpected<SqlError> failure(Span span, std::string message) const {
        return std::unexpected(locate(text_, span, std::move(message)));
    }
    std::unexpected<SqlError> wrong(const StreamOption& option, std::string_view why) const {
        return failure(option.value_span,
                       fmt::format("{} = '{}': {}{}", option.name.text, option.value, why,
                                   why.ends_with('?') || why.ends_with('.') ? "" : "."));
    }
    template <std::size_t N>
    SqlResult<void> check_names(const std::string_view (&known)[N], std::string_view what) const {
        for (const auto& option : create_.options) {
            const auto name = upper(option.name.text);
            if (std::ranges::find(known, name) != std::end(known) ||
                std::ranges::find(kOtherOptions, name) != std::end(kOtherOptions))
                continue;
            std::vector<std::string> names(std::begin(known), std::end(known));
            return failure(option.name.span,
                           fmt::format("The option {} of {} is not known.{}", option.name.text,
                                       what, did_you_mean(name, names)));
        }
        return {};
    }
    std::string text_of(std::string_view name) const {
        const auto* option = find_option(create_, name);
        return option == nullptr ? std::string() : option->value;
    }

    /// 'clicks', 'stream:clicks', 'arn:aws:kinesis:...', 'file:clicks.json', 'http://host/path'
    SqlResult<Connector> place(std::string_view name, std::string& target) const {
        const auto& option = *find_option(create_, name);
        std::string_view text = option.value;
        if (text.empty()) return wrong(option, "it is empty");
        const auto behind = [&](std::string_view prefix) {
            if (!upper(text.substr(0, prefix.size())).starts_with(upper(prefix))) return false;
            text.remove_prefix(prefix.size());
            return true;
        };
        if (upper(text) == "STDOUT") return Connector::Stdout;
        if (upper(text).starts_with("HTTP://")) {
            target = text;
            return Connector::Http;
        }
        if (upper(text).starts_with("HTTPS://"))
            return wrong(option, "rows are sent by http:// only; put a proxy before it");
        if (behind("file:")) {
            if (text.starts_with("//")) text.remove_prefix(2);
            target = text;
            if (target.empty()) return wrong(option, "the file's path is missing");
            return Connector::File;
        }
        behind("stream:");
        target = stream_name_of(text);
        if (target.empty() || target.find_first_of(" /:") != std::string::npos)
            return wrong(option,
                         "expected a stream's name or ARN, file:<path>, stdout or http://...");
        return Connector::Stream;
    }

    SqlResult<RecordFormat> format() const {
        const auto* option = find_option(create_, "FORMAT");
        if (option == nullptr || upper(option->value) == "JSON") return RecordFormat::Json;
        if (upper(option->value) == "CSV") return RecordFormat::Csv;
        return wrong(*option, "formats are 'json' and 'csv'");
    }

    SqlResult<void> layout(RecordLayout& layout) const {
        const bool is_csv = layout.format == RecordFormat::Csv;
        for (const auto name : {"COLUMN_DELIMITER", "ROW_DELIMITER", "HEADER"})
            if (const auto* option = find_option(create_, name); option != nullptr && !is_csv)
                return wrong(*option, "it goes with format = 'csv'");
        if (const auto* option = find_option(create_, "ROW_PATH")) {
            if (is_csv) return wrong(*option, "it goes with format = 'json'");
            layout.row_path = option->value;
            if (const auto path = JsonPath::parse(option->value); !path)
                return wrong(*option, path.error().message);
        }
        if (const auto* option = find_option(create_, "COLUMN_DELIMITER"))
            layout.column_delimiter = unescaped(option->value);
        if (const auto* option = find_option(create_, "ROW_DELIMITER"))
            layout.row_delimiter = unescaped(option->value);
        ASSIGN(layout.has_header, truth("HEADER"));
        Schema columns;
        for (const auto& column : create_.columns) {
            columns.fields.push_back({column.name.text, column.type, true, false});
            layout.column_paths.push_back(column.path.value_or(""));
            if (!column.path) continue;
            if (is_csv)
                return failure(column.name.span,
                               "The columns of CSV are by position: PATH goes with format = "
                               "'json'.");
            if (const auto path = JsonPath::parse(*column.path); !path)
                return failure(column.name.span, path.error().message + ".");
        }
        if (std::ranges::all_of(layout.column_paths, [](const auto& path) { return path.empty(); }))
            layout.column_paths.clear();
        if (const auto status = check_layout(layout, columns); !status)
            return failure(create_.name.span, status.error().message + ".");
        return {};
    }

    SqlResult<bool> truth(std::string_view name) const {
        const auto* option = find_option(create_, name);
        if (option == nullptr) return false;
        const auto value = upper(option->value);
        if (value == "TRUE" || value == "1") return true;
        if (value == "FALSE" || value == "0") return false;
        return wrong(*option, "expected true or false");
    }

    SqlResult<std::int64_t> number(std::string_view name, std::int64_t otherwise, std::int64_t low,
                                   std::int64_t high) const {
        const auto* option = find_option(create_, name);
        if (option == nullptr) return otherwise;
        std::int64_t value = 0;
        const char* const end = option->value.data() + option->value.size();
        const auto read = std::from_chars(option->value.data(), end, value);
        if (read.ec != std::errc() || read.ptr != end || value < low || value > high)
            return wrong(*option, fmt::format("expected a number from {} to {}", low, high));
        return value;
    }

    /// A column's name: exact, or as SQL would fold it.
    SqlResult<std::string> column(std::string_view name) const {
        const auto* option = find_option(create_, name);
        if (option == nullptr || option->value.empty()) return std::string();
        std::vector<std::string> names;
        for (const auto& column : create_.columns) {
            if (column.name.text == option->value) return option->value;
            names.push_back(column.name.text);
        }
        if (names.empty()) return option->value;
        if (std::ranges::find(names, upper(option->value)) != names.end())
            return upper(option->value);
        return wrong(*option,
                     "the stream has no such column." + did_you_mean(option->value, names));
    }

    SqlResult<void> start(ExternalSource& source) const {
        const auto* option = find_option(create_, "START");
        if (option == nullptr) {
            // A file is there to be read.
            if (source.connector == Connector::File) source.start = StartAt::Earliest;
            return {};
        }
        const auto value = upper(option->value);
        if (value == "LATEST" || value == "NOW" || value == "LAST_STOPPED_POINT") return {};
        if (value == "EARLIEST" || value == "TRIM_HORIZON") {
            source.start = StartAt::Earliest;
            return {};
        }
        const auto time = parse_timestamp(option->value);
        if (!time)
            return wrong(*option,
                         "expected latest, earliest, last_stopped_point or a time as "
                         "YYYY-MM-DD hh:mm:ss");
        source.start = StartAt::Time;
        source.start_time = *time;
        return {};
    }

    std::string_view text_;
    const ast::CreateStream& create_;
};

}  // namespace

std::string stream_name_of(std::string_view text) {
    if (text.starts_with("arn:")) {
        const auto at = text.find(":stream/");
        if (at != std::string_view::npos) text.remove_prefix(at + 8);
    }
    return std::string(text);
}

SqlResult<ExternalStreams> external_streams(std::string_view sql_text) {
    ASSIGN(const auto statements, parse(sql_text));
    ExternalStreams found;
    for (const auto& statement : statements) {
        if (const auto* create = std::get_if<ast::CreateTable>(&statement.body)) {
            ASSIGN(auto table, Description(sql_text, create->definition).table());
            std::erase_if(found.tables,
                          [&](const auto& other) { return other.name == table.name; });
            found.tables.push_back(std::move(table));
            continue;
        }
        const auto* create = std::get_if<ast::CreateStream>(&statement.body);
        if (create == nullptr) continue;
        Description description(sql_text, *create);
        const bool has_sink = find_option(*create, "SINK") != nullptr;
        if (is_source(*create)) {
            if (has_sink) return description.both();
            ASSIGN(auto source, description.source());
            found.sources.push_back(std::move(source));
        } else if (has_sink) {
            ASSIGN(auto sink, description.sink());
            // OR REPLACE: the later one counts.
            std::erase_if(found.sinks, [&](const auto& other) { return other.name == sink.name; });
            found.sinks.push_back(std::move(sink));
        } else {
            TRY(description.neither());
        }
    }
    return found;
}

}  // namespace tidemill::sql
