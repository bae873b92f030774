#if defined(__x86_64__)

#include <algorithm>
#include <cmath>
#include <cstring>

#include "operators/anomaly/forest_kernel.h"
#include "operators/anomaly/tree_descent.h"

// No FMA: a fused product would differ in its last bit from the portable kernel.
#pragma clang attribute push(__attribute__((target("avx2,bmi,bmi2,popcnt"))), apply_to = function)
#include "operators/anomaly/kernel_body.h"
#pragma clang attribute pop

namespace tidemill::anomaly {

extern const ForestKernel kAvx2Kernel;
constinit const ForestKernel kAvx2Kernel{"avx2",     score_any,  share_any,
                                         insert_any, remove_any, rebuild_any};

}  // namespace tidemill::anomaly

#endif
