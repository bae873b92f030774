#include "engine/crypto/key_ring.h"

#include <fmt/format.h>

namespace tidemill {

const MasterKey* KeyRing::find(std::string_view fingerprint) const {
    if (fingerprint == current_.fingerprint()) return &current_;
    if (previous_ && fingerprint == previous_->fingerprint()) return &*previous_;
    return nullptr;
}

WrappedKey KeyRing::make_key(std::string_view context) const {
    return {fingerprint(), current_.wrap(Secret::random(), context)};
}

Result<Secret> KeyRing::unwrap(const WrappedKey& key, std::string_view context) const {
    const MasterKey* master = find(key.master);
    if (master == nullptr)
        return fail(Errc::NotFound,
                    fmt::format("master key {} is needed, and is not there", key.master));
    return master->unwrap(key.bytes, context);
}

Result<WrappedKey> KeyRing::rewrap(const WrappedKey& key, std::string_view context) const {
    ASSIGN(const Secret secret, unwrap(key, context));
    return WrappedKey{fingerprint(), current_.wrap(secret, context)};
}

}  // namespace tidemill
