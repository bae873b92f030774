// ApplicationFeed: records that go through a command before they are rows.
#include <algorithm>

#include <fmt/format.h>

#include "engine/query/application_feed.h"
#include "engine/query/on_worker.h"
#include "engine/service/sequence.h"

namespace tidemill::query {
namespace {

constexpr std::size_t kRecordsMax = 100;  // of one invocation
constexpr std::size_t kBytesMax = 1_MiB;

}  // namespace

Status check_preprocessing(const InputDefinition& input, const QueryLimits& limits) {
    if (input.preprocess.empty()) return {};
    if (input.preprocess.starts_with(kFunctionPrefix)) {
        if (limits.functions_directory.empty())
            return fail(Errc::AccessDenied,
                        fmt::format("{} stands for no command here: set sql.functions_directory",
                                    input.preprocess));
        const auto name = std::string_view(input.preprocess).substr(kFunctionPrefix.size());
        if (name.empty() || name.find_first_of("/\\'\"") != std::string_view::npos)
            return fail(Errc::InvalidArgument, "a function's name has no / and no quotes");
        return {};
    }
    if (!limits.allows_commands)
        return fail(Errc::AccessDenied,
                    "applications of this broker may not run commands: tidemill serve "
                    "--allow-commands");
    return {};
}

Status ApplicationFeed::begin_preprocessing(Input& input) {
    const InputDefinition& definition = input.definition;
    if (definition.preprocess.empty()) return {};
    TRY(check_preprocessing(definition, limits_));
    std::string command = definition.preprocess;
    if (command.starts_with(kFunctionPrefix))
        command = fmt::format("exec '{}/{}'", limits_.functions_directory,
                              command.substr(kFunctionPrefix.size()));
    input.preprocessing.reset(new Preprocessing{
        {std::move(command),
         fmt::format("arn:aws:kinesisanalytics:us-east-1:000000000000:application/{}",
                     application_name_),
         fmt::format("arn:aws:kinesis:us-east-1:000000000000:stream/{}", definition.stream),
         std::chrono::milliseconds(definition.preprocess_timeout)},
        {}});
    return {};
}

/// Asks as often as it takes; nothing when the feed stops meanwhile.
Task<std::vector<CommandOutcome>> ApplicationFeed::process(Input& input, Shard& shard,
                                                           std::vector<CommandRecord> records) {
    auto delay = limits_.retry_first;
    while (!gate_.is_closed() && !is_stopped_) {
        Preprocessing& preprocessing = *input.preprocessing;
        auto outcomes = co_await on_worker(
            preprocessing.worker, reactor_,
            [&command = preprocessing.command, records] { return command.process(records); });
        if (outcomes) {
            shard.trouble.clear();
            co_return std::move(*outcomes);
        }
        shard.trouble = fmt::format("pre-processing of \"{}\": {}", input.definition.name,
                                    outcomes.error().to_string());
        if (!co_await pause(delay)) break;
    }
    co_return std::vector<CommandOutcome>{};
}

ApplicationFeed::Unprocessed ApplicationFeed::unprocessed(const Shard& shard,
                                                          const RecordCursor& cursor,
                                                          const RecordView& record) const {
    Unprocessed one;
    one.ordinal = cursor.ordinal();
    one.arrival = cursor.arrival();
    one.record.data = as_text(record.data);
    one.record.partition_key = record.partition_key;
    one.record.shard_id = shard_id_text(shard.info.index);
    one.record.sequence_number = sequence_of(shard.info, one.ordinal, one.arrival).to_string();
    one.record.arrival_time = to_millis(one.arrival);
    one.record.id = fmt::format("{}:{}", one.record.shard_id, one.record.sequence_number);
    return one;
}

/// Asks the command and decodes what it says; false when the feed stops meanwhile.
Task<bool> ApplicationFeed::decode_processed(Input& input, Shard& shard,
                                             const std::vector<Unprocessed>& group) {
    std::vector<CommandRecord> records;
    for (const auto& one : group)
        records.push_back(one.record);
    const auto outcomes = co_await process(input, shard, std::move(records));
    if (outcomes.empty()) co_return false;
    begin_slice(input, shard);
    for (std::size_t i = 0; i < group.size(); ++i) {
        const Unprocessed& one = group[i];
        shard.next = one.ordinal + 1;
        shard.clear_until = std::max(shard.clear_until, to_millis(one.arrival));
        if (outcomes[i].kind == CommandOutcome::Kind::Dropped) continue;
        if (outcomes[i].kind == CommandOutcome::Kind::ProcessingFailed) {
            sql::RejectedRow row;
            row.name = "PROCESSING_FAILED";
            row.message = "the pre-processing command could not process the record";
            row.data_rowtime = to_millis(one.arrival);
            row.data = one.record.data;
            rejected_.push_back(std::move(row));
            continue;
        }
        RecordView processed;
        processed.partition_key = one.record.partition_key;
        processed.data = as_bytes(outcomes[i].data);
        decode(input, shard, processed, one.ordinal, one.arrival);
    }
    co_return true;
}

/// As push_records, in groups. Rows that are decoded already are pushed before the command is
/// asked: while it works, rows and positions speak of the same moment.
Task<void> ApplicationFeed::push_processed(Input& input, Shard& shard, RecordBatchView batch,
                                           RecordCursor cursor) {
    for (bool has_more = true; has_more;) {
        std::vector<Unprocessed> group;
        std::size_t bytes = 0;
        RecordView record;
        while (group.size() < kRecordsMax && bytes < kBytesMax &&
               (has_more = cursor.next(record))) {
            if (cursor.ordinal() < shard.next) continue;
            group.push_back(unprocessed(shard, cursor, record));
            bytes += group.back().record.data.size();
        }
        if (group.empty()) break;
        push_rows(input, shard);
        if (!co_await decode_processed(input, shard, group)) co_return;
        co_await end_slice(input, shard);
        if (gate_.is_closed()) co_return;
    }
    if (!cursor.status()) report_unreadable(input, shard, batch, cursor.status().error());
}

}  // namespace tidemill::query
