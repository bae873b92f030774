#pragma once

#include <optional>
#include <string_view>

#include "engine/aws/value.h"

namespace tidemill::aws {

constexpr int kDocumentDepth = 32;

/// Parses a whole JSON document; nothing when it is none, is not UTF-8, nests deeper than `depth`
/// levels or has more than kDocumentValuesMax values. Pure. Limits: at most 64 bytes behind `json`
/// are not touched; it may be a body with padding or without.
std::optional<Value> parse_json(std::string_view json, int depth = kDocumentDepth);

}  // namespace tidemill::aws
