#include "engine/crypto/batch_cipher.h"

#include <algorithm>
#include <string>

#include <doctest/doctest.h>

#include "engine/base/random.h"

using namespace tidemill;

namespace {

constexpr ShardUid kShard{7};

struct Sealed {
    std::vector<std::byte> plain;    // as the producer made it, stamped
    std::vector<std::byte> stamped;  // as it is in the log
};

Sealed sealed_batch(BatchSealer& sealer, int records = 3, ShardUid shard = kShard) {
    RecordBatchBuilder builder;
    for (int i = 0; i < records; ++i)
        builder.add("key", as_bytes("plain text " + std::to_string(i)));
    const auto plain = builder.finish(42, 1000);
    std::vector<std::byte> space;
    const auto view = sealer.seal(plain, shard, space);
    Sealed made{{plain.bytes().begin(), plain.bytes().end()},
                {view.bytes().begin(), view.bytes().end()}};
    for (auto* batch : {&made.plain, &made.stamped})
        stamp_record_batch(*batch, shard, 55, from_millis(1'700'000'000'000), 1);
    return made;
}

Result<std::vector<std::byte>> opened(BatchUnsealer& unsealer, Bytes stamped,
                                      ShardUid shard = kShard) {
    ASSIGN(const std::size_t size, BatchUnsealer::plain_bytes(stamped));
    std::vector<std::byte> to(size);
    TRY(unsealer.unseal(stamped, shard, to));
    return to;
}

/// Makes all checksums of a batch right again, as one would who wants damage to pass.
void fix_checksums(std::vector<std::byte>& batch) {
    const auto header = load_le<RecordBatchHeader>(batch.data());
    reseal_record_batch(batch);
    stamp_record_batch(batch, ShardUid{header.shard}, header.first_ordinal,
                       from_millis(header.arrival_ms), header.epoch);
}

}  // namespace

TEST_CASE("A sealed batch opens to the producer's bytes, checksum included") {
    const Secret key = Secret::random();
    BatchSealer sealer(3, key);
    BatchUnsealer unsealer(key);
    for (const int records : {1, 2, 500}) {
        const auto made = sealed_batch(sealer, records);
        const auto view = RecordBatchView::parse_stamped(made.stamped);
        REQUIRE(view);
        CHECK(view->payload_is_intact());  // a verifier needs no key
        CHECK(view->header().key_id == 3);
        CHECK(view->header().producer_id == 42);  // the log tells retries by these
        CHECK(view->header().producer_sequence == 1000);
        CHECK(view->record_count() == static_cast<std::uint32_t>(records));
        CHECK(made.stamped.size() == made.plain.size() + kBatchSealBytes);
        CHECK(as_text(made.stamped).find("plain") == std::string_view::npos);
        CHECK(as_text(made.stamped).find("key") == std::string_view::npos);
        const auto back = opened(unsealer, made.stamped);
        REQUIRE(back);
        CHECK(*back == made.plain);
        CHECK(RecordBatchView::trusted(*back).payload_is_intact());
    }
}

TEST_CASE("Readers without the key are told that a batch is encrypted") {
    BatchSealer sealer(1, Secret::random());
    const auto made = sealed_batch(sealer);
    RecordCursor cursor(RecordBatchView::trusted(made.stamped));
    RecordView record;
    CHECK_FALSE(cursor.next(record));
    CHECK(cursor.status().error().code == Errc::Unsupported);
    const auto fresh = RecordBatchView::parse(made.stamped);
    REQUIRE_FALSE(fresh);
    CHECK(fresh.error().code == Errc::InvalidArgument);
}

TEST_CASE("The largest batch of a producer still fits the log once it is sealed") {
    RecordBatchBuilder builder;
    const std::vector<std::byte> data(wire_limits::kBatchBytesMax - 64 - 1 - 4 - 1);
    builder.add("k", data);
    REQUIRE(builder.bytes() == wire_limits::kBatchBytesMax);
    BatchSealer sealer(1, Secret::random());
    std::vector<std::byte> space;
    auto view = sealer.seal(builder.finish(), kShard, space);
    std::vector<std::byte> stamped(view.bytes().begin(), view.bytes().end());
    fix_checksums(stamped);
    CHECK(RecordBatchView::parse_stamped(stamped));
}

TEST_CASE("A flipped bit is Corrupt even when every checksum was made right again") {
    const Secret key = Secret::random();
    BatchSealer sealer(1, key);
    BatchUnsealer unsealer(key);
    const auto made = sealed_batch(sealer, 2);
    for (std::size_t at = 8; at < made.stamped.size(); ++at) {
        // What the broker stamps and the checksums are not under the seal; the rest is.
        if (at >= 28 && at < 64) continue;
        auto damaged = made.stamped;
        damaged[at] ^= std::byte{1};
        fix_checksums(damaged);
        REQUIRE(RecordBatchView::trusted(damaged).payload_is_intact());
        const auto back = opened(unsealer, damaged);
        REQUIRE_FALSE(back);
        CHECK(back.error().code == Errc::Corrupt);
    }
}

TEST_CASE("A batch does not open in another shard, whatever its header says") {
    const Secret key = Secret::random();
    BatchSealer sealer(1, key);
    BatchUnsealer unsealer(key);
    auto moved = sealed_batch(sealer).stamped;
    CHECK(opened(unsealer, moved));
    CHECK_FALSE(opened(unsealer, moved, ShardUid{8}));
    stamp_record_batch(moved, ShardUid{8}, 55, from_millis(0), 1);
    CHECK_FALSE(opened(unsealer, moved, ShardUid{8}));
}

TEST_CASE("Damaged batches of any shape are refused, never believed") {
    const std::uint64_t seed = 0x7469646532;
    MESSAGE("seed " << seed);
    Random random(seed);
    const Secret key = Secret::random();
    BatchSealer sealer(1, key);
    BatchUnsealer unsealer(key);
    for (int i = 0; i < 3000; ++i) {
        const auto made = sealed_batch(sealer, 1 + static_cast<int>(random.next() % 20));
        auto damaged = made.stamped;
        switch (random.next() % 4) {
            case 0:  // cut
                damaged.resize(64 + random.next() % (damaged.size() - 64));
                break;
            case 1:  // longer
                damaged.resize(damaged.size() + 1 + random.next() % 64);
                break;
            case 2: {  // another batch's rest
                const auto other = sealed_batch(sealer, 20);
                const std::size_t from = 64 + random.next() % (damaged.size() - 64);
                std::copy(other.stamped.begin() + static_cast<std::ptrdiff_t>(from),
                          other.stamped.begin() + static_cast<std::ptrdiff_t>(damaged.size()),
                          damaged.begin() + static_cast<std::ptrdiff_t>(from));
                break;
            }
            default:
                damaged[64 + random.next() % (damaged.size() - 64)] ^=
                    static_cast<std::byte>(1 + random.next() % 255);
        }
        if (damaged == made.stamped) continue;
        if (const bool says_its_length = random.next() % 2 == 0; says_its_length)
            store_le(damaged.data() + 4, static_cast<std::uint32_t>(damaged.size()));
        const auto back = opened(unsealer, damaged);
        REQUIRE_FALSE(back);
        REQUIRE(back.error().code == Errc::Corrupt);
    }
}
