#pragma once

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "engine/base/bytes.h"

namespace tidemill {

/// What a device writes whole, or not at all.
constexpr std::size_t kSimSector = 512;

/// A sparse run of bytes: the content of a simulated file. What was never written reads as zeros.
/// Zeros that were written take up space in `allocated_bytes`, but no memory. Copies share their
/// pages until one of them changes: a copy costs a pointer a page. Core: one thread.
class SimBytes {
 public:
    static constexpr std::size_t kPage = 4096;

    void write(std::uint64_t offset, Bytes bytes);
    void read(std::uint64_t offset, MutableBytes into) const;
    /// Forgets whole pages inside the range and zeroes the rest of it.
    void punch(std::uint64_t offset, std::uint64_t length);
    void flip_bit(std::uint64_t offset, unsigned bit);
    std::uint64_t allocated_bytes() const { return allocated_ * kPage; }
    /// How many more bytes a write of this range would allocate.
    std::uint64_t growth_of(std::uint64_t offset, std::uint64_t length) const;
    /// Makes the range equal to `from`'s.
    void copy(const SimBytes& from, std::uint64_t offset, std::uint64_t length);
    /// Forgets everything from `size` on.
    void truncate(std::uint64_t size);

 private:
    struct Page {
        std::uint32_t shares = 1;
        std::array<std::byte, kPage> bytes;
    };
    /// One page's place: a hole, zeros that were written, or bytes.
    class Place {
     public:
        Place() = default;
        Place(const Place& other) : page_(other.page_) {
            if (is_data()) ++page_->shares;
        }
        Place(Place&& other) noexcept : page_(std::exchange(other.page_, nullptr)) {}
        Place& operator=(Place other) noexcept {
            std::swap(page_, other.page_);
            return *this;
        }
        ~Place() {
            if (is_data() && --page_->shares == 0) delete page_;
        }
        static Place zeros() {
            Place place;
            place.page_ = zero_page();
            return place;
        }
        bool is_hole() const { return page_ == nullptr; }
        bool is_data() const { return page_ != nullptr && page_ != zero_page(); }
        const std::byte* bytes() const { return page_->bytes.data(); }
        /// Bytes that nobody shares.
        std::byte* own();

     private:
        static Page* zero_page();
        Page* page_ = nullptr;
    };
    Place& place(std::uint64_t number);
    void set(std::uint64_t number, Place to);

    std::vector<Place> pages_;
    std::uint64_t allocated_ = 0;  // places that are no holes
};

}  // namespace tidemill
