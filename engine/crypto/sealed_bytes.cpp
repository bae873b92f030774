#include "engine/crypto/sealed_bytes.h"

#include <algorithm>

#include "engine/base/check.h"

namespace tidemill {
namespace {

GcmNonce nonce_of(std::uint64_t counter) {
    GcmNonce nonce{};
    store_le(nonce.data() + 4, counter);
    return nonce;
}

}  // namespace

Sealer::Sealer(const Secret& key, std::string purpose, std::uint64_t seals_per_salt)
    : key_(key.copy()),
      purpose_(std::move(purpose)),
      seals_per_salt_(seals_per_salt),
      encryptor_(key_) {
    draw_salt();
}

void Sealer::draw_salt() {
    fill_random(salt_);
    counter_ = 0;
    encryptor_ = GcmEncryptor(derive_key(key_, salt_, purpose_));
}

void Sealer::seal(Bytes associated, Bytes first, Bytes second, std::byte* to) {
    if (counter_ == seals_per_salt_) draw_salt();
    std::ranges::copy(salt_, to);
    store_le(to + salt_.size(), counter_);
    encryptor_.encrypt(nonce_of(counter_), associated, first, second, to + kSealHeadBytes);
    ++counter_;
}

Unsealer::Unsealer(const Secret& key, std::string purpose)
    : key_(key.copy()), purpose_(std::move(purpose)) {}

GcmDecryptor& Unsealer::decryptor_for(const SealSalt& salt) {
    ++uses_;
    const auto found = std::ranges::find(kept_, salt, &Derived::salt);
    if (found != kept_.end()) {
        found->used = uses_;
        return found->decryptor;
    }
    Derived derived{salt, uses_, GcmDecryptor(derive_key(key_, salt, purpose_))};
    if (kept_.size() < kSaltsKept) return kept_.emplace_back(std::move(derived)).decryptor;
    auto& oldest = *std::ranges::min_element(kept_, {}, &Derived::used);
    oldest = std::move(derived);
    return oldest.decryptor;
}

bool Unsealer::unseal(Bytes associated, Bytes sealed, MutableBytes first, MutableBytes second) {
    TM_CHECK(sealed.size() == first.size() + second.size() + kSealBytes);
    SealSalt salt;
    std::ranges::copy(sealed.first(sizeof salt), salt.begin());
    const auto counter = load_le<std::uint64_t>(sealed.data() + sizeof salt);
    return decryptor_for(salt).decrypt(nonce_of(counter), associated,
                                       sealed.subspan(kSealHeadBytes), first, second);
}

}  // namespace tidemill
