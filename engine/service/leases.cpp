// LocalStreamService: leases and checkpoints of consumer applications, as rows changed by
// compare-and-set.
#include <algorithm>

#include <fmt/format.h>

#include "engine/service/checkpoint_format.h"
#include "engine/service/local_stream_service.h"
#include "engine/service/service_limits.h"

namespace tidemill {
namespace {

constexpr int kAttempts =
    10;  // a lost race means that another worker has just moved; more is a livelock

struct LeaseName {
    StreamUid stream;
    std::string application;
    std::uint32_t shard_index = 0;
    std::string key() const { return lease_key(stream, application, shard_index); }
};

Status check_names(std::string_view application, std::string_view owner) {
    const auto fits = [](std::string_view name, std::size_t limit) {
        return !name.empty() && name.size() <= limit && name.find('\0') == std::string_view::npos;
    };
    if (!fits(application, service_limits::kApplicationNameMax))
        return fail(Errc::InvalidArgument, fmt::format("An application's name has 1 to {} bytes.",
                                                       service_limits::kApplicationNameMax));
    if (!fits(owner, service_limits::kWorkerNameMax))
        return fail(Errc::InvalidArgument, fmt::format("A worker's name has 1 to {} bytes.",
                                                       service_limits::kWorkerNameMax));
    return {};
}

/// Reads the row, lets `edit(checkpoint, exists)` change it, writes it back unless another was
/// faster, then again.
template <class Edit>
Task<Result<Checkpoint>> edit_lease(CatalogStore& store, LeaseName name, Edit edit) {
    const std::string key = name.key();
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
        CO_ASSIGN(const auto row, co_await store.read(kLeaseSpace, key));
        Checkpoint checkpoint;
        checkpoint.shard_index = name.shard_index;
        if (row) {
            CO_ASSIGN(checkpoint, decode_checkpoint(row->value));
        }
        CO_TRY(edit(checkpoint, row.has_value()));
        std::vector<CatalogWrite> writes;
        writes.push_back({kLeaseSpace, key, encode_checkpoint(checkpoint), row ? row->version : 0});
        const auto committed = co_await store.commit(std::move(writes));
        if (committed) co_return checkpoint;
        if (committed.error().code != Errc::ResourceInUse)
            co_return std::unexpected(committed.error());
    }
    co_return fail(Errc::Throttled,
                   fmt::format("too many workers want shard {} of application {} at once",
                               shard_id_text(name.shard_index), name.application));
}

std::unexpected<Error> held_by_another(const LeaseName& name, const Checkpoint& checkpoint) {
    return fail(Errc::Fenced,
                fmt::format("{} of application {} is leased to '{}'",
                            shard_id_text(name.shard_index), name.application, checkpoint.owner));
}

std::unexpected<Error> no_lease(const LeaseName& name) {
    return fail(Errc::NotFound, fmt::format("application {} has no lease on {}", name.application,
                                            shard_id_text(name.shard_index)));
}

}  // namespace

Task<Result<std::vector<Checkpoint>>> LocalStreamService::checkpoints(std::string application,
                                                                      StreamUid stream) {
    CO_ASSIGN(const auto rows,
              co_await store_.scan(kLeaseSpace, lease_prefix(stream, application)));
    std::vector<Checkpoint> found;
    found.reserve(rows.size());
    for (const auto& row : rows) {
        CO_ASSIGN(Checkpoint checkpoint, decode_checkpoint(row.value));
        found.push_back(std::move(checkpoint));
    }
    co_return found;
}

Task<Result<Checkpoint>> LocalStreamService::acquire_lease(std::string application,
                                                           StreamUid stream,
                                                           std::uint32_t shard_index,
                                                           std::string owner,
                                                           std::chrono::milliseconds duration) {
    CO_TRY(check_names(application, owner));
    const LeaseName name{stream, std::move(application), shard_index};
    auto take = [&name, &owner, duration](Checkpoint& checkpoint, bool) -> Status {
        const WallTime now = Reactor::current().clock().wall_now();
        const bool is_held =
            !checkpoint.owner.empty() && checkpoint.owner != owner && checkpoint.lease_until > now;
        if (is_held) return held_by_another(name, checkpoint);
        checkpoint.owner = owner;
        checkpoint.lease_until = now + duration;
        ++checkpoint.lease_counter;
        return {};
    };
    co_return co_await edit_lease(store_, name, take);
}

Task<Status> LocalStreamService::save_checkpoint(std::string application, StreamUid stream,
                                                 Checkpoint checkpoint) {
    const LeaseName name{stream, std::move(application), checkpoint.shard_index};
    auto move = [&name, &checkpoint](Checkpoint& kept, bool exists) -> Status {
        if (!exists) return no_lease(name);
        if (kept.owner != checkpoint.owner || kept.lease_counter != checkpoint.lease_counter)
            return held_by_another(name, kept);
        kept.ordinal = std::max(kept.ordinal, checkpoint.ordinal);
        kept.is_finished = kept.is_finished || checkpoint.is_finished;
        return {};
    };
    CO_TRY(co_await edit_lease(store_, name, move));
    co_return Status{};
}

Task<Status> LocalStreamService::release_lease(std::string application, StreamUid stream,
                                               std::uint32_t shard_index, std::string owner) {
    const LeaseName name{stream, std::move(application), shard_index};
    auto release = [&name, &owner](Checkpoint& checkpoint, bool exists) -> Status {
        if (!exists) return no_lease(name);
        if (checkpoint.owner != owner) return held_by_another(name, checkpoint);
        checkpoint.owner.clear();
        checkpoint.lease_until = WallTime{};
        ++checkpoint.lease_counter;
        return {};
    };
    CO_TRY(co_await edit_lease(store_, name, release));
    co_return Status{};
}

Task<Status> LocalStreamService::forget_leases(StreamUid stream) {
    CO_ASSIGN(const auto rows, co_await store_.scan(kLeaseSpace, lease_prefix(stream)));
    if (rows.empty()) co_return Status{};
    std::vector<CatalogWrite> writes;
    for (const auto& row : rows)
        writes.push_back({kLeaseSpace, row.key, std::nullopt, std::nullopt});
    CO_TRY(co_await store_.commit(std::move(writes)));
    co_return Status{};
}

}  // namespace tidemill
