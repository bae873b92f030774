#include "engine/native/native_requests.h"

namespace tidemill {
namespace {

using wire::Kind;
using Answer = Task<Status> (*)(NativeConnection&, const NativeRequest&, NativeReply&);

Answer answer_of(std::uint8_t kind) {
    switch (static_cast<Kind>(kind)) {
        case Kind::Fetch:
        case Kind::Tail:
        case Kind::SeekTime:
        case Kind::ProducerPosition:
            return answer_reading;
        case Kind::CreateStream:
        case Kind::DeleteStream:
        case Kind::DescribeStream:
        case Kind::ListStreams:
        case Kind::EncryptStream:
            return answer_streams;
        case Kind::SplitShard:
        case Kind::MergeShards:
        case Kind::ScaleStream:
            return answer_resharding;
        case Kind::SetRetention:
            return answer_retention;
        case Kind::ShardRates:
        case Kind::SampledKeys:
        case Kind::Limits:
            return answer_usage;
        case Kind::EditTags:
        case Kind::SetMode:
        case Kind::RegisterConsumer:
        case Kind::DeregisterConsumer:
            return answer_settings;
        case Kind::Checkpoints:
        case Kind::AcquireLease:
        case Kind::SaveCheckpoint:
        case Kind::ReleaseLease:
            return answer_leases;
        default:
            return nullptr;
    }
}

/// What the Kinesis API calls a change, for its rate. Descriptions are not counted here: clients
/// find their shards by them.
std::string_view operation_of(const NativeRequest& request) {
    switch (static_cast<Kind>(request.kind)) {
        case Kind::CreateStream:
            return "CreateStream";
        case Kind::DeleteStream:
            return "DeleteStream";
        case Kind::SplitShard:
            return "SplitShard";
        case Kind::MergeShards:
            return "MergeShards";
        case Kind::ScaleStream:
            return "UpdateShardCount";
        case Kind::EncryptStream:
            return "StartStreamEncryption";
        case Kind::SetRetention:
            return "IncreaseStreamRetentionPeriod";
        case Kind::EditTags:
            return "AddTagsToStream";
        case Kind::SetMode:
            return "UpdateStreamMode";
        case Kind::RegisterConsumer:
            return "RegisterStreamConsumer";
        case Kind::DeregisterConsumer:
            return "DeregisterStreamConsumer";
        default:
            return {};
    }
}

Task<Status> admit_and_answer(NativeConnection& connection, const NativeRequest& request,
                              NativeReply& reply) {
    const std::string_view operation = operation_of(request);
    RateLimits* limits = connection.service().limits();
    if (limits != nullptr && !operation.empty())
        CO_TRY(co_await limits->admit_operation(std::string(operation), "", ""));
    co_return co_await answer_of(request.kind)(connection, request, reply);
}

}  // namespace

bool is_native_request(std::uint8_t kind) { return answer_of(kind) != nullptr; }

Task<void> answer_native_request(NativeConnection& connection, NativeRequest request,
                                 NativeReply& reply) {
    const Status status = co_await admit_and_answer(connection, request, reply);
    if (!status) reply.send_error(status.error());
}

}  // namespace tidemill
