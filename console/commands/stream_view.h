#pragma once

#include <chrono>
#include <string>

#include "console/commands/output.h"
#include "producer/admin_client.h"

namespace tidemill::console {

long long millis(std::chrono::system_clock::time_point time);

/// A stream with its shards, where they come from and what they hold.
std::string stream_json(const client::StreamDescription& stream);
/// One line for people.
std::string encryption_text(const client::StreamEncryption& encryption);
void print_stream(const client::StreamDescription& stream, OutputFormat format);

}  // namespace tidemill::console
