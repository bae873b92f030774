#include "engine/io/sim_bytes.h"

#include <algorithm>

namespace tidemill {
namespace {

bool is_zero(Bytes bytes) {
    return std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0}; });
}

/// Calls `visit(page, offset in page, part of the range)` for each page of a range.
template <class Visit>
void for_each_page(std::uint64_t offset, std::uint64_t length, Visit visit) {
    std::uint64_t done = 0;
    while (done < length) {
        const std::uint64_t at = (offset + done) % SimBytes::kPage;
        const std::uint64_t part = std::min(length - done, SimBytes::kPage - at);
        visit((offset + done) / SimBytes::kPage, at, done, part);
        done += part;
    }
}

}  // namespace

SimBytes& SimBytes::operator=(const SimBytes& other) {
    if (this == &other) return *this;
    pages_.clear();
    for (const auto& [number, page] : other.pages_)
        pages_.emplace_hint(pages_.end(), number, page ? std::make_unique<Page>(*page) : nullptr);
    return *this;
}

void SimBytes::write(std::uint64_t offset, Bytes bytes) {
    for_each_page(offset, bytes.size(), [&](auto number, auto at, auto from, auto length) {
        const Bytes part = bytes.subspan(from, length);
        auto& page = pages_[number];
        if (!page) {
            if (is_zero(part)) return;
            page = std::make_unique<Page>();
        }
        std::ranges::copy(part, page->begin() + static_cast<std::ptrdiff_t>(at));
    });
}

void SimBytes::read(std::uint64_t offset, MutableBytes into) const {
    for_each_page(offset, into.size(), [&](auto number, auto at, auto from, auto length) {
        const MutableBytes part = into.subspan(from, length);
        const auto found = pages_.find(number);
        if (found == pages_.end() || !found->second) {
            std::ranges::fill(part, std::byte{0});
        } else {
            std::ranges::copy(Bytes(*found->second).subspan(at, length), part.begin());
        }
    });
}

void SimBytes::punch(std::uint64_t offset, std::uint64_t length) {
    for_each_page(offset, length, [&](auto number, auto at, auto, auto part) {
        const auto found = pages_.find(number);
        if (found == pages_.end()) return;
        if (part == kPage) {
            pages_.erase(found);
        } else if (found->second) {
            std::ranges::fill(MutableBytes(*found->second).subspan(at, part), std::byte{0});
        }
    });
}

void SimBytes::flip_bit(std::uint64_t offset, unsigned bit) {
    std::byte value{};
    read(offset, {&value, 1});
    value ^= std::byte{1} << bit;
    write(offset, {&value, 1});
}

std::uint64_t SimBytes::growth_of(std::uint64_t offset, std::uint64_t length) const {
    std::uint64_t pages = 0;
    for_each_page(offset, length, [&](auto number, auto, auto, auto) {
        if (!pages_.contains(number)) ++pages;
    });
    return pages * kPage;
}

void SimBytes::copy(const SimBytes& from, std::uint64_t offset, std::uint64_t length) {
    std::array<std::byte, kPage> bytes;
    for_each_page(offset, length, [&](auto number, auto at, auto, auto part) {
        const MutableBytes piece = MutableBytes(bytes).first(part);
        from.read(number * kPage + at, piece);
        write(number * kPage + at, piece);
    });
}

void SimBytes::truncate(std::uint64_t size) {
    if (pages_.empty()) return;
    const std::uint64_t end = (pages_.rbegin()->first + 1) * kPage;
    if (size >= end) return;
    punch(size, std::min(end, align_up(size, kPage)) - size);
    pages_.erase(pages_.lower_bound(align_up(size, kPage) / kPage), pages_.end());
}

}  // namespace tidemill
