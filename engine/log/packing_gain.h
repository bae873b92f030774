#pragma once

#include "engine/log/segment_store.h"

namespace tidemill {

/// About how many bytes a sealed segment would lose by packing (docs/formats/record_batch.md,
/// "Packed batches"), told from its seal and its table of ends alone: what stands between and
/// before its batches, less what the packed ones will need. Low rather than high; 0 for a segment
/// that has been packed or is damaged. Batches that are compressed or encrypted count as others.
std::uint64_t packing_gain(const Segment& segment, const SegmentFooter& footer);

}  // namespace tidemill
