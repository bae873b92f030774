#include "engine/service/stream_ciphers.h"

#include <algorithm>

#include <fmt/format.h>

namespace tidemill {

std::string key_context(const StreamInfo& stream, std::uint16_t key_id) {
    return fmt::format("stream key{}{}{}{}", '\0', stream.name, '\0', key_id);
}

StreamCipher::StreamCipher(const KeyRing& ring, const StreamInfo& stream)
    : ring_(ring), uid_(stream.uid), name_(stream.name), encryption_(stream.encryption) {}

void StreamCipher::configure(const StreamInfo& stream) {
    if (stream.encryption.current != encryption_.current) {
        sealer_.reset();
        sealed_bytes_ = 0;
    }
    encryption_ = stream.encryption;
}

void StreamCipher::forget() {
    is_gone_ = true;
    encryption_ = {};
    sealer_.reset();
    unsealers_.clear();
}

Result<Secret> StreamCipher::unwrapped(std::uint16_t key_id) const {
    if (is_gone_) return fail(Errc::NotFound, fmt::format("Stream {} not found.", name_));
    const StreamKey* key = encryption_.find(key_id);
    if (key == nullptr)
        return fail(Errc::NotFound, fmt::format("stream {} has no data key {}", name_, key_id));
    StreamInfo named;
    named.name = name_;
    return ring_.unwrap({key->master, key->wrapped}, key_context(named, key_id));
}

Result<BatchSealer*> StreamCipher::sealer() {
    if (sealer_ == nullptr) {
        ASSIGN(const Secret key, unwrapped(encryption_.current));
        sealer_ = std::make_unique<BatchSealer>(encryption_.current, key);
    }
    return sealer_.get();
}

Result<BatchUnsealer*> StreamCipher::unsealer(std::uint16_t key_id) {
    if (const auto found = unsealers_.find(key_id); found != unsealers_.end())
        return &found->second;
    ASSIGN(const Secret key, unwrapped(key_id));
    return &unsealers_.try_emplace(key_id, key).first->second;
}

StreamCipher& StreamCiphers::of_stream(const StreamInfo& stream) {
    auto& cipher = streams_[stream.uid];
    if (cipher == nullptr) cipher = std::make_unique<StreamCipher>(ring_, stream);
    return *cipher;
}

Result<StreamCipher*> StreamCiphers::of_shard(ShardUid shard, const CatalogView& view) {
    if (const auto found = shards_.find(shard); found != shards_.end()) return found->second;
    // Once a shard: all shards of its stream are noted with it.
    for (const auto& [name, stream] : view.streams) {
        if (std::ranges::find(stream->shards, shard, &ShardInfo::uid) == stream->shards.end())
            continue;
        StreamCipher& cipher = of_stream(*stream);
        for (const auto& other : stream->shards)
            shards_[other.uid] = &cipher;
        return &cipher;
    }
    return fail(Errc::NotFound, fmt::format("shard {} does not exist", shard));
}

void StreamCiphers::configure(const StreamInfo& stream) { of_stream(stream).configure(stream); }

void StreamCiphers::forget(StreamUid stream) {
    const auto found = streams_.find(stream);
    if (found != streams_.end()) found->second->forget();
}

}  // namespace tidemill
