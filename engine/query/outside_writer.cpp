#include "engine/query/outside_writer.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "engine/query/http_post.h"
#include "engine/query/on_worker.h"
#include "operators/connect/row_encoder.h"

namespace tidemill::query {
namespace {

constexpr std::size_t kFileRowsMax = 2'000;  // of one write

Status write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const auto written = ::write(fd, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0)
            return fail(errno == ENOSPC ? Errc::NoSpace : Errc::IoFailed, "cannot write", errno);
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
}

/// Appends and syncs; what a failed write left behind is cut off again.
Status append_to_file(const std::string& path, const std::string& header, const std::string& text) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) return fail(Errc::IoFailed, "cannot open " + path, errno);
    const auto before = ::lseek(fd, 0, SEEK_END);
    Status status = before == 0 ? write_all(fd, header) : Status{};
    if (status) status = write_all(fd, text);
    if (status && ::fdatasync(fd) != 0 && errno != EINVAL && errno != EROFS)
        status = fail(Errc::IoFailed, "cannot sync " + path, errno);
    if (!status && before >= 0 && ::ftruncate(fd, before) != 0)
        status = fail(Errc::IoFailed, "cannot undo a part of a write to " + path, errno);
    ::close(fd);
    return status;
}

/// JSON rows as an array, CSV as lines.
std::string body_of(std::string_view text, const std::vector<std::size_t>& ends, bool is_csv) {
    std::string body = is_csv ? "" : "[";
    std::size_t begin = 0;
    for (const std::size_t end : ends) {
        if (begin != 0 && !is_csv) body += ',';
        body += text.substr(begin, end - begin - 1);  // without its line end
        if (is_csv) body += '\n';
        begin = end;
    }
    return is_csv ? body : body + "]";
}

bool is_refusal(int status) {
    return status >= 400 && status < 500 && status != 408 && status != 429;
}

}  // namespace

Result<std::string> allowed_file(const std::string& path, const QueryLimits& limits) {
    if (limits.files_directory.empty())
        return fail(Errc::AccessDenied,
                    "applications of this broker may use no files: set sql.files to a directory");
    const std::filesystem::path root = std::filesystem::weakly_canonical(limits.files_directory);
    std::error_code error;
    const auto whole = std::filesystem::weakly_canonical(root / path, error);
    const auto [end, rest] = std::mismatch(root.begin(), root.end(), whole.begin(), whole.end());
    if (error || end != root.end() || whole == root)
        return fail(Errc::AccessDenied, fmt::format("{} is not within {}", path, root.string()));
    return whole.string();
}

Status OutsideWriter::check(const OutputDefinition& output, const QueryLimits& limits) {
    if (output.connector == sql::Connector::Http) {
        if (!limits.allows_http)
            return fail(Errc::AccessDenied,
                        "applications of this broker may not send rows over HTTP: sql.allow_http");
        TRY(HttpUrl::parse(output.stream));
    }
    if (output.connector == sql::Connector::File) TRY(allowed_file(output.stream, limits));
    return {};
}

OutsideWriter::OutsideWriter(Reactor& reactor, const QueryLimits& limits, OutputDefinition output,
                             sql::Schema schema, std::uint64_t rows_before, Hooks hooks)
    : reactor_(reactor),
      limits_(limits),
      output_(std::move(output)),
      schema_(std::move(schema)),
      hooks_(std::move(hooks)),
      taken_(rows_before),
      acknowledged_(rows_before) {}

void OutsideWriter::take(const sql::Batch& batch) {
    batch.selection.for_each([&](std::size_t row) {
        if (output_.format == sql::RecordFormat::Csv)
            sql::append_csv_row(waiting_.text, schema_, batch, row, output_.delimiter);
        else
            sql::append_json_row(waiting_.text, schema_, batch, row);
        waiting_.text += '\n';
        waiting_.ends.push_back(waiting_.text.size());
        ++taken_;
    });
    changed_.notify_all();
}

Task<bool> OutsideWriter::wait_acknowledged(std::uint64_t taken, MonoTime deadline) {
    while (acknowledged_ < taken) {
        if (is_stopped_ || reactor_.clock().mono_now() >= deadline) co_return false;
        co_await changed_.wait_until(deadline);
    }
    co_return true;
}

Task<void> OutsideWriter::stop() {
    if (std::exchange(is_stopped_, true)) co_return;
    changed_.notify_all();
    co_await gate_.close();
}

Task<void> OutsideWriter::run() {
    while (!is_stopped_) {
        if (waiting_.ends.empty())
            co_await changed_.wait_until(MonoTime::max());
        else
            co_await write(take_some());
    }
}

/// The first rows, as many as go out at once.
OutsideWriter::Rows OutsideWriter::take_some() {
    const std::size_t most = output_.connector == sql::Connector::Http
                                 ? static_cast<std::size_t>(output_.batch_rows)
                                 : kFileRowsMax;
    if (waiting_.ends.size() <= most) return std::exchange(waiting_, {});
    Rows some;
    const auto cut = waiting_.ends.begin() + static_cast<std::ptrdiff_t>(most);
    some.ends.assign(waiting_.ends.begin(), cut);
    const std::size_t bytes = some.ends.back();
    some.text = waiting_.text.substr(0, bytes);
    waiting_.text.erase(0, bytes);
    waiting_.ends.erase(waiting_.ends.begin(), cut);
    for (auto& end : waiting_.ends)
        end -= bytes;
    return some;
}

Task<void> OutsideWriter::write(Rows rows) {
    auto delay = limits_.retry_first;
    for (std::int64_t tries = 1; !is_stopped_; ++tries) {
        const Status status = co_await write_once(rows);
        if (status) {
            trouble_.clear();
            settle(rows.ends.size());
            co_return;
        }
        trouble_ = fmt::format("{}: {}", output_.stream, status.error().to_string());
        const bool is_final = status.error().code == Errc::InvalidArgument ||
                              (output_.connector == sql::Connector::Http && tries >= output_.tries);
        if (is_final) {
            refuse(rows, trouble_);
            settle(rows.ends.size());
            co_return;
        }
        const auto until = reactor_.clock().mono_now() + delay;
        delay = std::min(delay * 2, limits_.retry_last);
        if (!co_await gate_.sleep_until(until)) co_return;
    }
}

/// Errors: InvalidArgument is final.
Task<Status> OutsideWriter::write_once(const Rows& rows) {
    const bool is_csv = output_.format == sql::RecordFormat::Csv;
    if (output_.connector == sql::Connector::Http) {
        CO_ASSIGN(const HttpUrl url, HttpUrl::parse(output_.stream));
        const auto answer = co_await on_worker(
            worker_, reactor_,
            [url, is_csv, body = body_of(rows.text, rows.ends, is_csv),
             timeout = std::chrono::milliseconds(output_.timeout)] {
                return http_post(url, is_csv ? "text/csv" : "application/json", body, timeout);
            });
        if (!answer) co_return std::unexpected(answer.error());
        if (*answer >= 200 && *answer < 300) co_return Status{};
        co_return fail(is_refusal(*answer) ? Errc::InvalidArgument : Errc::Unavailable,
                       fmt::format("answered with status {}", *answer));
    }
    if (output_.connector == sql::Connector::Stdout)
        co_return co_await on_worker(worker_, reactor_,
                                     [text = rows.text] { return write_all(STDOUT_FILENO, text); });
    CO_ASSIGN(const std::string path, allowed_file(output_.stream, limits_));
    std::string header;
    if (output_.has_header) {
        sql::append_csv_header(header, schema_, output_.delimiter);
        header += '\n';
    }
    co_return co_await on_worker(worker_, reactor_, [path, header, text = rows.text] {
        return append_to_file(path, header, text);
    });
}

void OutsideWriter::refuse(const Rows& rows, const std::string& why) {
    // An error row that cannot be sent does not make another one.
    if (output_.name == "error_stream") return;
    std::size_t begin = 0;
    for (const std::size_t end : rows.ends) {
        sql::RejectedRow row;
        row.name = "OUTPUT_REFUSED";
        row.message = why;
        row.data = rows.text.substr(begin, end - begin - 1);
        hooks_.refused(std::move(row));
        begin = end;
    }
}

void OutsideWriter::settle(std::size_t rows) {
    acknowledged_ += rows;
    hooks_.settled(rows);
    changed_.notify_all();
}

}  // namespace tidemill::query
