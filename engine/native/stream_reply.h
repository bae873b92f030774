#pragma once

#include <vector>

#include "engine/catalog/stream.h"
#include "engine/log/log_store.h"
#include "engine/native/native_reply.h"

namespace tidemill {

/// Answers with a StreamReply. `tails` belong to the stream's shards in order; may be empty.
void send_stream(const StreamInfo& stream, const std::vector<TailInfo>& tails, NativeReply& reply);

}  // namespace tidemill
