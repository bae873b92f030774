#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>

#include "console/commands/command.h"
#include "console/commands/log_reading.h"
#include "console/commands/output.h"
#include "proto/batch_codec.h"
#include "proto/record_batch.h"

namespace tidemill::console {
namespace {

constexpr std::size_t kShownBytes = 64;  // of a record's data

/// At most kShownBytes of it; what is no printable ASCII as \xNN.
std::string printable(std::string_view bytes) {
    std::string text;
    for (const char c : bytes.substr(0, kShownBytes)) {
        if (c >= 0x20 && c < 0x7f && c != '\\')
            text += c;
        else
            text += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
    if (bytes.size() > kShownBytes) text += "...";
    return text;
}

/// Prints as the log is read: nothing is kept but what was printed last.
class Dump {
 public:
    explicit Dump(const LogOptions& options)
        : options_(options),
          is_json_(choose_format(options.format, stdout_is_terminal()) != OutputFormat::Human) {}

    void visit(const SegmentReport& segment, const ScannedCommit& commit,
               const DirectoryEntry& entry, bool is_intact) {
        if (options_.has_shard && entry.shard != options_.shard) return;
        const Ordinal end =
            entry.is_control() ? entry.first_ordinal + 1 : entry.first_ordinal + entry.count;
        if (end <= options_.from) return;
        head(segment, commit);
        if (entry.is_control())
            control(entry);
        else
            batch(commit, entry, is_intact);
        if (std::ferror(stdout) != 0) std::_Exit(kExitOk);  // nobody reads on
    }

 private:
    void head(const SegmentReport& segment, const ScannedCommit& commit) {
        const auto& header = segment.header;
        if (header.salt != salt_) {
            salt_ = header.salt;
            number_ = 0;
            if (is_json_)
                print(R"({{"type":"segment","lane":{},"segment":{},"file":{},"first_commit":{},)"
                      R"("created":"{}","sealed":{},"bytes":{}}})",
                      header.lane, header.number, json_string(segment.file), header.first_commit,
                      iso_time(header.created_ms), segment.is_sealed, segment.file_bytes);
            else
                print("lane {} segment {} {}: commits from {}, made {}, {}, {} bytes", header.lane,
                      header.number, segment.file, header.first_commit, iso_time(header.created_ms),
                      segment.is_sealed ? "sealed" : "open", segment.file_bytes);
        }
        if (commit.header.number == number_) return;
        number_ = commit.header.number;
        const auto& of = commit.header;
        if (is_json_)
            print(
                R"({{"type":"commit","lane":{},"commit":{},"position":{},"bytes":{},"entries":{},)"
                R"("arrival":"{}","durable":{}}})",
                of.lane, of.number, commit.position, of.bytes, of.directory_count,
                iso_time(of.arrival_ms), of.durable);
        else
            print("  commit {} at {}: {} bytes, {} entries, arrived {}, all durable up to {}",
                  of.number, commit.position, of.bytes, of.directory_count, iso_time(of.arrival_ms),
                  of.durable);
    }

    void control(const DirectoryEntry& entry) const {
        const char* kind = entry.bytes == static_cast<std::uint32_t>(Control::Seal)   ? "seal"
                           : entry.bytes == static_cast<std::uint32_t>(Control::Trim) ? "trim"
                                                                                      : "control";
        if (is_json_)
            print(R"({{"type":"{}","shard":{},"ordinal":{},"kind":{}}})", kind, entry.shard,
                  entry.first_ordinal, entry.bytes);
        else
            print("    shard {} {} at {}", entry.shard, kind, entry.first_ordinal);
    }

    void batch(const ScannedCommit& commit, const DirectoryEntry& entry, bool is_intact) const {
        const Bytes bytes = commit.bytes.subspan(entry.offset, entry.bytes);
        const auto header = load_le<RecordBatchHeader>(bytes.data());
        const bool is_plain = header.codec == 0 && header.key_id == 0;
        const std::int64_t arrival = commit.header.arrival_ms + std::int64_t{entry.arrival_delta};
        if (is_json_) {
            print(
                R"({{"type":"batch","shard":{},"first":{},"records":{},"bytes":{},"arrival":"{}",)"
                R"("epoch":{},"codec":"{}","key_id":{},"producer":{},"sequence":{},"packed":{},)"
                R"("intact":{}}})",
                entry.shard, entry.first_ordinal, entry.count, entry.bytes, iso_time(arrival),
                header.epoch, codec_name(header.codec), header.key_id, header.producer_id,
                header.producer_sequence, (header.flags & kBatchPacked) != 0, is_intact);
        } else {
            std::string notes;
            if (header.epoch > 1) notes += fmt::format(", epoch {}", header.epoch);
            if (header.producer_id != 0)
                notes += fmt::format(", producer {:016x} from {}", header.producer_id,
                                     header.producer_sequence);
            if (header.codec != 0) notes += fmt::format(", {}", codec_name(header.codec));
            if (header.key_id != 0) notes += fmt::format(", encrypted with key {}", header.key_id);
            if ((header.flags & kBatchPacked) != 0)
                notes += fmt::format(", packed, over {} ms", header.arrival_span_ms);
            if (!is_intact) notes += ", DAMAGED";
            print("    shard {} records {} to {}: {} bytes{}", entry.shard, entry.first_ordinal,
                  entry.first_ordinal + entry.count - 1, entry.bytes, notes);
        }
        if (!options_.with_records || !is_intact) return;
        if (!is_plain) {
            if (!is_json_)
                print("      its records are not shown: {}",
                      header.key_id != 0 ? "they are encrypted" : "they are compressed");
            return;
        }
        const auto view = RecordBatchView::parse_stamped(bytes);
        if (!view) return;
        RecordCursor cursor(*view);
        for (RecordView record; cursor.next(record);) {
            if (cursor.ordinal() < options_.from) continue;
            const auto data = as_text(record.data);
            if (is_json_)
                print(R"({{"type":"record","shard":{},"ordinal":{},"arrival":"{}","key":{},)"
                      R"("bytes":{},"data":{}}})",
                      entry.shard, cursor.ordinal(), iso_time(to_millis(cursor.arrival())),
                      json_string(record.partition_key), data.size(), json_string(printable(data)));
            else
                print("      {} key {} {} bytes: {}", cursor.ordinal(),
                      json_string(record.partition_key), data.size(), printable(data));
        }
    }

    template <class... Args>
    static void print(fmt::format_string<Args...> format, Args&&... args) {
        const auto text = fmt::format(format, std::forward<Args>(args)...) + "\n";
        std::fwrite(text.data(), 1, text.size(), stdout);
    }

    const LogOptions& options_;
    bool is_json_;
    std::uint64_t salt_ = 0, number_ = 0;  // of what was headed last
};

}  // namespace

int dump_command(const LogOptions& options) {
    Dump dump(options);
    const auto found =
        read_log(options, [&dump](const SegmentReport& segment, const ScannedCommit& commit,
                                  const DirectoryEntry& entry, bool is_intact) {
            dump.visit(segment, commit, entry, is_intact);
        });
    std::fflush(stdout);
    if (!found) return report(found.error().message);
    for (const auto& lane : found->lanes)
        for (const auto& problem : lane.problems)
            std::fprintf(stderr, "tidemill: lane %u: %s\n", lane.lane.value, problem.c_str());
    return found->is_sound() ? kExitOk : kExitFailed;
}

}  // namespace tidemill::console
