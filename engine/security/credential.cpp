#include "engine/security/credential.h"

namespace tidemill {

bool CredentialSet::add(Credential credential) {
    std::string key = credential.access_key;
    return by_key_.try_emplace(std::move(key), std::move(credential)).second;
}

const Credential* CredentialSet::find(std::string_view access_key) const {
    const auto found = by_key_.find(access_key);
    return found == by_key_.end() ? nullptr : &found->second;
}

CredentialSet CredentialSet::copy() const {
    CredentialSet copy;
    std::unordered_map<const Identity*, IdentityPtr> identities;
    for (const auto& [key, credential] : by_key_) {
        Credential mine = credential;
        IdentityPtr& identity = identities[credential.identity.get()];
        if (identity == nullptr) identity = std::make_shared<const Identity>(*credential.identity);
        mine.identity = identity;
        copy.add(std::move(mine));
    }
    return copy;
}

CredentialSet development_credentials() {
    CredentialSet set;
    auto identity = std::make_shared<const Identity>(
        Identity{std::string(kNoAccount), "arn:aws:iam::000000000000:root"});
    set.add(
        {std::string(kDevelopmentAccessKey), std::string(kDevelopmentSecret), {}, {}, identity});
    return set;
}

}  // namespace tidemill
