#pragma once

#include <memory>
#include <vector>

#include "engine/log/log_store.h"
#include "engine/reactor/turn_hook.h"
#include "engine/service/stream_ciphers.h"

namespace tidemill {

/// A shard's writer that seals batches on their way into the log while the shard's stream says so;
/// otherwise they pass. Core: one. Ownership: `ciphers` and `cipher` outlive it.
class SealingWriter final : public ShardWriter, TurnHook {
 public:
    SealingWriter(std::unique_ptr<ShardWriter> log, StreamCipher& cipher, StreamCiphers& ciphers)
        : log_(std::move(log)), cipher_(cipher), ciphers_(ciphers) {}

    ShardUid shard() const override { return log_->shard(); }
    /// As the log's writer. `op.batch` is the plain batch again when this returns.
    void submit(AppendOp& op) override;

 private:
    void at_turn_end() override;

    std::unique_ptr<ShardWriter> log_;
    StreamCipher& cipher_;
    StreamCiphers& ciphers_;
    std::vector<AppendOp*> refused_;
};

/// Replaces the sealed batches of `read` by what they hold. Errors: those of StreamCipher; Corrupt,
/// when the first batch does not open. A later one ends the result before it, and is met by the
/// next read.
Status unseal_batches(ReadResult& read, ShardUid shard, StreamCipher& cipher,
                      EncryptionStats& stats);
bool has_sealed_batches(const ReadResult& read);

}  // namespace tidemill
