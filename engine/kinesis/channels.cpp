// CreateChannel, DeleteChannel, DescribeChannel, ListChannels, UpdateChannel: not there yet, and
// said so by an error that the model has for each of them and that no client tries again.
#include "engine/kinesis/operations.h"

namespace tidemill::kinesis {

Task<ApiStatus> refuse_channels(Call&) {
    co_return refuse("ValidationException",
                     "Channels are not supported: this endpoint does not deliver streams to S3.");
}

}  // namespace tidemill::kinesis
