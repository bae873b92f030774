#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>

namespace tidemill::anomaly {

/// A fixed array on a cache line boundary whose elements start unset: memory that is never written
/// is never touched, so a forest that has seen little costs little.
template <class T>
class AlignedArray {
    static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

 public:
    AlignedArray() = default;
    explicit AlignedArray(std::size_t size)
        : data_(static_cast<T*>(::operator new(size * sizeof(T), kAlignment))), size_(size) {}

    T* data() { return data_.get(); }
    const T* data() const { return data_.get(); }
    std::size_t size() const { return size_; }
    T& operator[](std::size_t i) { return data_.get()[i]; }
    const T& operator[](std::size_t i) const { return data_.get()[i]; }

 private:
    static constexpr std::align_val_t kAlignment{64};
    struct Release {
        void operator()(T* pointer) const { ::operator delete(pointer, kAlignment); }
    };
    std::unique_ptr<T, Release> data_;
    std::size_t size_ = 0;
};

}  // namespace tidemill::anomaly
