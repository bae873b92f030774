#pragma once

#include "engine/kinesis/call.h"

namespace tidemill::kinesis {

/// Whether the caller may carry out its operation on a stream, by the policies of both. `stream` is
/// null when there is none of that name in the account. Errors: AccessDeniedException.
ApiStatus authorize_stream(const Call& call, std::string_view account, std::string_view name,
                           const StreamInfo* stream);
/// The same for a stream that was found.
ApiStatus authorize_stream(const Call& call, const StreamInfo& stream);
/// The same for a consumer registered with it.
ApiStatus authorize_consumer(const Call& call, const StreamInfo& stream,
                             const ConsumerInfo& consumer);

/// Operations that are about no stream that exists: CreateStream is about the one that it makes,
/// those of an account about everything. All others are let through, to be asked for by those
/// above. Errors: AccessDeniedException.
ApiStatus authorize_without_stream(const Call& call);

/// A stream that nobody owns is in the account of whoever asks.
bool is_owned_by(const StreamInfo& stream, std::string_view account, const Caller& caller);
/// Whose it is, for names and messages: the caller's when nobody's.
std::string_view owner_of(const Call& call, const StreamInfo& stream);

}  // namespace tidemill::kinesis
