#include "operators/nexmark/event_texts.h"

#include <cmath>

#include <fmt/format.h>

namespace tidemill::nexmark {

namespace {

char letter(Draw& draw) { return static_cast<char>('a' + draw.below(26)); }

// 3 or 4 letters, one in 13 an underscore.
std::string directory(Draw& draw) {
    std::string text;
    for (auto length = 3 + draw.below(2); length > 0; --length)
        text += draw.below(13) == 0 ? '_' : letter(draw);
    return text;
}

std::string address(Draw& draw) {
    const auto first = directory(draw), second = directory(draw), third = directory(draw);
    return fmt::format("https://www.nexmark.com/{}/{}/{}/item.htm?query=1", first, second, third);
}

// The number of a channel with its 32 bits in reverse order, as a positive number.
std::int64_t channel_id(std::uint32_t number) {
    std::uint32_t reversed = 0;
    for (int bit = 0; bit < 32; ++bit)
        reversed = reversed << 1 | (number >> bit & 1);
    return std::abs(static_cast<std::int64_t>(static_cast<std::int32_t>(reversed)));
}

}  // namespace

EventTexts::EventTexts(std::uint64_t seed) {
    Draw draw(seed ^ 0x6e65786d61726b);
    for (std::size_t i = 0; i < kLetters + kLongestText; ++i) {
        letters_ += letter(draw);
        words_ += draw.below(13) == 0 ? ' ' : letter(draw);
    }
    for (const auto* name : {"Google", "Facebook", "Baidu", "Apple"})
        channels_.push_back({name, address(draw)});
    for (std::uint32_t i = 0; i < kChannels; ++i) {
        channels_.push_back({fmt::format("channel-{}", i), address(draw)});
        if (draw.below(10) > 0)
            channels_.back().url += fmt::format("&channel_id={}", channel_id(i));
    }
    for (std::size_t i = 0; i < coarse_.size(); ++i) {
        coarse_[i] = 100 * std::pow(10.0, 6.0 * static_cast<double>(i) / 1024);
        fine_[i] = std::exp(kLogStep * static_cast<double>(i));
    }
}

}  // namespace tidemill::nexmark
