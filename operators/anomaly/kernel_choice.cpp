#include <array>

#include "operators/anomaly/forest_kernel.h"

namespace tidemill::anomaly {

extern const ForestKernel kPortableKernel;
#if defined(__x86_64__)
extern const ForestKernel kAvx2Kernel;
extern const ForestKernel kAvx512Kernel;
#endif

namespace {

struct Choice {
    std::array<const ForestKernel*, 3> kernels{&kPortableKernel};
    std::size_t count = 1;

    Choice() {
#if defined(__x86_64__)
        __builtin_cpu_init();
        if (__builtin_cpu_supports("avx2")) kernels[count++] = &kAvx2Kernel;
        if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
            __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
            kernels[count++] = &kAvx512Kernel;
#endif
    }
};

const Choice& choice() {
    static const Choice kChoice;
    return kChoice;
}

}  // namespace

std::span<const ForestKernel* const> available_kernels() {
    return {choice().kernels.data(), choice().count};
}

const ForestKernel& best_kernel() { return *choice().kernels[choice().count - 1]; }

}  // namespace tidemill::anomaly
