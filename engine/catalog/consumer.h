#pragma once

#include <map>
#include <string>

#include "engine/base/time.h"

namespace tidemill {

/// A consumer registered with a stream, which is pushed records of its own (enhanced fan-out).
/// It is active as soon as it is in the catalog.
struct ConsumerInfo {
    std::string name;
    /// Whole seconds; with the name it says which consumer is meant, as in ARNs: no two consumers
    /// of a stream ever have both the same.
    WallTime created{};
    std::map<std::string, std::string> tags;
    std::string policy;  ///< who else may use it, in AWS's JSON; empty: none
};

}  // namespace tidemill
