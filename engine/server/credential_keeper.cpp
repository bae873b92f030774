#include "engine/server/credential_keeper.h"

#include "engine/reactor/call_on.h"
#include "engine/telemetry/log.h"

namespace tidemill {

Result<CredentialSet> CredentialKeeper::load(const std::filesystem::path& file) {
    file_ = file;
    if (file.empty()) return development_credentials();
    ASSIGN(CredentialsFile loaded, load_credentials(file));
    read_ = std::move(loaded.read);
    return std::move(loaded.keys);
}

void CredentialKeeper::reload(Reload what, aws::Authenticator& authenticator, Reactor& home) {
    if (file_.empty()) return;
    // As they look before they are read: what changes meanwhile is seen the next time.
    auto look = look_again(read_);
    if (what == Reload::WhatChanged && look == read_) return;
    const auto loaded = load_credentials(file_);
    read_ = loaded ? loaded->read : std::move(look);
    const bool is_good = loaded.has_value();
    const auto put = [&]() -> Task<void> {
        if (is_good) co_await authenticator.replace(loaded->keys);
        authenticator.count_load(is_good);
    };
    run_on(home, put);
    if (is_good)
        log::info("credentials_loaded", {{"file", file_.string()}, {"keys", loaded->keys.size()}});
    else
        log::error("credentials_not_loaded", {{"file", file_.string()},
                                              {"error", loaded.error()},
                                              {"meaning", "those read before stay in force"}});
}

}  // namespace tidemill
