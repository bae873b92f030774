#include "engine/catalog/catalog.h"

#include <fmt/format.h>

#include "engine/base/bytes.h"
#include "engine/base/check.h"
#include "engine/catalog/stream_format.h"
#include "engine/reactor/call_on.h"

namespace tidemill {
namespace {

constexpr const char* kStreamSpace = "stream";
constexpr const char* kCounterSpace = "counter";
constexpr const char* kCounterKey = "uid";

std::vector<std::byte> encode_counters(std::uint32_t shard, std::uint32_t stream) {
    std::vector<std::byte> bytes(8);
    store_le(bytes.data(), shard);
    store_le(bytes.data() + 4, stream);
    return bytes;
}

CatalogWrite counters_row(std::uint32_t shard, std::uint32_t stream, std::uint64_t expected) {
    return {kCounterSpace, kCounterKey, encode_counters(shard, stream), expected};
}

std::unexpected<Error> no_such_stream(std::string_view name) {
    return fail(Errc::NotFound, fmt::format("Stream {} not found.", name));
}

}  // namespace

Catalog::Catalog(std::vector<Reactor*> reactors, CatalogStore& store)
    : reactors_(std::move(reactors)), store_(store), slots_(reactors_.size()) {
    TM_CHECK(!reactors_.empty());
    for (std::size_t i = 0; i < reactors_.size(); ++i)
        TM_CHECK(reactors_[i]->id().value == i, "reactors come in order");
    const auto empty = std::make_shared<const CatalogView>();
    for (auto& slot : slots_)
        slot.view = empty;
}

const std::shared_ptr<const CatalogView>& Catalog::view() const {
    const auto core = Reactor::current().id().value;
    TM_CHECK(core < slots_.size(), "core {} has no view of the catalog", core);
    return slots_[core].view;
}

Task<Status> Catalog::load() {
    auto work = [this]() -> Task<Status> { return load_at_home(); };
    co_return co_await call_on(home(), std::move(work));
}

Task<Status> Catalog::load_at_home() {
    auto pass = co_await turnstile_.enter();
    CO_ASSIGN(const auto counters, co_await store_.read(kCounterSpace, kCounterKey));
    if (counters) {
        if (counters->value.size() != 8)
            co_return fail(Errc::Corrupt, "the catalog's counters are not 8 bytes");
        next_shard_ = load_le<std::uint32_t>(counters->value.data());
        next_stream_ = load_le<std::uint32_t>(counters->value.data() + 4);
        counters_version_ = counters->version;
    }
    CO_ASSIGN(const auto rows, co_await store_.scan(kStreamSpace, ""));
    auto view = std::make_shared<CatalogView>();
    for (const auto& row : rows) {
        CO_ASSIGN(StreamInfo stream, decode_stream(row.value));
        CO_TRY(check_uids(stream, stream.shards));
        if (stream.reshard) CO_TRY(check_uids(stream, stream.reshard->added));
        versions_[stream.name] = row.version;
        std::string name = stream.name;
        view->streams[std::move(name)] = std::make_shared<const StreamInfo>(std::move(stream));
    }
    co_await publish(std::move(view));
    co_return Status{};
}

Status Catalog::check_uids(const StreamInfo& stream, const std::vector<ShardInfo>& shards) const {
    for (const auto& shard : shards)
        if (shard.uid.value >= next_shard_)
            return fail(Errc::Corrupt, fmt::format("shard {} of stream {} is above the counter {}",
                                                   shard.uid, stream.name, next_shard_));
    return {};
}

Task<Result<StreamPtr>> Catalog::create(StreamInfo stream, std::uint32_t shard_count,
                                        BeforePublish before_publish) {
    auto work = [this, stream = std::move(stream), shard_count,
                 before = std::move(before_publish)]() mutable -> Task<Result<StreamPtr>> {
        return create_at_home(std::move(stream), shard_count, std::move(before));
    };
    co_return co_await call_on(home(), std::move(work));
}

Task<Result<StreamPtr>> Catalog::create_at_home(StreamInfo stream, std::uint32_t shard_count,
                                                BeforePublish before_publish) {
    auto pass = co_await turnstile_.enter();
    if (slots_[0].view->streams.contains(stream.name))
        co_return fail(Errc::AlreadyExists, fmt::format("Stream {} already exists.", stream.name));

    UidSource uids(next_shard_);
    stream.uid = StreamUid{next_stream_};
    stream.created = home().clock().wall_now();
    const auto ranges = split_evenly(shard_count);
    stream.shards.resize(shard_count);
    for (std::uint32_t i = 0; i < shard_count; ++i) {
        auto& shard = stream.shards[i];
        shard.uid = uids.take();
        shard.index = i;
        shard.range = ranges[i];
        shard.created = stream.created;
    }
    stream.index_open_shards();

    std::vector<CatalogWrite> writes;
    writes.push_back(counters_row(uids.next(), next_stream_ + 1, counters_version_));
    writes.push_back({kStreamSpace, stream.name, encode_stream(stream), 0});
    CO_ASSIGN(const std::uint64_t version, co_await store_.commit(std::move(writes)));
    counters_version_ = version;
    next_shard_ = uids.next();
    ++next_stream_;

    const auto made = std::make_shared<const StreamInfo>(std::move(stream));
    if (before_publish) {
        if (Status status = co_await before_publish(made); !status) {
            std::vector<CatalogWrite> undo;
            undo.push_back({kStreamSpace, made->name, std::nullopt, version});
            CO_TRY(co_await store_.commit(std::move(undo)));
            co_return std::unexpected(std::move(status).error());
        }
    }
    versions_[made->name] = version;
    auto next = next_view();
    next->streams[made->name] = made;
    co_await publish(std::move(next));
    co_return made;
}

Task<Result<StreamPtr>> Catalog::change(std::string name, Edit edit, BeforePublish before_publish) {
    auto work = [this, name = std::move(name), edit = std::move(edit),
                 before = std::move(before_publish)]() mutable -> Task<Result<StreamPtr>> {
        return change_at_home(std::move(name), std::move(edit), std::move(before));
    };
    co_return co_await call_on(home(), std::move(work));
}

Task<Result<StreamPtr>> Catalog::change_at_home(std::string name, Edit edit,
                                                BeforePublish before_publish) {
    auto pass = co_await turnstile_.enter();
    const auto found = slots_[0].view->streams.find(name);
    if (found == slots_[0].view->streams.end()) co_return no_such_stream(name);
    StreamInfo stream = *found->second;
    UidSource uids(next_shard_);
    CO_TRY(edit(stream, uids));
    TM_CHECK(stream.name == name && stream.uid == found->second->uid, "an edit renamed {}", name);
    stream.index_open_shards();

    CO_TRY(co_await save(stream, uids));

    const auto changed = std::make_shared<const StreamInfo>(std::move(stream));
    Status status;
    if (before_publish) status = co_await before_publish(changed);
    // Durable already: it is published even when the log could not be told; the next start tells it
    // again.
    auto next = next_view();
    next->streams[name] = changed;
    co_await publish(std::move(next));
    CO_TRY(std::move(status));
    co_return changed;
}

Task<Status> Catalog::save(const StreamInfo& stream, const UidSource& uids) {
    std::vector<CatalogWrite> writes;
    if (uids.next() != next_shard_)
        writes.push_back(counters_row(uids.next(), next_stream_, counters_version_));
    const bool is_counted = !writes.empty();
    writes.push_back({kStreamSpace, stream.name, encode_stream(stream), versions_[stream.name]});
    const auto version = co_await store_.commit(std::move(writes));
    if (!version) {
        if (version.error().code == Errc::IoFailed) co_await read_versions(stream.name);
        co_return std::unexpected(version.error());
    }
    versions_[stream.name] = *version;
    if (is_counted) {
        counters_version_ = *version;
        next_shard_ = uids.next();
    }
    co_return Status{};
}

// After a commit whose outcome is unknown: nobody else writes these rows, so whatever stands there
// is ours. Uids that may have been taken are never given out again.
Task<void> Catalog::read_versions(std::string name) {
    const auto row = co_await store_.read(kStreamSpace, name);
    if (row && *row) versions_[name] = (*row)->version;
    const auto counters = co_await store_.read(kCounterSpace, kCounterKey);
    if (!counters || !*counters || (*counters)->value.size() != 8) co_return;
    counters_version_ = (*counters)->version;
    next_shard_ = std::max(next_shard_, load_le<std::uint32_t>((*counters)->value.data()));
}

Task<Result<StreamPtr>> Catalog::complete(std::string name, Step step) {
    auto work = [this, name = std::move(name),
                 run = std::move(step)]() mutable -> Task<Result<StreamPtr>> {
        return complete_at_home(std::move(name), std::move(run));
    };
    co_return co_await call_on(home(), std::move(work));
}

Task<Result<StreamPtr>> Catalog::complete_at_home(std::string name, Step step) {
    auto pass = co_await turnstile_.enter();
    const auto found = slots_[0].view->streams.find(name);
    if (found == slots_[0].view->streams.end()) co_return no_such_stream(name);
    StreamInfo stream = *found->second;
    CO_TRY(co_await step(stream));
    stream.index_open_shards();
    const auto changed = std::make_shared<const StreamInfo>(std::move(stream));
    auto next = next_view();
    next->streams[name] = changed;
    co_await publish(std::move(next));
    CO_TRY(co_await save(*changed, UidSource(next_shard_)));
    co_return changed;
}

Task<Result<StreamPtr>> Catalog::remove(std::string name, Check check) {
    auto work = [this, name = std::move(name),
                 may = std::move(check)]() mutable -> Task<Result<StreamPtr>> {
        return remove_at_home(std::move(name), std::move(may));
    };
    co_return co_await call_on(home(), std::move(work));
}

Task<Result<StreamPtr>> Catalog::remove_at_home(std::string name, Check check) {
    auto pass = co_await turnstile_.enter();
    const auto found = slots_[0].view->streams.find(name);
    if (found == slots_[0].view->streams.end()) co_return no_such_stream(name);
    const StreamPtr removed = found->second;
    if (check) CO_TRY(check(*removed));
    std::vector<CatalogWrite> writes;
    writes.push_back({kStreamSpace, name, std::nullopt, versions_[name]});
    CO_TRY(co_await store_.commit(std::move(writes)));
    versions_.erase(name);
    auto next = next_view();
    next->streams.erase(name);
    co_await publish(std::move(next));
    co_return removed;
}

std::shared_ptr<CatalogView> Catalog::next_view() const {
    return std::make_shared<CatalogView>(*slots_[0].view);
}

Task<void> Catalog::publish(std::shared_ptr<CatalogView> next) {
    ++next->version;
    const std::shared_ptr<const CatalogView> view = std::move(next);
    for (Reactor* reactor : reactors_) {
        auto replace = [slot = &slots_[reactor->id().value], view]() -> Task<void> {
            slot->view = view;
            co_return;
        };
        co_await call_on(*reactor, std::move(replace));
    }
}

}  // namespace tidemill
