#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/bytes.h"

namespace tidemill {

/// Bytes from the operating system's generator, for secrets.
std::vector<std::byte> random_secret(std::size_t bytes);

/// Hands small facts to clients and knows them again: shard iterators, pagination tokens. The text
/// is base64 of the facts and 16 bytes of HMAC-SHA256 over a purpose and the facts, so it can be
/// read by anyone but made only here. Core: one; make one a core from the same secret.
class TokenSealer {
 public:
    explicit TokenSealer(Bytes secret);
    TokenSealer(TokenSealer&&) noexcept;
    TokenSealer& operator=(TokenSealer&&) noexcept;
    ~TokenSealer();

    /// `purpose` keeps a token of one kind from passing as another.
    std::string seal(std::string_view purpose, Bytes facts) const;
    /// The facts; nothing when the text was not made by `seal` with this secret and purpose.
    std::optional<std::vector<std::byte>> open(std::string_view purpose,
                                               std::string_view text) const;

 private:
    static constexpr std::size_t kTagBytes = 16;
    std::array<std::byte, kTagBytes> tag(std::string_view purpose, Bytes facts) const;

    struct Keyed;
    std::unique_ptr<Keyed> keyed_;
};

}  // namespace tidemill
