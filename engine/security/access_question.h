#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/time.h"
#include "engine/security/credential.h"

namespace tidemill {

/// May this identity do this with that? Ownership: views; lives for one decision.
struct AccessQuestion {
    const Identity& identity;
    std::string_view action;    ///< "kinesis:PutRecord"
    std::string_view resource;  ///< its ARN; "*" when the action is about none
    std::string_view resource_account;
    const std::map<std::string, std::string>* resource_tags = nullptr;
    std::string_view region{};
    std::string_view source_ip{};   ///< empty: not known
    std::string_view user_agent{};  ///< empty: none
    bool is_secure = false;         ///< over TLS
    WallTime now{};
};

/// What the condition key stands for here, in any case of its letters; nothing when it has no
/// value. Keys: docs/security.md.
std::optional<std::string> context_value(const AccessQuestion& question, std::string_view key);

}  // namespace tidemill
