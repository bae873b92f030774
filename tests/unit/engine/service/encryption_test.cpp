#include <algorithm>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "engine/base/hash_key.h"
#include "engine/catalog/memory_catalog_store.h"
#include "engine/log/local_log_store.h"
#include "engine/reactor/test_reactor.h"
#include "engine/service/local_stream_service.h"
#include "engine/service/sealing_writer.h"

using namespace tidemill;

namespace {

constexpr const char* kText = "the plain text";

LogConfig small_log() {
    LogConfig config;
    config.lane_count = 1;
    config.first_segment_bytes = 1_MiB;
    config.segment_bytes = 2_MiB;
    config.block_bytes = 256_KiB;
    config.seed = 7;
    return config;
}

std::shared_ptr<const KeyRing> ring_of(char current, char previous = 0) {
    const auto key = [](char from) {
        std::vector<std::byte> bytes(32);
        for (std::size_t i = 0; i < bytes.size(); ++i)
            bytes[i] = static_cast<std::byte>(from + static_cast<char>(i));
        return MasterKey(Secret(bytes));
    };
    if (previous == 0) return std::make_shared<const KeyRing>(key(current));
    return std::make_shared<const KeyRing>(key(current), key(previous));
}

/// A service with a master key over the real log on a simulated disk.
struct Fixture {
    TestReactor reactor;
    MemoryCatalogStore catalog{reactor};
    std::unique_ptr<LocalLogStore> log;
    std::unique_ptr<LocalStreamService> service;

    explicit Fixture(EncryptionOptions options) { REQUIRE(start(std::move(options))); }
    ~Fixture() { stop(); }
    Status start(EncryptionOptions options) {
        log = std::make_unique<LocalLogStore>(std::vector<Reactor*>{&reactor}, small_log());
        REQUIRE(reactor.run(log->open()));
        auto started =
            reactor.run(LocalStreamService::start({&reactor}, *log, catalog, std::move(options)));
        if (!started) return std::unexpected(started.error());
        service = std::move(*started);
        return {};
    }
    void stop() {
        if (service != nullptr) reactor.run(service->stop());
        reactor.run(log->stop());
        service.reset();
        log.reset();
    }
    Status restart(EncryptionOptions options) {
        stop();
        return start(std::move(options));
    }
    StreamPtr create(std::string name, EncryptionWish wish, std::uint32_t shards = 1) {
        CreateStream request;
        request.name = std::move(name);
        request.shard_count = shards;
        request.encryption = wish;
        auto made = reactor.run(service->create_stream(std::move(request)));
        REQUIRE(made);
        return *made;
    }
    StreamPtr find(std::string name) {
        Result<StreamPtr> found;
        reactor.run_in_turn([&] { found = service->find_stream(name); });
        REQUIRE(found);
        return *found;
    }
    AppendResult put(const StreamPtr& stream, std::string_view text = kText) {
        std::vector<PutRecord> records{{"key", as_bytes(text), std::nullopt}};
        return reactor.run(service->put_records(*stream, std::move(records)))[0].append;
    }
    /// All batches that `source` (the service, or the log below it) reads to the shard's end.
    template <class Source>
    std::vector<BufferSlice> batches(Source& source, ShardUid shard) {
        std::vector<BufferSlice> all;
        for (Ordinal from = 0;;) {
            auto read = reactor.run(source.read(shard, from, {}));
            REQUIRE(read);
            if (read->batches.empty()) return all;
            from = read->next;
            std::ranges::move(read->batches, std::back_inserter(all));
        }
    }
    std::vector<std::string> texts(ShardUid shard) {
        std::vector<std::string> found;
        for (const auto& batch : batches(*service, shard)) {
            const auto view = RecordBatchView::parse_stamped(batch.bytes);
            REQUIRE(view);
            CHECK(view->payload_is_intact());
            RecordCursor cursor(*view);
            for (RecordView record; cursor.next(record);)
                found.emplace_back(as_text(record.data));
            CHECK(cursor.status());
        }
        return found;
    }
    /// The key of each batch as the log has them; none of them may show the text unless plain.
    std::vector<int> stored_keys(ShardUid shard) {
        std::vector<int> keys;
        for (const auto& batch : batches(*log, shard)) {
            const auto view = RecordBatchView::parse_stamped(batch.bytes);
            REQUIRE(view);
            CHECK(view->payload_is_intact());
            keys.push_back(view->header().key_id);
            const bool is_readable = as_text(batch.bytes).find("plain") != std::string_view::npos;
            CHECK(is_readable == (view->header().key_id == 0));
        }
        return keys;
    }
    bool store_shows(std::string_view text) {
        for (const auto* space : {"blob", "sealed_blob", "stream", "key"}) {
            const auto rows = reactor.run(catalog.scan(space, ""));
            for (const auto& row : *rows)
                if (as_text(row.value).find(text) != std::string_view::npos) return true;
        }
        return false;
    }
};

std::vector<std::string> repeat(std::size_t count) {
    return std::vector<std::string>(count, kText);
}

}  // namespace

TEST_CASE("an encrypted stream is ciphertext in the log, and reads as it was written") {
    Fixture f({.keys = ring_of('a'), .is_default = true});
    const auto stream = f.create("s", EncryptionWish::AsConfigured);
    const ShardUid shard = stream->shards[0].uid;
    for (int i = 0; i < 3; ++i)
        CHECK(f.put(stream).first_ordinal == static_cast<Ordinal>(i));
    CHECK(f.texts(shard) == repeat(3));
    CHECK(f.stored_keys(shard) == std::vector<int>{1, 1, 1});
    REQUIRE(f.restart({.keys = ring_of('a')}));
    CHECK(f.put(f.find("s")).outcome == Outcome::Committed);
    CHECK(f.texts(shard) == repeat(4));
    CHECK(f.stored_keys(shard) == std::vector<int>{1, 1, 1, 1});
}

TEST_CASE("a repeated batch of an idempotent producer is recognised though it is sealed anew") {
    Fixture f({.keys = ring_of('a')});
    const auto stream = f.create("s", EncryptionWish::On);
    const ShardUid shard = stream->shards[0].uid;
    RecordBatchBuilder builder;
    builder.add("key", as_bytes(kText));
    const auto batch = builder.finish(77, 0);
    const auto send = [&] {
        ShardWriter* writer = nullptr;
        f.reactor.run_in_turn([&] { writer = *f.service->writer(shard); });
        return f.reactor.run(writer->append(batch));
    };
    const auto first = send();
    REQUIRE(first.outcome == Outcome::Committed);
    CHECK_FALSE(first.is_duplicate);
    CHECK(send().is_duplicate);
    REQUIRE(f.restart({.keys = ring_of('a')}));
    const auto again = send();
    CHECK(again.is_duplicate);
    CHECK(again.arrival == first.arrival);
    CHECK(f.texts(shard) == repeat(1));
    CHECK(f.stored_keys(shard) == std::vector<int>{1});
}

TEST_CASE("encryption turned on, rotated and turned off holds for writers that exist already") {
    Fixture f({.keys = ring_of('a')});
    const auto stream = f.create("s", EncryptionWish::AsConfigured);
    const ShardUid shard = stream->shards[0].uid;
    f.put(stream);
    CHECK(f.reactor.run(f.service->rotate_data_key("s")).error().code == Errc::ResourceInUse);
    REQUIRE(f.reactor.run(f.service->start_encryption("s", "alias/mine")));
    f.put(stream);
    REQUIRE(f.reactor.run(f.service->rotate_data_key("s")));
    f.put(stream);
    REQUIRE(f.reactor.run(f.service->stop_encryption("s")));
    f.put(stream);
    const auto again = f.reactor.run(f.service->start_encryption("s", ""));
    REQUIRE(again);
    CHECK((*again)->encryption.current == 3);
    f.put(stream);
    CHECK(f.stored_keys(shard) == std::vector<int>{0, 1, 2, 0, 3});
    CHECK(f.texts(shard) == repeat(5));
    REQUIRE(f.restart({.keys = ring_of('a')}));
    CHECK(f.texts(shard) == repeat(5));
    CHECK(f.find("s")->encryption.keys.size() == 3);
}

TEST_CASE("without a master key nothing can be encrypted, and plain streams need none") {
    Fixture f({});
    const auto stream = f.create("s", EncryptionWish::AsConfigured);
    CHECK(f.reactor.run(f.service->start_encryption("s", "")).error().code == Errc::Unsupported);
    CreateStream request;
    request.name = "t";
    request.encryption = EncryptionWish::On;
    CHECK(f.reactor.run(f.service->create_stream(request)).error().code == Errc::Unsupported);
    f.put(stream);
    CHECK(f.stored_keys(stream->shards[0].uid) == std::vector<int>{0});
    CHECK(f.restart({.keys = nullptr, .is_default = true}).error().code == Errc::InvalidArgument);
    CHECK(f.restart({.keys = ring_of('a')}));
    CHECK(f.texts(stream->shards[0].uid) == repeat(1));
}

TEST_CASE("a start without the right master key is refused and says which one, for which streams") {
    Fixture f({.keys = ring_of('a')});
    const auto stream = f.create("orders", EncryptionWish::On);
    f.put(stream);
    const std::string needed = ring_of('a')->fingerprint();
    for (const auto& given : {std::shared_ptr<const KeyRing>(), ring_of('b'), ring_of('b', 'c')}) {
        const Status refused = f.restart({.keys = given});
        REQUIRE_FALSE(refused);
        CHECK(refused.error().code == Errc::AccessDenied);
        CHECK(refused.error().message.find(needed) != std::string::npos);
        CHECK(refused.error().message.find("orders") != std::string::npos);
        if (given != nullptr)
            CHECK(refused.error().message.find(given->fingerprint()) != std::string::npos);
    }
    REQUIRE(f.restart({.keys = ring_of('a')}));
    CHECK(f.texts(stream->shards[0].uid) == repeat(1));
}

TEST_CASE("a new master key takes over all keys at a start, and the old one is needed no more") {
    Fixture f({.keys = ring_of('a')});
    const auto stream = f.create("s", EncryptionWish::On);
    f.put(stream);
    REQUIRE(f.reactor.run(f.service->rotate_data_key("s")));
    f.put(stream);
    const auto blob = as_bytes(kText);
    REQUIRE(f.reactor.run(f.service->save_blob("kind", "name", {blob.begin(), blob.end()})));
    REQUIRE(f.restart({.keys = ring_of('b', 'a')}));
    for (const auto& key : f.find("s")->encryption.keys)
        CHECK(key.master == ring_of('b')->fingerprint());
    REQUIRE(f.restart({.keys = ring_of('b')}));
    CHECK(f.texts(stream->shards[0].uid) == repeat(2));
    const auto loaded = f.reactor.run(f.service->load_blob("kind", "name"));
    REQUIRE(loaded);
    CHECK(as_text(**loaded) == kText);
    CHECK(f.restart({.keys = ring_of('a')}).error().code == Errc::AccessDenied);
    REQUIRE(f.restart({.keys = ring_of('b')}));
}

TEST_CASE("blobs are sealed once there is a master key, those from before included") {
    Fixture f({});
    const auto blob = as_bytes(kText);
    REQUIRE(f.reactor.run(f.service->save_blob("kind", "old", {blob.begin(), blob.end()})));
    CHECK(f.store_shows(kText));
    REQUIRE(f.restart({.keys = ring_of('a')}));
    CHECK_FALSE(f.store_shows(kText));
    REQUIRE(f.reactor.run(f.service->save_blob("kind", "new", {blob.begin(), blob.end()})));
    CHECK_FALSE(f.store_shows(kText));
    REQUIRE(f.restart({.keys = ring_of('a')}));
    CHECK(*f.reactor.run(f.service->list_blobs("kind")) == std::vector<std::string>{"new", "old"});
    for (const auto* name : {"old", "new"}) {
        const auto loaded = f.reactor.run(f.service->load_blob("kind", name));
        REQUIRE(loaded);
        REQUIRE(*loaded);
        CHECK(as_text(**loaded) == kText);
    }
    CHECK(f.restart({}).error().code == Errc::AccessDenied);
    REQUIRE(f.restart({.keys = ring_of('a')}));
    REQUIRE(f.reactor.run(f.service->delete_blob("kind", "old")));
    CHECK_FALSE(*f.reactor.run(f.service->load_blob("kind", "old")));
}

TEST_CASE("an altered or exchanged blob is Corrupt, not somebody's state") {
    Fixture f({.keys = ring_of('a')});
    const auto blob = as_bytes(kText);
    for (const auto* name : {"a", "b"})
        REQUIRE(f.reactor.run(f.service->save_blob("kind", name, {blob.begin(), blob.end()})));
    const auto rows = *f.reactor.run(f.catalog.scan("sealed_blob", ""));
    REQUIRE(rows.size() == 2);
    auto altered = rows[0].value;
    altered.back() ^= std::byte{1};
    std::vector<CatalogWrite> writes;
    writes.push_back({"sealed_blob", rows[0].key, altered, std::nullopt});
    writes.push_back({"sealed_blob", rows[1].key, rows[0].value, std::nullopt});
    REQUIRE(f.reactor.run(f.catalog.commit(std::move(writes))));
    for (const auto* name : {"a", "b"})
        CHECK(f.reactor.run(f.service->load_blob("kind", name)).error().code == Errc::Corrupt);
}

TEST_CASE("a data key is replaced when it is old") {
    Fixture f({.keys = ring_of('a'), .data_key_age = std::chrono::hours(24)});
    const auto stream = f.create("s", EncryptionWish::On);
    f.put(stream);
    f.reactor.advance(std::chrono::hours(23));
    CHECK(f.find("s")->encryption.current == 1);
    f.reactor.advance(std::chrono::hours(1) + 2 * kKeyCheckEvery);
    CHECK(f.find("s")->encryption.current == 2);
    f.put(stream);
    CHECK(f.stored_keys(stream->shards[0].uid) == std::vector<int>{2});  // the first has expired
    f.reactor.advance(std::chrono::hours(2));
    CHECK(f.find("s")->encryption.current == 2);
}

TEST_CASE("a data key is replaced when it has sealed much, restarts included") {
    const EncryptionOptions options{.keys = ring_of('a'), .data_key_bytes = 1_MiB};
    Fixture f(options);
    const auto stream = f.create("s", EncryptionWish::On);
    const std::string text(100'000, 'x');
    for (int i = 0; i < 6; ++i)
        f.put(stream, text);
    f.reactor.advance(2 * kKeyCheckEvery);
    CHECK(f.find("s")->encryption.current == 1);
    REQUIRE(f.restart(options));
    CHECK(f.find("s")->encryption.keys[0].sealed_bytes >= 600'000);
    for (int i = 0; i < 6; ++i)
        f.put(f.find("s"), text);
    f.reactor.advance(2 * kKeyCheckEvery);
    CHECK(f.find("s")->encryption.current == 2);
}

TEST_CASE("a damaged batch ends a read before it, and is Corrupt when it comes first") {
    Fixture f({.keys = ring_of('a')});
    const auto stream = f.create("s", EncryptionWish::On);
    const ShardUid shard = stream->shards[0].uid;
    for (int i = 0; i < 3; ++i)
        f.put(stream);
    auto read = f.reactor.run(f.log->read(shard, 0, {}));
    REQUIRE(read);
    REQUIRE(read->batches.size() == 3);
    // A flipped bit with all checksums made right again.
    const Bytes second = read->batches[1].bytes;
    const Buffer copy = Buffer::allocate(second.size());
    std::ranges::copy(second, copy.data());
    copy.data()[70] ^= std::byte{1};
    const auto header = load_le<RecordBatchHeader>(second.data());
    reseal_record_batch(copy.bytes());
    stamp_record_batch(copy.bytes(), shard, header.first_ordinal, from_millis(header.arrival_ms),
                       header.epoch);
    read->batches[1] = {copy, copy.bytes()};
    REQUIRE(RecordBatchView::parse_stamped(copy.bytes())->payload_is_intact());

    const auto ring = ring_of('a');
    StreamCipher cipher(*ring, *f.find("s"));
    EncryptionStats stats;
    ReadResult from_second = *read;
    from_second.batches.erase(from_second.batches.begin());
    REQUIRE(unseal_batches(*read, shard, cipher, stats));
    CHECK(read->batches.size() == 1);
    CHECK(read->next == 1);
    const Status refused = unseal_batches(from_second, shard, cipher, stats);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Errc::Corrupt);
    CHECK(stats.opened_batches == 1);
    CHECK(stats.refused_batches == 2);
}

TEST_CASE("a batch in another shard of the same stream does not open there") {
    Fixture f({.keys = ring_of('a')});
    const auto stream = f.create("s", EncryptionWish::On, 2);
    f.put(stream);
    const auto& mine = stream->shard_for(hash_partition_key("key"));
    const auto& other = stream->shards[mine.index == 0 ? 1 : 0];
    const auto read = f.reactor.run(f.log->read(mine.uid, 0, {}));
    REQUIRE(read);
    const auto ring = ring_of('a');
    StreamCipher cipher(*ring, *f.find("s"));
    EncryptionStats stats;
    ReadResult here = *read, there = *read;
    CHECK(unseal_batches(here, mine.uid, cipher, stats));
    CHECK(unseal_batches(there, other.uid, cipher, stats).error().code == Errc::Corrupt);
}

TEST_CASE("a deleted stream's writers and readers get NotFound, never a plain batch") {
    Fixture f({.keys = ring_of('a'), .is_default = true});
    const auto stream = f.create("s", EncryptionWish::AsConfigured);
    f.put(stream);
    REQUIRE(f.reactor.run(f.service->delete_stream("s")));
    const auto late = f.put(stream);
    CHECK(late.outcome == Outcome::Rejected);
    CHECK(late.error.code == Errc::NotFound);
    const auto again = f.create("s", EncryptionWish::AsConfigured);
    f.put(again);
    CHECK(f.texts(again->shards[0].uid) == repeat(1));
}
