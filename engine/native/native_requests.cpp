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
        case Kind::Checkpoints:
        case Kind::AcquireLease:
        case Kind::SaveCheckpoint:
        case Kind::ReleaseLease:
            return answer_leases;
        default:
            return nullptr;
    }
}

}  // namespace

bool is_native_request(std::uint8_t kind) { return answer_of(kind) != nullptr; }

Task<void> answer_native_request(NativeConnection& connection, NativeRequest request,
                                 NativeReply& reply) {
    const Status status = co_await answer_of(request.kind)(connection, request, reply);
    if (!status) reply.send_error(status.error());
}

}  // namespace tidemill
