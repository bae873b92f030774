// PutRecord.
#include <fmt/format.h>

#include "engine/aws/document_writer.h"
#include "engine/kinesis/error_map.h"
#include "engine/kinesis/operations.h"
#include "engine/kinesis/put_request.h"
#include "engine/kinesis/stream_document.h"
#include "engine/service/sequence.h"

namespace tidemill::kinesis {
namespace {

/// SequenceNumberForOrdering must be one that the stream has given out: not of another form, not of
/// the future.
ApiStatus check_ordering(const Call& call, const StreamInfo& stream) {
    const auto text = call.input.text_or("SequenceNumberForOrdering", "");
    if (text.empty()) return {};
    const auto number = SequenceNumber::parse(text);
    const auto now_s = to_millis(call.clock.wall_now()) / 1000;
    if (number && number->record_s <= now_s &&
        stream.shard_by_index(number->shard_index) != nullptr)
        return {};
    return invalid_argument(
        fmt::format("ExclusiveMinimumSequenceNumber {} used in PutRecord on stream "
                    "{} under account {} is invalid.",
                    text, stream.name, call.caller.account));
}

}  // namespace

Task<ApiStatus> put_record(Call& call) {
    const auto found = find_stream(call);
    if (!found) co_return std::unexpected(found.error());
    const StreamInfo& stream = **found;
    const auto record = record_of(call.input);
    if (!record) co_return std::unexpected(record.error());
    if (auto status = check_records(stream, {&*record, 1}, false); !status) co_return status;
    if (auto status = check_ordering(call, stream); !status) co_return status;
    if (call.input.boolean_or("DryRun", false))
        co_return refuse("DryRunOperationException", "The request would have succeeded.");

    std::vector<PutRecord> records{*record};
    const auto outcomes = co_await call.service.put_records(stream, std::move(records));
    const PutOutcome& outcome = outcomes.front();
    const AppendResult& append = outcome.append;
    if (append.outcome != Outcome::Committed) {
        if (append.error.code == Errc::Throttled)
            co_return refuse("ProvisionedThroughputExceededException",
                             shard_rate_exceeded(call, stream, *outcome.shard));
        co_return std::unexpected(to_api_error(append.error));
    }
    DocumentWriter out = call.answer();
    out.begin_object();
    out.key("SequenceNumber")
        .plain_text(sequence_of(*outcome.shard, append.first_ordinal, append.arrival).to_string());
    out.key("ShardId").plain_text(shard_id_text(outcome.shard->index));
    out.key("EncryptionType").plain_text(encryption_text(stream.encryption.is_on()));
    out.end_object();
    co_return ApiStatus{};
}

}  // namespace tidemill::kinesis
