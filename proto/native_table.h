#pragma once

#include <memory>
#include <string>

#include <flatbuffers/flatbuffers.h>

#include "engine/base/bytes.h"
#include "engine/base/result.h"
#include "proto/native_generated.h"

namespace tidemill::wire {

/// Bytes of a table message, aligned as FlatBuffers wants them: a frame may lie at any address in a
/// socket's buffer.
class TableBytes {
 public:
    TableBytes() = default;
    explicit TableBytes(Bytes envelope) : size_(envelope.size()) {
        words_ = std::make_unique_for_overwrite<std::uint64_t[]>(align_up(size_, 8) / 8 + 1);
        if (size_ != 0) std::memcpy(words_.get(), envelope.data(), size_);
    }
    Bytes bytes() const { return {reinterpret_cast<const std::byte*>(words_.get()), size_}; }

    /// The message, verified. Ownership: a view of this object. Errors: Corrupt.
    template <class T>
    Result<const T*> read() const {
        flatbuffers::Verifier verifier(reinterpret_cast<const std::uint8_t*>(words_.get()), size_);
        if (size_ < 8 || !verifier.VerifyBuffer<T>(nullptr))
            return fail(Errc::Corrupt, "a message is not what its kind says");
        return flatbuffers::GetRoot<T>(words_.get());
    }

 private:
    std::unique_ptr<std::uint64_t[]> words_;
    std::size_t size_ = 0;
};

/// An absent string is an empty one.
inline std::string text_of(const flatbuffers::String* text) {
    return text == nullptr ? "" : text->str();
}

inline Bytes finished_bytes(const flatbuffers::FlatBufferBuilder& builder) {
    return {reinterpret_cast<const std::byte*>(builder.GetBufferPointer()), builder.GetSize()};
}

}  // namespace tidemill::wire
