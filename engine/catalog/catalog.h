#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/catalog/catalog_store.h"
#include "engine/catalog/stream.h"
#include "engine/catalog/turnstile.h"
#include "engine/reactor/reactor.h"

namespace tidemill {

using StreamPtr = std::shared_ptr<const StreamInfo>;

/// The streams and shards of the product: a state machine on one reactor. A change is made durable
/// in the store first, then published to every core as a new immutable CatalogView; changes follow
/// each other, never overlap. Core: `view` on any of the reactors given; everything else too, it
/// goes to the first one itself.
class Catalog {
 public:
    /// Hands out the uids of new shards during a change; they become durable with it.
    class UidSource {
     public:
        explicit UidSource(std::uint32_t next) : next_(next) {}
        ShardUid take() { return ShardUid{next_++}; }
        std::uint32_t next() const { return next_; }

     private:
        std::uint32_t next_;
    };
    using Edit = std::move_only_function<Status(StreamInfo&, UidSource&)>;
    using Check = std::move_only_function<Status(const StreamInfo&)>;
    /// Runs on the first reactor between "durable" and "visible": the log learns of new shards
    /// there.
    using BeforePublish = std::move_only_function<Task<Status>(StreamPtr)>;
    /// The part of a change that takes time. Runs on the first reactor; no other change runs
    /// meanwhile.
    using Step = std::move_only_function<Task<Status>(StreamInfo&)>;

    /// Ownership: reactors and store outlive the catalog.
    Catalog(std::vector<Reactor*> reactors, CatalogStore& store);

    /// Reads everything from the store and publishes it. Call once. Errors: Corrupt, IoFailed.
    Task<Status> load();

    /// What this core knows. No suspension.
    const std::shared_ptr<const CatalogView>& view() const;

    /// Shards from this one on have never been given to a stream. Core: the first; after load.
    ShardUid next_shard() const { return ShardUid{next_shard_}; }

    /// Adds a stream of `shard_count` even shards; `stream` brings name, mode, retention, tags.
    /// Errors: AlreadyExists; those of the store; those of `before_publish`, after which the stream
    /// is gone again.
    Task<Result<StreamPtr>> create(StreamInfo stream, std::uint32_t shard_count,
                                   BeforePublish before_publish);
    /// Changes a stream by `edit`, which must leave its name and uid alone. Errors: NotFound; those
    /// of `edit` and the store.
    Task<Result<StreamPtr>> change(std::string name, Edit edit, BeforePublish before_publish);
    /// Carries out what an earlier, durable change has decided, so that a start after a crash would
    /// come to the same: `step` changes the stream, which is visible at once and durable
    /// afterwards. Errors: NotFound and those of `step`, with nothing changed; those of the store:
    /// it is visible, and must be made durable by a further `change`.
    Task<Result<StreamPtr>> complete(std::string name, Step step);
    /// Takes a stream out if `check` lets it go. Returns what it was. Errors: NotFound; those of
    /// `check` and the store.
    Task<Result<StreamPtr>> remove(std::string name, Check check = nullptr);

 private:
    struct alignas(64) Slot {
        std::shared_ptr<const CatalogView> view;
    };

    Reactor& home() { return *reactors_.front(); }
    Task<Status> load_at_home();
    Status check_uids(const StreamInfo& stream, const std::vector<ShardInfo>& shards) const;
    Task<Result<StreamPtr>> create_at_home(StreamInfo stream, std::uint32_t shard_count,
                                           BeforePublish before_publish);
    Task<Result<StreamPtr>> change_at_home(std::string name, Edit edit,
                                           BeforePublish before_publish);
    Task<Result<StreamPtr>> complete_at_home(std::string name, Step step);
    Task<Result<StreamPtr>> remove_at_home(std::string name, Check check);
    Task<Status> save(const StreamInfo& stream, const UidSource& uids);
    Task<void> read_versions(std::string name);
    Task<void> publish(std::shared_ptr<CatalogView> next);
    std::shared_ptr<CatalogView> next_view() const;

    std::vector<Reactor*> reactors_;
    CatalogStore& store_;
    std::vector<Slot> slots_;  // by core; each touched by its own core alone

    // Home only.
    Turnstile turnstile_;
    std::map<std::string, std::uint64_t, std::less<>> versions_;  // of the streams' rows
    std::uint32_t next_shard_ = 1, next_stream_ = 1;
    std::uint64_t counters_version_ = 0;
};

}  // namespace tidemill
