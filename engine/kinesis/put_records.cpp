// PutRecords.
#include <fmt/format.h>

#include "engine/aws/document_writer.h"
#include "engine/kinesis/error_map.h"
#include "engine/kinesis/operations.h"
#include "engine/kinesis/put_request.h"
#include "engine/kinesis/stream_document.h"
#include "engine/service/sequence.h"

namespace tidemill::kinesis {
namespace {

constexpr std::size_t kEntryBytes = 130;  // of an answer's entry, to reserve once

std::string entry_message(const Call& call, const StreamInfo& stream, const PutOutcome& outcome) {
    if (outcome.append.error.code == Errc::Throttled && outcome.shard != nullptr)
        return shard_rate_exceeded(call, stream, *outcome.shard);
    return outcome.append.error.message.empty() ? "Internal Service Failure"
                                                : outcome.append.error.message;
}

}  // namespace

Task<ApiStatus> put_records(Call& call) {
    auto request = decode_put_records(call.body, call.encoding);
    if (!request) co_return std::unexpected(request.error());
    const auto found = find_stream(call, request->stream_name, request->stream_arn);
    if (!found) co_return std::unexpected(found.error());
    const StreamInfo& stream = **found;
    if (auto status = check_records(stream, request->records, true); !status) co_return status;
    if (request->is_dry_run)
        co_return refuse("DryRunOperationException", "The request would have succeeded.");
    const auto outcomes = co_await call.service.put_records(stream, std::move(request->records));

    std::int64_t failed = 0;
    for (const auto& outcome : outcomes)
        if (outcome.append.outcome != Outcome::Committed) ++failed;
    call.output.reserve(outcomes.size() * kEntryBytes + 64);
    DocumentWriter out = call.answer();
    out.begin_object();
    out.member("FailedRecordCount", failed);
    out.key("Records").begin_array();
    for (const auto& outcome : outcomes) {
        out.begin_object();
        const AppendResult& append = outcome.append;
        if (append.outcome == Outcome::Committed) {
            const auto number = sequence_of(*outcome.shard, append.first_ordinal, append.arrival);
            out.key("SequenceNumber").plain_text(number.to_string());
            out.key("ShardId").plain_text(shard_id_text(outcome.shard->index));
        } else {
            out.member("ErrorCode", put_error_code(append));
            out.member("ErrorMessage", entry_message(call, stream, outcome));
        }
        out.end_object();
    }
    out.end_array();
    out.key("EncryptionType").plain_text(encryption_text(stream.encryption.is_on()));
    out.end_object();
    co_return ApiStatus{};
}

}  // namespace tidemill::kinesis
