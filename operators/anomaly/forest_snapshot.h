#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/base/result.h"
#include "operators/anomaly/forest_state.h"

namespace tidemill::anomaly {

/// The bytes of a forest and back; the format is docs/formats/forest_snapshot.md.
/// Errors: Errc::Corrupt for bytes that are not exactly what `write` made; Errc::Unsupported for a
/// later version.
class ForestSnapshot {
 public:
    static std::vector<std::byte> write(const RandomCutForest& forest);
    static Result<RandomCutForest> read(Bytes bytes);

 private:
    class Writer;
    class Reader;
};

}  // namespace tidemill::anomaly
