#include "console/commands/demo_input.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include <fmt/format.h>

#include "console/commands/machine_metrics.h"

namespace tidemill::console {
namespace {

constexpr std::chrono::milliseconds kSampleEvery{50};

class FileInput final : public DemoInput {
 public:
    Status open(const std::string& path, const std::string& rowtime_column) {
        path_ = path;
        std::ifstream in(path, std::ios::binary);
        if (!in) return fail(Errc::NotFound, "cannot open " + path);
        std::ostringstream text;
        text << in.rdbuf();
        text_ = std::move(text).str();
        rest_ = text_;
        if (rest_.starts_with("\xef\xbb\xbf")) rest_.remove_prefix(3);
        const auto format = sql::guess_format(rest_);
        const std::string delimiter(1, sql::guess_delimiter(rest_.substr(0, rest_.find('\n'))));
        std::vector<std::string_view> rows;
        for (std::string_view look = rest_; auto row = sql::take_row(format, look);)
            rows.push_back(*row);
        auto found = sql::discover_schema(format, rows, delimiter);
        if (!found) return fail(found.error().code, path + ": " + found.error().message);
        columns_ = std::move(*found);
        if (format == sql::RecordFormat::Csv) {
            sql::take_row(format, rest_);  // the header is no row
            if (delimiter != ",")
                return fail(Errc::Unsupported,
                            path + ": the demo reads CSV with commas; `tidemill sql` reads others");
        }
        return find_time(rowtime_column);
    }

    const sql::DiscoveredSchema& columns() const override { return columns_; }
    std::optional<std::size_t> time_column() const override { return time_; }
    std::string description() const override { return path_; }
    bool is_finite() const override { return true; }
    std::optional<std::string> next() override {
        const auto row = sql::take_row(columns_.layout.format, rest_);
        if (!row) return {};
        return std::string(*row);
    }

 private:
    Status find_time(const std::string& wanted) {
        const auto& fields = columns_.schema.fields;
        bool has_number = false;
        for (std::size_t i = 0; i < fields.size(); ++i) {
            if (fields[i].name == wanted) time_ = i;
            if (wanted.empty() && !time_ && fields[i].type.kind == sql::TypeKind::Timestamp)
                time_ = i;
        }
        for (std::size_t i = 0; i < fields.size(); ++i)
            has_number |= fields[i].type.is_numeric() && i != time_;
        if (!wanted.empty() && !time_) {
            std::string known;
            for (const auto& field : fields)
                known += (known.empty() ? "" : ", ") + field.name;
            return fail(
                Errc::InvalidArgument,
                fmt::format("{} has no column \"{}\"; its columns are {}", path_, wanted, known));
        }
        if (!has_number)
            return fail(Errc::InvalidArgument, path_ + " has no numeric column to score");
        return {};
    }

    std::string path_, text_;
    std::string_view rest_;
    sql::DiscoveredSchema columns_;
    std::optional<std::size_t> time_;
};

class MachineInput final : public DemoInput {
 public:
    MachineInput() {
        columns_.layout.format = sql::RecordFormat::Json;
        for (const auto& name : MachineMetrics::columns())
            columns_.schema.fields.push_back({name, name == "time"
                                                        ? sql::Type(sql::TypeKind::Timestamp)
                                                        : sql::Type(sql::TypeKind::Double)});
    }
    const sql::DiscoveredSchema& columns() const override { return columns_; }
    std::optional<std::size_t> time_column() const override { return 0; }
    std::string description() const override { return "this machine's /proc"; }
    bool is_finite() const override { return false; }
    std::optional<std::string> next() override {
        const auto now = std::chrono::steady_clock::now();
        if (now < due_) return {};
        due_ = now + kSampleEvery;
        const auto wall = std::chrono::time_point_cast<std::chrono::milliseconds>(
            std::chrono::system_clock::now());
        return metrics_.sample_json(wall, now);
    }

 private:
    sql::DiscoveredSchema columns_;
    MachineMetrics metrics_;
    MonoTime due_{};
};

std::string quoted(const std::string& name) {
    std::string text = "\"";
    for (const char c : name) {
        if (c == '"') text += '"';
        text += c;
    }
    return text + "\"";
}

}  // namespace

Result<std::unique_ptr<DemoInput>> open_demo_file(const std::string& path,
                                                  const std::string& rowtime_column) {
    auto input = std::make_unique<FileInput>();
    TRY(input->open(path, rowtime_column));
    return input;
}

std::unique_ptr<DemoInput> make_machine_input() { return std::make_unique<MachineInput>(); }

std::string demo_sql(const DemoInput& input, std::uint32_t sample, std::uint32_t shingle) {
    const auto& fields = input.columns().schema.fields;
    std::string declared, selected, scored;
    for (std::size_t i = 0; i < fields.size(); ++i) {
        const bool is_time = i == input.time_column();
        // A time that is a number passes through as text, so that the forest does not take it for a
        // measurement.
        const bool as_text = is_time && fields[i].type.is_numeric();
        const auto name = quoted(fields[i].name);
        declared +=
            fmt::format("    {} {},\n", name, as_text ? "VARCHAR(32)" : fields[i].type.to_string());
        selected += name + ", ";
        scored += (scored.empty() ? "" : ", ") +
                  (as_text ? fmt::format("CAST({0} AS VARCHAR(32)) AS {0}", name) : name);
    }
    return fmt::format(
        "CREATE OR REPLACE STREAM \"DESTINATION_SQL_STREAM\" (\n{}    ANOMALY_SCORE DOUBLE\n);\n\n"
        "CREATE OR REPLACE PUMP \"SCORES\" AS INSERT INTO \"DESTINATION_SQL_STREAM\"\n"
        "SELECT STREAM {}ANOMALY_SCORE\n"
        "FROM TABLE(RANDOM_CUT_FOREST(\n"
        "    CURSOR(SELECT STREAM {} FROM \"SOURCE_SQL_STREAM_001\"),\n"
        "    100, {}, 100000, {}));\n",
        declared, selected, scored, sample, shingle);
}

}  // namespace tidemill::console
