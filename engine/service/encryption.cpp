// LocalStreamService: encryption turned on and off, keys made, replaced and told to the cores.
#include <fmt/format.h>

#include "engine/reactor/call_on.h"
#include "engine/service/local_stream_service.h"
#include "engine/service/sealing_writer.h"
#include "engine/service/stored_keys.h"
#include "engine/telemetry/log.h"

namespace tidemill {
namespace {

constexpr std::uint16_t kKeyIdMax = UINT16_MAX;
/// The catalog learns of what was sealed in steps of this part of the bound.
constexpr std::uint64_t kSavedSteps = 64;

}  // namespace

Task<Status> LocalStreamService::open_keys() {
    if (encryption_.is_default && encryption_.keys == nullptr)
        co_return fail(Errc::InvalidArgument,
                       "streams cannot be encrypted by default without a master key");
    CO_ASSIGN(auto found, co_await open_stored_keys(store_, encryption_.keys.get()));
    if (encryption_.keys == nullptr) co_return Status{};
    for (Core& core : cores_) {
        core.ciphers = std::make_unique<StreamCiphers>(*encryption_.keys);
        core.blobs = std::make_unique<BlobCipher>(*found.store_key);
    }
    log::info("encryption_is_on", {{"master_key", encryption_.keys->fingerprint()},
                                   {"keys_rewrapped", found.rewrapped},
                                   {"blobs_sealed", found.sealed_blobs}});
    co_return Status{};
}

/// Makes `stream` encrypted under a new key, not yet durable.
Status LocalStreamService::add_data_key(StreamInfo& stream) const {
    if (encryption_.keys == nullptr)
        return fail(Errc::Unsupported,
                    "This broker has no master key, so streams cannot be encrypted: set "
                    "encryption.master_key_file or master_key_command.");
    auto& keys = stream.encryption.keys;
    std::uint16_t last = 0;
    for (const auto& key : keys)
        last = std::max(last, key.id);
    if (last == kKeyIdMax)
        return fail(Errc::LimitExceeded,
                    fmt::format("Stream {} has had {} data keys, the limit.", stream.name, last));
    StreamKey key;
    key.id = static_cast<std::uint16_t>(last + 1);
    key.created = Reactor::current().clock().wall_now();
    WrappedKey made = encryption_.keys->make_key(key_context(stream, key.id));
    key.master = std::move(made.master);
    key.wrapped = std::move(made.bytes);
    stream.encryption.current = key.id;
    keys.push_back(std::move(key));
    return {};
}

Task<Result<StreamPtr>> LocalStreamService::change_encryption(std::string name,
                                                              Catalog::Edit edit) {
    auto tell = [this](StreamPtr changed) { return tell_ciphers(std::move(changed)); };
    co_return co_await catalog_.change(std::move(name), std::move(edit), std::move(tell));
}

Task<Status> LocalStreamService::tell_ciphers(StreamPtr stream) {
    for (Reactor* reactor : reactors_) {
        auto configure = [core = &cores_[reactor->id().value], stream]() -> Task<void> {
            if (core->ciphers != nullptr) core->ciphers->configure(*stream);
            co_return;
        };
        co_await call_on(*reactor, std::move(configure));
    }
    co_return Status{};
}

Task<Status> LocalStreamService::forget_ciphers(StreamUid stream) {
    if (encryption_.keys == nullptr) co_return Status{};
    for (Reactor* reactor : reactors_) {
        auto forget = [core = &cores_[reactor->id().value], stream]() -> Task<void> {
            core->ciphers->forget(stream);
            co_return;
        };
        co_await call_on(*reactor, std::move(forget));
    }
    co_return Status{};
}

Task<Result<StreamPtr>> LocalStreamService::start_encryption(std::string name,
                                                             std::string key_name) {
    auto edit = [this, key_name = std::move(key_name)](StreamInfo& stream,
                                                       Catalog::UidSource&) -> Status {
        if (encryption_.keys == nullptr || !stream.encryption.is_on() ||
            stream.encryption.key_name != key_name)
            TRY(add_data_key(stream));
        stream.encryption.key_name = key_name;
        return count_change(DailyChange::StartEncryption, stream);
    };
    co_return co_await change_encryption(std::move(name), std::move(edit));
}

Task<Result<StreamPtr>> LocalStreamService::stop_encryption(std::string name) {
    auto edit = [this](StreamInfo& stream, Catalog::UidSource&) -> Status {
        stream.encryption.current = 0;
        return count_change(DailyChange::StopEncryption, stream);
    };
    co_return co_await change_encryption(std::move(name), std::move(edit));
}

Task<Result<StreamPtr>> LocalStreamService::rotate_data_key(std::string name) {
    auto edit = [this](StreamInfo& stream, Catalog::UidSource&) -> Status {
        if (!stream.encryption.is_on())
            return fail(Errc::ResourceInUse,
                        fmt::format("Stream {} is not encrypted: there is no key to replace.",
                                    stream.name));
        return add_data_key(stream);
    };
    co_return co_await change_encryption(std::move(name), std::move(edit));
}

EncryptionStats LocalStreamService::encryption_stats() {
    const Core& core = this_core();
    return core.ciphers == nullptr ? EncryptionStats{} : core.ciphers->stats;
}

Task<Result<ReadResult>> LocalStreamService::read_unsealed(ShardUid shard, Ordinal from,
                                                           ReadLimits limits) {
    CO_ASSIGN(ReadResult read, co_await log_.read(shard, from, limits));
    if (has_sealed_batches(read)) {
        StreamCiphers& ciphers = *this_core().ciphers;
        CO_ASSIGN(StreamCipher* const cipher, ciphers.of_shard(shard, *catalog_.view()));
        CO_TRY(unseal_batches(read, shard, *cipher, ciphers.stats));
    }
    co_return read;
}

/// Replaces data keys that are old, or have sealed much, for as long as the service runs.
Task<void> LocalStreamService::replace_used_keys() {
    Reactor& home = *reactors_.front();
    while (co_await gate_.sleep_until(home.clock().mono_now() + kKeyCheckEvery)) {
        co_await collect_sealed_bytes();
        const auto view = catalog_.view();
        for (const auto& [name, stream] : view->streams) {
            if (!stream->encryption.is_on()) continue;
            co_await replace_if_used(stream);
            if (gate_.is_closed()) break;
        }
    }
    co_await collect_sealed_bytes();
    const auto view = catalog_.view();
    for (const auto& [name, stream] : view->streams) {
        const auto found = sealed_bytes_.find(stream->uid);
        if (found == sealed_bytes_.end() || encryption_.data_key_bytes == 0) continue;
        if (found->second >= encryption_.data_key_bytes / kSavedSteps / kSavedSteps)
            co_await save_sealed_bytes(stream);
    }
}

Task<void> LocalStreamService::collect_sealed_bytes() {
    using Counts = std::vector<std::pair<StreamUid, std::uint64_t>>;
    for (Reactor* reactor : reactors_) {
        auto take = [core = &cores_[reactor->id().value]]() -> Task<Counts> {
            Counts counts;
            for (const auto& [uid, cipher] : core->ciphers->all())
                if (const auto bytes = cipher->take_sealed_bytes(); bytes > 0)
                    counts.emplace_back(uid, bytes);
            co_return counts;
        };
        for (const auto& [uid, bytes] : co_await call_on(*reactor, std::move(take)))
            sealed_bytes_[uid] += bytes;
    }
}

Task<void> LocalStreamService::replace_if_used(StreamPtr stream) {
    const StreamKey& key = *stream->encryption.find(stream->encryption.current);
    const std::uint64_t unsaved = sealed_bytes_[stream->uid];
    const std::uint64_t bound = encryption_.data_key_bytes;
    const auto age = Reactor::current().clock().wall_now() - key.created;
    const bool is_old = encryption_.data_key_age.count() > 0 && age >= encryption_.data_key_age;
    const bool is_worn = bound > 0 && key.sealed_bytes + unsaved >= bound;
    if (!is_old && !is_worn) {
        if (bound > 0 && unsaved > bound / kSavedSteps) co_await save_sealed_bytes(stream);
        co_return;
    }
    const std::uint16_t before = key.id;
    auto edit = [this, before](StreamInfo& now, Catalog::UidSource&) -> Status {
        return now.encryption.current == before ? add_data_key(now) : Status{};
    };
    const auto changed = co_await change_encryption(stream->name, std::move(edit));
    if (!changed) {
        log::warn("data_key_not_replaced",
                  {{"stream", stream->name}, {"why", changed.error().to_string()}});
        co_return;
    }
    sealed_bytes_.erase(stream->uid);
    log::info("data_key_replaced", {{"stream", stream->name},
                                    {"key", (*changed)->encryption.current},
                                    {"reason", is_old ? "age" : "bytes"}});
}

Task<void> LocalStreamService::save_sealed_bytes(StreamPtr stream) {
    const std::uint64_t bytes = sealed_bytes_[stream->uid];
    auto edit = [bytes, id = stream->encryption.current](StreamInfo& now,
                                                         Catalog::UidSource&) -> Status {
        for (auto& key : now.encryption.keys)
            if (key.id == id) key.sealed_bytes += bytes;
        return {};
    };
    if (co_await catalog_.change(stream->name, std::move(edit), nullptr))
        sealed_bytes_.erase(stream->uid);
}

}  // namespace tidemill
