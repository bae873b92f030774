#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/catalog/stream.h"
#include "engine/crypto/batch_cipher.h"
#include "engine/crypto/key_ring.h"

namespace tidemill {

/// What the wrapped form of a data key is bound to.
std::string key_context(const StreamInfo& stream, std::uint16_t key_id);

/// One stream's keys on one core. Keys are unwrapped when they are first needed.
/// Ownership: the ring outlives it. Core: one.
class StreamCipher {
 public:
    StreamCipher(const KeyRing& ring, const StreamInfo& stream);

    /// Takes over what the catalog says by now.
    void configure(const StreamInfo& stream);
    /// The stream is gone: its keys too.
    void forget();

    bool is_plain() const { return !is_gone_ && encryption_.current == 0; }
    /// For new batches; not to be asked for when `is_plain`. Errors: NotFound (the stream is gone,
    /// or its master key), Corrupt.
    Result<BatchSealer*> sealer();
    /// Errors: likewise; NotFound also for a key that the stream does not have.
    Result<BatchUnsealer*> unsealer(std::uint16_t key_id);

    void count_sealed(std::size_t bytes) { sealed_bytes_ += bytes; }
    /// Bytes sealed under the current key since the last call.
    std::uint64_t take_sealed_bytes() { return std::exchange(sealed_bytes_, 0); }
    StreamUid stream() const { return uid_; }

 private:
    Result<Secret> unwrapped(std::uint16_t key_id) const;

    const KeyRing& ring_;
    StreamUid uid_;
    std::string name_;
    StreamEncryption encryption_;
    bool is_gone_ = false;
    std::unique_ptr<BatchSealer> sealer_;  // of the current key, once used
    std::unordered_map<std::uint16_t, BatchUnsealer> unsealers_;
    std::uint64_t sealed_bytes_ = 0;
};

struct EncryptionStats {
    std::uint64_t sealed_batches = 0, sealed_bytes = 0;
    std::uint64_t opened_batches = 0, opened_bytes = 0;
    std::uint64_t refused_batches = 0;  ///< that did not open
};

/// The ciphers of one core. Made for every stream that the core meets, plain ones too: a shard of
/// an unknown stream is refused rather than written plain. Core: one.
class StreamCiphers {
 public:
    explicit StreamCiphers(const KeyRing& ring) : ring_(ring) {}

    /// The cipher of a shard's stream; stays where it is until the ciphers go. Errors: NotFound.
    Result<StreamCipher*> of_shard(ShardUid shard, const CatalogView& view);
    /// Must reach every core before a change is visible in the catalog's view.
    void configure(const StreamInfo& stream);
    void forget(StreamUid stream);

    const std::unordered_map<StreamUid, std::unique_ptr<StreamCipher>>& all() const {
        return streams_;
    }

    std::vector<std::byte> space;  ///< where batches are sealed
    EncryptionStats stats;

 private:
    StreamCipher& of_stream(const StreamInfo& stream);

    const KeyRing& ring_;
    std::unordered_map<StreamUid, std::unique_ptr<StreamCipher>> streams_;
    std::unordered_map<ShardUid, StreamCipher*> shards_;
};

}  // namespace tidemill
