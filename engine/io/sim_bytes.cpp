#include "engine/io/sim_bytes.h"

#include <algorithm>
#include <cstring>

namespace tidemill {
namespace {

bool is_zero(Bytes bytes) {
    return bytes.empty() || (bytes[0] == std::byte{0} &&
                             std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

/// Calls `visit(page, offset in page, offset in range, part's length)` for each page of a range.
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

SimBytes::Page* SimBytes::Place::zero_page() {
    static Page page{};
    return &page;
}

std::byte* SimBytes::Place::own() {
    if (!is_data() || page_->shares > 1) {
        auto* fresh = new Page;
        if (is_data()) {
            fresh->bytes = page_->bytes;
            --page_->shares;
        } else {
            fresh->bytes.fill(std::byte{0});
        }
        page_ = fresh;
    }
    return page_->bytes.data();
}

SimBytes::Place& SimBytes::place(std::uint64_t number) {
    if (number >= pages_.size()) pages_.resize(number + 1);
    auto& found = pages_[number];
    if (found.is_hole()) {
        found = Place::zeros();
        ++allocated_;
    }
    return found;
}

void SimBytes::set(std::uint64_t number, Place to) {
    if (number >= pages_.size()) {
        if (to.is_hole()) return;
        pages_.resize(number + 1);
    }
    allocated_ += to.is_hole() ? 0 : 1;
    allocated_ -= pages_[number].is_hole() ? 0 : 1;
    pages_[number] = std::move(to);
}

void SimBytes::write(std::uint64_t offset, Bytes bytes) {
    for_each_page(offset, bytes.size(), [&](auto number, auto at, auto from, auto length) {
        const Bytes part = bytes.subspan(from, length);
        auto& page = place(number);
        if (!page.is_data() && is_zero(part)) return;
        std::memcpy(page.own() + at, part.data(), part.size());
    });
}

void SimBytes::read(std::uint64_t offset, MutableBytes into) const {
    for_each_page(offset, into.size(), [&](auto number, auto at, auto from, auto length) {
        const MutableBytes part = into.subspan(from, length);
        if (number >= pages_.size() || !pages_[number].is_data())
            std::memset(part.data(), 0, part.size());
        else
            std::memcpy(part.data(), pages_[number].bytes() + at, part.size());
    });
}

void SimBytes::punch(std::uint64_t offset, std::uint64_t length) {
    for_each_page(offset, length, [&](auto number, auto at, auto, auto part) {
        if (number >= pages_.size() || pages_[number].is_hole()) return;
        if (part == kPage)
            set(number, {});
        else if (pages_[number].is_data())
            std::memset(pages_[number].own() + at, 0, part);
    });
}

void SimBytes::flip_bit(std::uint64_t offset, unsigned bit) {
    place(offset / kPage).own()[offset % kPage] ^= std::byte{1} << bit;
}

std::uint64_t SimBytes::growth_of(std::uint64_t offset, std::uint64_t length) const {
    std::uint64_t pages = 0;
    for_each_page(offset, length, [&](auto number, auto, auto, auto) {
        if (number >= pages_.size() || pages_[number].is_hole()) ++pages;
    });
    return pages * kPage;
}

void SimBytes::copy(const SimBytes& from, std::uint64_t offset, std::uint64_t length) {
    for_each_page(offset, length, [&](auto number, auto at, auto, auto part) {
        const bool is_there = number < from.pages_.size();
        if (part == kPage) {
            // What was a hole there is written here: the range was.
            set(number,
                is_there && from.pages_[number].is_data() ? from.pages_[number] : Place::zeros());
        } else if (is_there && from.pages_[number].is_data()) {
            std::memcpy(place(number).own() + at, from.pages_[number].bytes() + at, part);
        } else if (auto& page = place(number); page.is_data()) {
            std::memset(page.own() + at, 0, part);
        }
    });
}

void SimBytes::truncate(std::uint64_t size) {
    const std::uint64_t kept = align_up(size, kPage) / kPage;
    if (size % kPage != 0) punch(size, kPage - size % kPage);
    while (pages_.size() > kept) {
        allocated_ -= pages_.back().is_hole() ? 0 : 1;
        pages_.pop_back();
    }
}

}  // namespace tidemill
