#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "engine/aws/value.h"
#include "engine/base/bytes.h"
#include "engine/base/result.h"
#include "engine/base/time.h"

namespace tidemill::analytics {

/// An input, output, reference data source or logging option: as the request said it, under the id
/// that it was given.
struct Part {
    std::string id;
    aws::Value document;
    std::string start{};  ///< of an input: where it was last told to begin; empty: never
};

/// What is kept of an application. Its run is engine/query's.
struct AnalyticsApplication {
    std::string account, name, description, code;
    std::string role{};  ///< version 2: one role for all
    std::int64_t version = 1;
    WallTime created{}, updated{};  ///< whole seconds: clients send them back so
    std::vector<Part> inputs, outputs, references, logging;
    std::map<std::string, std::string> tags;

    /// Where a part stands in its list; null when it is not there.
    static Part* find(std::vector<Part>& parts, std::string_view id);
    /// An id that no part of this application has.
    std::string new_id() const;
};

/// The in-application streams of an input: PREFIX_001 and so on.
std::vector<std::string> stream_names(const aws::Value& input);

/// As kept on disk: a JSON document. Errors: Corrupt.
std::vector<std::byte> encode_application(const AnalyticsApplication& application);
Result<AnalyticsApplication> decode_application(Bytes bytes);

}  // namespace tidemill::analytics
