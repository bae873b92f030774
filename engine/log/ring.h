#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "engine/base/check.h"

namespace tidemill {

/// A queue in one growing block of memory; empty, it holds none. 24 bytes, so that ten thousand
/// idle shards have one each.
template <class T>
class Ring {
 public:
    bool is_empty() const { return count_ == 0; }
    std::size_t size() const { return count_; }
    T& operator[](std::size_t i) { return items_[(head_ + i) & (capacity_ - 1)]; }
    const T& operator[](std::size_t i) const { return items_[(head_ + i) & (capacity_ - 1)]; }
    const T& front() const { return (*this)[0]; }
    const T& back() const { return (*this)[count_ - 1]; }

    void push_back(const T& item) {
        if (count_ == capacity_) grow();
        ++count_;
        (*this)[count_ - 1] = item;
    }
    void pop_front() {
        TM_CHECK(count_ > 0);
        head_ = (head_ + 1) & (capacity_ - 1);
        if (--count_ == 0) clear();
    }
    void pop_back() {
        TM_CHECK(count_ > 0);
        if (--count_ == 0) clear();
    }
    void clear() {
        items_.reset();
        head_ = count_ = capacity_ = 0;
    }

 private:
    void grow() {
        const std::uint32_t capacity = capacity_ == 0 ? 4 : capacity_ * 2;
        auto items = std::make_unique<T[]>(capacity);
        for (std::size_t i = 0; i < count_; ++i)
            items[i] = (*this)[i];
        items_ = std::move(items);
        head_ = 0;
        capacity_ = capacity;
    }

    std::unique_ptr<T[]> items_;
    std::uint32_t head_ = 0, count_ = 0, capacity_ = 0;
};

}  // namespace tidemill
