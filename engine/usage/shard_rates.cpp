#include "engine/usage/shard_rates.h"

#include <cmath>

namespace tidemill {

void ShardRates::add(const ShardUsage& used, std::chrono::nanoseconds passed) {
    const double seconds = std::chrono::duration<double>(passed).count();
    if (seconds <= 0) return;
    const double kept = std::exp(-seconds / std::chrono::duration<double>(kMemory).count());
    const auto mix = [&](double& rate, std::uint64_t amount) {
        rate = rate * kept + static_cast<double>(amount) / seconds * (1 - kept);
    };
    mix(records_in, used.records_in);
    mix(bytes_in, used.bytes_in);
    mix(records_out, used.records_out);
    mix(bytes_out, used.bytes_out);
}

bool ShardRates::is_idle() const {
    constexpr double kNothing = 0.01;
    return records_in < kNothing && bytes_in < kNothing && records_out < kNothing &&
           bytes_out < kNothing;
}

}  // namespace tidemill
