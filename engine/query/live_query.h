#pragma once

#include <string>
#include <vector>

#include "engine/query/application_definition.h"
#include "engine/query/query_limits.h"
#include "engine/query/query_reply.h"
#include "engine/reactor/reactor.h"
#include "engine/service/stream_service.h"
#include "proto/sql_generated.h"

namespace tidemill::query {

/// A question from a shell: SQL text over streams, and the in-application streams to look at.
struct LiveQueryRequest {
    std::string sql_text;
    std::vector<InputDefinition> inputs;
    std::vector<std::string> print;
    wire::SqlQueryMode mode = wire::SqlQueryMode::Rows;
    std::uint64_t seed = 42;
    bool is_kda_score = true;
};

/// Runs the query on this core until nobody wants its rows, and keeps nothing of it. Answers with
/// tables SqlQueryReply: first the streams or the SQL error with its place, then rows, or what the
/// operators do. Sources wait while the peer is slower than they are. Core: `reactor` is the
/// current one.
Task<void> run_live_query(StreamService& service, Reactor& reactor, const QueryLimits& limits,
                          LiveQueryRequest request, QueryReply& reply);

}  // namespace tidemill::query
