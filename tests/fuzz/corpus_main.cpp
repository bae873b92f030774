// Runs a fuzz target over every file of a corpus folder, and over damaged copies of each: a flipped
// bit and a cut at positions drawn from a fixed seed.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "engine/base/random.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int main(int argc, char** argv) {
    std::size_t files = 0, runs = 0;
    for (int i = 1; i < argc; ++i) {
        if (!std::filesystem::is_directory(argv[i])) continue;
        for (const auto& entry : std::filesystem::directory_iterator(argv[i])) {
            std::ifstream in(entry.path(), std::ios::binary);
            const std::vector<std::uint8_t> bytes(std::istreambuf_iterator<char>(in), {});
            LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
            tidemill::Random random(bytes.size());
            for (int k = 0; k < 500 && !bytes.empty(); ++k) {
                auto damaged = bytes;
                damaged[random.below(damaged.size())] ^=
                    static_cast<std::uint8_t>(1u << random.below(8));
                if (random.chance(0.3)) damaged.resize(random.below(damaged.size() + 1));
                LLVMFuzzerTestOneInput(damaged.data(), damaged.size());
                ++runs;
            }
            ++files;
        }
    }
    std::printf("%zu corpus files, %zu damaged copies: no crash\n", files, runs);
    return files > 0 ? 0 : 1;
}
