#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/aws/document_writer.h"
#include "engine/aws/value.h"

namespace tidemill::kinesis {

using namespace aws;

/// The member Tags of a checked request; empty when absent.
std::map<std::string, std::string> tags_of(const Value& input);
/// The member TagKeys of a checked request.
std::vector<std::string> tag_keys_of(const Value& input);

inline void write_tag(DocumentWriter& out, const std::pair<const std::string, std::string>& tag) {
    out.begin_object().member("Key", tag.first).member("Value", tag.second).end_object();
}

}  // namespace tidemill::kinesis
