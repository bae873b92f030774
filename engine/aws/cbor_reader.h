#pragma once

#include <cstdint>
#include <string_view>

namespace tidemill::aws {

/// Reads the parts of CBOR items off bytes that others sent: an item's first bytes, then as many of
/// its payload as are there. Source: RFC 8949, section 3.
/// Errors: a function that returns false has read something that is no CBOR, or the end; the reader
/// is of no further use then.
class CborReader {
 public:
    enum Major : std::uint8_t { kUnsigned, kNegative, kBytes, kText, kArray, kMap, kTag, kSimple };
    struct Head {
        Major major = kSimple;
        std::uint8_t info = 0;  ///< the low five bits; of kSimple: which value or float it is
        std::uint64_t argument = 0;
        bool is_indefinite = false;  ///< of kBytes, kText, kArray, kMap
        bool is_break() const { return major == kSimple && info == 31; }
    };

    explicit CborReader(std::string_view bytes) : left_(bytes) {}

    std::size_t left() const { return left_.size(); }
    bool head(Head& to);
    /// The next `length` bytes, viewed where they are.
    bool take(std::uint64_t length, std::string_view& to);
    /// Steps over a break when one is next; false, and nothing read, otherwise.
    bool skip_break();

 private:
    std::string_view left_;
};

/// What a head with one of the three float forms (info 25, 26, 27) holds.
double cbor_float(const CborReader::Head& head);

}  // namespace tidemill::aws
