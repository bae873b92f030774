#include "operators/anomaly/kernel_body.h"

namespace tidemill::anomaly {

extern const ForestKernel kPortableKernel;
constinit const ForestKernel kPortableKernel{"portable", score_any,  share_any,
                                             insert_any, remove_any, rebuild_any};

}  // namespace tidemill::anomaly
