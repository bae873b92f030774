#include "operators/connect/file_source.h"

#include <algorithm>
#include <cerrno>
#include <limits>
#include <sstream>
#include <sys/mman.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace tidemill::sql {
namespace {

// Columns and types are taken from this much of the file.
constexpr std::size_t kSampleBytes = 64u << 20;

class MappedFile {
 public:
    MappedFile() = default;
    MappedFile(const MappedFile&) = delete;
    MappedFile& operator=(const MappedFile&) = delete;
    ~MappedFile() {
        if (data_ != nullptr) ::munmap(data_, size_);
    }

    Status open(const std::string& path) {
        const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            return fail(errno == ENOENT ? Errc::NotFound : Errc::IoFailed, "cannot open " + path,
                        errno);
        struct stat status{};
        if (::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
            ::close(fd);
            return fail(Errc::InvalidArgument, path + " is no regular file");
        }
        size_ = static_cast<std::size_t>(status.st_size);
        if (size_ > 0) {
            void* const memory = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd, 0);
            if (memory == MAP_FAILED) {
                ::close(fd);
                return fail(Errc::IoFailed, "cannot map " + path, errno);
            }
            data_ = memory;
        }
        ::close(fd);
        return {};
    }
    std::string_view text() const { return {static_cast<const char*>(data_), size_}; }

 private:
    void* data_ = nullptr;
    std::size_t size_ = 0;
};

class FileSource final : public Source {
 public:
    Status open(const FileSourceOptions& options) {
        TRY(file_.open(options.path));
        rest_ = file_.text();
        if (rest_.starts_with("\xef\xbb\xbf"))
            rest_.remove_prefix(3);  // a byte order mark is no data
        if (options.layout && options.columns.size() != 0) return open_declared(options);
        format_ = guess_format(rest_);
        const std::string delimiter(1, guess_delimiter(rest_.substr(0, rest_.find('\n'))));
        std::vector<std::string_view> sample;
        for (std::string_view look = rest_.substr(0, kSampleBytes);
             auto row = take_row(format_, look);)
            sample.push_back(*row);
        if (rest_.size() > kSampleBytes && sample.size() > 1) sample.pop_back();  // cut
        auto found = discover_schema(format_, sample, delimiter);
        if (!found) return fail(found.error().code, options.path + ": " + found.error().message);
        schema_ = std::move(found->schema);
        std::optional<std::size_t> rowtime;
        if (!options.rowtime_column.empty()) {
            TRY(find_rowtime(options, rowtime));
        }
        decoder_ = make_row_decoder(found->layout, schema_, rowtime);
        if (format_ == RecordFormat::Csv) take_row(format_, rest_);  // the header
        return {};
    }

    const Schema& schema() const override { return schema_; }

    Result<SourceState> poll(RowBatch& rows, RejectedRows& rejected) override {
        rows.clear();
        RejectedRow bad;
        while (!rows.is_full()) {
            const auto row = declared_ ? take_row(layout_, rest_) : take_row(format_, rest_);
            if (!row) {
                bound_ = std::numeric_limits<std::int64_t>::max();
                return SourceState::Finished;
            }
            RecordMetadata metadata;
            metadata.rowtime = rows_read_++;
            if (declared_) {
                decode_declared(*row, metadata, rows, rejected);
                continue;
            }
            if (!decoder_->decode(*row, metadata, rows, bad)) {
                rejected.push_back(std::move(bad));
                bad = {};
                continue;
            }
            // Time only goes forward in a stream: a row behind its predecessor cannot go in.
            const std::size_t last = rows.size() - 1;
            const std::int64_t rowtime = rows.rowtime.int_at(last);
            if (rowtime < bound_) {
                rejected.push_back(
                    {"OUT_OF_ORDER", "ROWTIME goes backwards", rowtime, std::string(*row), {}});
                rows.truncate(last);
            } else {
                bound_ = rowtime;
            }
        }
        return SourceState::Ready;
    }

    std::int64_t rowtime_bound() const override { return bound_; }

    std::string position() const override {
        const auto left = static_cast<std::size_t>(rest_.size());
        return fmt::format("{} {} {}", file_.text().size() - left, rows_read_, bound_);
    }

    Status seek(const std::string& position) override {
        std::size_t offset = 0;
        std::int64_t rows_read = 0, bound = 0;
        std::istringstream words(position);
        if (!(words >> offset >> rows_read >> bound) || offset > file_.text().size())
            return fail(Errc::InvalidArgument, "'" + position + "' is no position in this file");
        rest_ = file_.text().substr(offset);
        rows_read_ = rows_read;
        bound_ = bound;
        return {};
    }

 private:
    Status open_declared(const FileSourceOptions& options) {
        layout_ = *options.layout;
        schema_ = options.columns;
        std::optional<std::size_t> rowtime;
        if (!options.rowtime_column.empty()) {
            TRY(find_rowtime(options, rowtime));
        }
        // The header is the file's, not that of each row.
        if (std::exchange(layout_.has_header, false)) take_row(layout_, rest_);
        ASSIGN(declared_, make_record_decoder(layout_, schema_, rowtime));
        return {};
    }

    /// One text may be several rows.
    void decode_declared(std::string_view row, const RecordMetadata& metadata, RowBatch& rows,
                         RejectedRows& rejected) {
        const std::size_t before = rows.size();
        declared_->decode(row, metadata, rows, rejected);
        for (std::size_t i = before; i < rows.size(); ++i) {
            std::int64_t& rowtime = rows.rowtime.slots()[i];
            if (rowtime < bound_) {
                rejected.push_back(
                    {"OUT_OF_ORDER", "ROWTIME goes backwards", rowtime, std::string(row), {}});
                rows.truncate(i);
                return;
            }
            bound_ = rowtime;
        }
    }

    Status find_rowtime(const FileSourceOptions& options, std::optional<std::size_t>& rowtime) {
        rowtime = schema_.find(options.rowtime_column);
        std::vector<std::string> names;
        for (std::size_t i = 0; i < schema_.size(); ++i) {
            names.push_back(schema_[i].name);
            const auto same = [](char a, char b) { return std::tolower(a) == std::tolower(b); };
            if (!rowtime && std::ranges::equal(schema_[i].name, options.rowtime_column, same))
                rowtime = i;
        }
        if (!rowtime) {
            std::string known;
            for (const auto& name : names)
                known += (known.empty() ? "" : ", ") + name;
            return fail(Errc::InvalidArgument,
                        fmt::format("{} has no column \"{}\" for ROWTIME; its columns are {}",
                                    options.path, options.rowtime_column, known));
        }
        const Type& type = schema_[*rowtime].type;
        if (type.kind != TypeKind::Timestamp && !type.is_numeric())
            return fail(
                Errc::InvalidArgument,
                fmt::format(
                    "{}: column \"{}\" is {}, ROWTIME needs times as YYYY-MM-DD hh:mm:ss or "
                    "milliseconds",
                    options.path, schema_[*rowtime].name, type.to_string()));
        return {};
    }

    MappedFile file_;
    std::string_view rest_;
    RecordFormat format_ = RecordFormat::Csv;
    Schema schema_;
    std::unique_ptr<RowDecoder> decoder_;
    RecordLayout layout_;
    std::unique_ptr<RecordDecoder> declared_;
    std::int64_t rows_read_ = 0;
    std::int64_t bound_ = std::numeric_limits<std::int64_t>::min();
};

}  // namespace

Result<std::unique_ptr<Source>> open_file_source(const FileSourceOptions& options) {
    auto source = std::make_unique<FileSource>();
    TRY(source->open(options));
    return source;
}

}  // namespace tidemill::sql
