#include "tests/contract/log_store_contract.h"

#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "engine/io/suspension.h"
#include "engine/reactor/gate.h"
#include "engine/reactor/reactor.h"

namespace tidemill::contract {
namespace {

using Policies = std::vector<std::pair<ShardUid, ShardPolicy>>;

std::vector<std::byte> batch_of(std::uint32_t shard, Ordinal first, std::uint32_t count) {
    RecordBatchBuilder builder;
    for (std::uint32_t i = 0; i < count; ++i)
        builder.add("key", as_bytes(fmt::format("{}:{}", shard, first + i)));
    const auto view = builder.finish();
    return {view.bytes().begin(), view.bytes().end()};
}

Task<void> next_turn() {
    Suspension turn;
    co_await turn.wait([&] { Reactor::current().post([&turn] { turn.resume(); }); });
}

Task<void> wait_for_ever(LogStore* store, ShardUid shard, Ordinal beyond, bool* has_ended) {
    const auto tail = co_await store->wait_tail(shard, beyond, MonoTime::max());
    CHECK_EQ(tail->end, beyond);
    *has_ended = true;
}

Task<void> configure(LogStore& store) {
    Policies policies;
    for (std::uint32_t shard = 1; shard <= 8; ++shard)
        policies.emplace_back(ShardUid{shard}, ShardPolicy{});
    const auto status = co_await store.configure_shards(std::move(policies));
    REQUIRE(status.has_value());
}

Task<void> append(LogStore& store, std::uint32_t shard, Ordinal first, std::uint32_t count) {
    auto writer = store.open_writer(ShardUid{shard}, {});
    REQUIRE(writer.has_value());
    const auto bytes = batch_of(shard, first, count);
    const auto result = co_await (*writer)->append(*RecordBatchView::parse(bytes));
    REQUIRE_EQ(result.outcome, Outcome::Committed);
    CHECK_EQ(result.first_ordinal, first);
    CHECK_GT(to_millis(result.arrival), 0);
}

/// Every record of the shard from `from` on is there once, in order; returns one past the last.
Task<Ordinal> read_all(LogStore& store, std::uint32_t shard, Ordinal from, std::size_t bytes) {
    while (true) {
        const auto result = co_await store.read(ShardUid{shard}, from, {.bytes = bytes});
        REQUIRE(result.has_value());
        if (result->batches.empty()) {
            CHECK_EQ(result->next, from);
            co_return from;
        }
        for (const auto& slice : result->batches) {
            const auto batch = RecordBatchView::parse_stamped(slice.bytes);
            REQUIRE(batch.has_value());
            CHECK(batch->payload_is_intact());
            CHECK_EQ(batch->header().shard, shard);
            RecordCursor cursor(*batch);
            RecordView record;
            while (cursor.next(record)) {
                if (cursor.ordinal() < from) continue;
                CHECK_EQ(cursor.ordinal(), from);
                CHECK_EQ(as_text(record.data), fmt::format("{}:{}", shard, from));
                ++from;
            }
        }
        CHECK_EQ(result->next, from);
    }
}

Task<void> unknown_shards(LogStore& store) {
    const ShardUid nobody{77};
    CHECK_EQ(store.open_writer(nobody, {}).error().code, Errc::NotFound);
    CHECK_EQ((co_await store.read(nobody, 0, {})).error().code, Errc::NotFound);
    CHECK_EQ((co_await store.tail(nobody)).error().code, Errc::NotFound);
    CHECK_EQ((co_await store.seek_time(nobody, from_millis(0))).error().code, Errc::NotFound);
    CHECK_EQ((co_await store.seal(nobody, {})).error().code, Errc::NotFound);
    CHECK_EQ((co_await store.trim(nobody, 1)).error().code, Errc::NotFound);
    CHECK_EQ((co_await store.producer_position(nobody, 1)).error().code, Errc::NotFound);
}

Task<void> write_some(LogStore& store) {
    co_await configure(store);
    for (std::uint32_t shard = 1; shard <= 8; ++shard) {
        CHECK_EQ((co_await store.tail(ShardUid{shard}))->end, 0);
        CHECK_EQ(co_await read_all(store, shard, 0, 1_MiB), 0);
        for (Ordinal first = 0; first < 60; first += 6)
            co_await append(store, shard, first, 6);
    }
}

Task<void> check_some(LogStore& store, Ordinal end) {
    for (std::uint32_t shard = 1; shard <= 8; ++shard) {
        const auto tail = co_await store.tail(ShardUid{shard});
        REQUIRE(tail.has_value());
        CHECK_EQ(tail->end, end);
        CHECK_EQ(tail->trim, 0);
        CHECK_FALSE(tail->is_sealed);
        CHECK_EQ(co_await read_all(store, shard, 0, 1_MiB), end);
        CHECK_EQ(co_await read_all(store, shard, 17, 1), end);
        CHECK_EQ(co_await read_all(store, shard, end, 1_MiB), end);
        CHECK_EQ((co_await store.seek_time(ShardUid{shard}, from_millis(0))).value_or(99), 0);
        CHECK_EQ((co_await store.seek_time(ShardUid{shard}, tail->last_arrival + 1ms)).value_or(99),
                 end);
    }
}

struct Counting : AppendOp {
    std::vector<std::byte> bytes;
    int* done_count = nullptr;
};

Task<void> pipelined(LogStore& store) {
    co_await configure(store);
    for (std::uint32_t shard = 1; shard <= 2; ++shard) {
        auto writer = *store.open_writer(ShardUid{shard}, {});
        int done_count = 0;
        std::vector<Counting> ops(200);
        for (std::size_t i = 0; i < ops.size(); ++i) {
            auto& op = ops[i];
            op.bytes = batch_of(shard, i * 3, 3);
            op.shard = ShardUid{shard};
            op.batch = *RecordBatchView::parse(op.bytes);
            op.done_count = &done_count;
            op.done = [](AppendOp& ended) noexcept { ++*static_cast<Counting&>(ended).done_count; };
            writer->submit(op);
            CHECK_EQ(done_count, 0);                    // never from within submit
            std::ranges::fill(op.bytes, std::byte{0});  // the bytes are the caller's again
        }
        const auto tail = co_await store.wait_tail(ShardUid{shard}, 599, MonoTime::max());
        CHECK_EQ(tail->end, 600);
        const auto last = batch_of(shard, 600, 1);  // behind all of them
        CHECK_EQ((co_await writer->append(*RecordBatchView::parse(last))).first_ordinal, 600);
        bool has_ended = false;
        Gate gate;
        Reactor::current().spawn(gate, wait_for_ever(&store, ShardUid{shard}, 601, &has_ended));
        while (!has_ended) {  // an interrupt ends only a wait that has begun
            co_await next_turn();
            co_await store.interrupt_waits();
        }
        co_await gate.close();
        CHECK_EQ(done_count, 200);
        for (std::size_t i = 0; i < ops.size(); ++i) {
            CHECK_EQ(ops[i].result.outcome, Outcome::Committed);
            CHECK_EQ(ops[i].result.first_ordinal, i * 3);
        }
        CHECK_EQ(co_await read_all(store, shard, 0, 4096), 601);
    }
}

Task<void> sealing(LogStore& store) {
    co_await configure(store);
    for (std::uint32_t shard = 1; shard <= 2; ++shard) {
        co_await append(store, shard, 0, 5);
        const auto sealed = co_await store.seal(ShardUid{shard}, {});
        REQUIRE(sealed.has_value());
        CHECK(sealed->is_sealed);
        CHECK_EQ(sealed->end, 5);
        CHECK((co_await store.seal(ShardUid{shard}, {})).has_value());
        CHECK((co_await store.wait_tail(ShardUid{shard}, 5, MonoTime::max()))->is_sealed);
        auto writer = *store.open_writer(ShardUid{shard}, {});
        const auto bytes = batch_of(shard, 5, 1);
        const auto refused = co_await writer->append(*RecordBatchView::parse(bytes));
        CHECK_EQ(refused.outcome, Outcome::Rejected);
        CHECK_EQ(refused.error.code, Errc::ShardClosed);
    }
}

Task<void> sealing_many(LogStore& store) {
    co_await configure(store);
    co_await append(store, 1, 0, 5);
    REQUIRE((co_await store.seal(ShardUid{2}, {})).has_value());
    const auto sealed =
        co_await store.seal_shards({ShardUid{2}, ShardUid{999'999}, ShardUid{1}}, {});
    REQUIRE_EQ(sealed.size(), 3);
    CHECK(sealed[0]->is_sealed);
    CHECK_EQ(sealed[0]->end, 0);
    CHECK_EQ(sealed[1].error().code, Errc::NotFound);
    CHECK(sealed[2]->is_sealed);
    CHECK_EQ(sealed[2]->end, 5);
    CHECK((co_await store.tail(ShardUid{1}))->is_sealed);
    CHECK((co_await store.seal_shards({}, {})).empty());
}

Task<void> fencing(LogStore& store) {
    co_await configure(store);
    for (std::uint32_t shard = 1; shard <= 2; ++shard) {
        auto older = *store.open_writer(ShardUid{shard}, {1});
        auto newer = *store.open_writer(ShardUid{shard}, {2});
        const auto bytes = batch_of(shard, 0, 1);
        const auto batch = *RecordBatchView::parse(bytes);
        CHECK_EQ((co_await newer->append(batch)).outcome, Outcome::Committed);
        CHECK_EQ((co_await older->append(batch)).outcome, Outcome::Fenced);
        CHECK_EQ(store.open_writer(ShardUid{shard}, {1}).error().code, Errc::Fenced);
        CHECK_EQ((co_await store.tail(ShardUid{shard}))->end, 1);
    }
}

Task<void> trimming(LogStore& store) {
    co_await configure(store);
    for (std::uint32_t shard = 1; shard <= 2; ++shard) {
        for (Ordinal first = 0; first < 10; ++first)
            co_await append(store, shard, first, 1);
        CHECK((co_await store.trim(ShardUid{shard}, 4)).has_value());
        CHECK((co_await store.trim(ShardUid{shard}, 2)).has_value());
        CHECK_EQ((co_await store.tail(ShardUid{shard}))->trim, 4);
        const auto result = co_await store.read(ShardUid{shard}, 0, {});
        REQUIRE_FALSE(result->batches.empty());
        CHECK_EQ(RecordBatchView::parse_stamped(result->batches[0].bytes)->first_ordinal(), 4);
        CHECK_EQ((co_await store.seek_time(ShardUid{shard}, from_millis(0))).value_or(0), 4);
    }
}

Task<void> bounding(LogStore& store) {
    co_await configure(store);
    // A bound below what one batch takes leaves at least the end in place, and appends go on.
    CHECK((co_await store.configure_shard(ShardUid{1}, {.max_bytes = 1})).has_value());
    for (Ordinal first = 0; first < 10; ++first)
        co_await append(store, 1, first, 1);
    CHECK_EQ((co_await store.tail(ShardUid{1}))->end, 10);
    // A shorter retention takes effect at once, a longer one brings nothing back.
    co_await append(store, 2, 0, 5);
    const auto arrived = (co_await store.tail(ShardUid{2}))->last_arrival;
    const auto soon = Reactor::current().clock().mono_now() + 5ms;
    CHECK((co_await store.wait_tail(ShardUid{2}, 99, soon)).has_value());
    CHECK((co_await store.configure_shard(ShardUid{2}, {.retention = 0ms})).has_value());
    CHECK((co_await store.read(ShardUid{2}, 0, {}))->batches.empty());
    CHECK_EQ((co_await store.tail(ShardUid{2}))->trim, 5);
    CHECK((co_await store.configure_shard(ShardUid{2}, {.retention = 48h})).has_value());
    CHECK((co_await store.read(ShardUid{2}, 0, {}))->batches.empty());
    CHECK_EQ((co_await store.seek_time(ShardUid{2}, arrived)).value_or(0), 5);
    co_await append(store, 2, 5, 3);
    CHECK_EQ(co_await read_all(store, 2, 5, 1_MiB), 8);
}

Task<void> dropping(LogStore& store) {
    // Shards 1 to 4 are all that the catalog knows now; 5 to 8 were there before the restart.
    Policies policies;
    for (std::uint32_t shard = 1; shard <= 4; ++shard)
        policies.emplace_back(ShardUid{shard}, ShardPolicy{});
    CHECK((co_await store.configure_shards(std::move(policies))).has_value());
    CHECK((co_await store.drop_unconfigured_shards(ShardUid{9})).has_value());
    CHECK_EQ((co_await store.read(ShardUid{7}, 0, {})).error().code, Errc::NotFound);
    for (std::uint32_t shard = 1; shard <= 4; ++shard)
        CHECK_EQ(co_await read_all(store, shard, 0, 1_MiB), 60);
}

Task<void> deleting(LogStore& store) {
    co_await configure(store);
    co_await append(store, 1, 0, 1);
    CHECK((co_await store.configure_shard(ShardUid{1}, {.is_deleted = true})).has_value());
    CHECK_EQ(store.open_writer(ShardUid{1}, {}).error().code, Errc::NotFound);
    CHECK_EQ((co_await store.read(ShardUid{1}, 0, {})).error().code, Errc::NotFound);
    CHECK_EQ((co_await store.wait_tail(ShardUid{1}, 5, MonoTime::max())).error().code,
             Errc::NotFound);
}

constexpr std::uint64_t kProducer = 0x1234'5678'9abc'def0;

std::vector<std::byte> produced(std::uint32_t shard, Ordinal first, std::uint32_t count,
                                std::uint32_t sequence) {
    RecordBatchBuilder builder;
    for (std::uint32_t i = 0; i < count; ++i)
        builder.add("key", as_bytes(fmt::format("{}:{}", shard, first + i)));
    const auto view = builder.finish(kProducer, sequence);
    return {view.bytes().begin(), view.bytes().end()};
}

Task<AppendResult> send(LogStore& store, std::uint32_t shard, std::vector<std::byte> bytes) {
    auto writer = store.open_writer(ShardUid{shard}, {});
    REQUIRE(writer.has_value());
    co_return co_await (*writer)->append(*RecordBatchView::parse(bytes));
}

Task<void> repeat(LogStore& store) {
    co_await configure(store);
    for (std::uint32_t shard = 1; shard <= 8; ++shard) {
        const auto unknown = co_await store.producer_position(ShardUid{shard}, kProducer);
        REQUIRE(unknown.has_value());
        CHECK_FALSE(unknown->is_known);
        const auto first = co_await send(store, shard, produced(shard, 0, 3, 10));
        REQUIRE_EQ(first.outcome, Outcome::Committed);
        CHECK_FALSE(first.is_duplicate);
        const auto second = co_await send(store, shard, produced(shard, 3, 2, 13));
        CHECK_EQ(second.first_ordinal, 3);
        const auto again = co_await send(store, shard, produced(shard, 0, 3, 10));
        CHECK_EQ(again.outcome, Outcome::Committed);
        CHECK(again.is_duplicate);
        CHECK_EQ(again.first_ordinal, first.first_ordinal);
        CHECK(again.arrival == first.arrival);
        const auto gap = co_await send(store, shard, produced(shard, 5, 2, 16));
        CHECK_EQ(gap.outcome, Outcome::Rejected);
        CHECK_EQ(gap.error.code, Errc::SequenceGap);
        const auto overlap = co_await send(store, shard, produced(shard, 5, 2, 14));
        CHECK_EQ(overlap.error.code, Errc::SequenceConflict);
        const auto old = co_await send(store, shard, produced(shard, 5, 2, 8));
        CHECK_EQ(old.error.code, Errc::SequenceStale);
        CHECK_EQ(co_await read_all(store, shard, 0, 1_MiB), 5);
    }
}

Task<void> repeat_after_restart(LogStore& store) {
    co_await configure(store);
    for (std::uint32_t shard = 1; shard <= 8; ++shard) {
        const auto position = co_await store.producer_position(ShardUid{shard}, kProducer);
        REQUIRE(position.has_value());
        CHECK(position->is_known);
        CHECK_EQ(position->next_sequence, 15);
        CHECK_EQ(position->end, 5);
        const auto again = co_await send(store, shard, produced(shard, 3, 2, 13));
        CHECK(again.is_duplicate);
        CHECK_EQ(again.first_ordinal, 3);
        CHECK((co_await store.seal(ShardUid{shard}, {})).has_value());
        CHECK((co_await send(store, shard, produced(shard, 0, 3, 10))).is_duplicate);
        CHECK_EQ((co_await send(store, shard, produced(shard, 5, 3, 15))).error.code,
                 Errc::ShardClosed);
        CHECK_EQ(co_await read_all(store, shard, 0, 1_MiB), 5);
    }
}

Task<void> repeat_in_flight(LogStore& store) {
    co_await configure(store);
    auto writer = *store.open_writer(ShardUid{2}, {});
    int done_count = 0;
    std::vector<Counting> ops(100);
    for (std::size_t i = 0; i < ops.size(); ++i) {
        auto& op = ops[i];
        const auto number = static_cast<std::uint32_t>(i / 2 * 3);  // each batch twice
        op.bytes = produced(2, number, 3, number);
        op.shard = ShardUid{2};
        op.batch = *RecordBatchView::parse(op.bytes);
        op.done_count = &done_count;
        op.done = [](AppendOp& ended) noexcept { ++*static_cast<Counting&>(ended).done_count; };
        writer->submit(op);
    }
    (void)co_await store.wait_tail(ShardUid{2}, 149, MonoTime::max());
    const auto position = co_await store.producer_position(ShardUid{2}, kProducer);
    CHECK_EQ(position->next_sequence, 150);
    while (done_count < 100)
        (void)co_await store.tail(ShardUid{2});
    for (std::size_t i = 0; i < ops.size(); ++i) {
        REQUIRE_EQ(ops[i].result.outcome, Outcome::Committed);
        CHECK_EQ(ops[i].result.first_ordinal, i / 2 * 3);
        CHECK_EQ(ops[i].result.is_duplicate, i % 2 == 1);
    }
    CHECK_EQ(co_await read_all(store, 2, 0, 1_MiB), 150);
}

}  // namespace

void check_log_store(const std::function<std::unique_ptr<LogStoreUnderTest>()>& make) {
    SUBCASE("what nobody has told of does not exist") { make()->run(unknown_shards); }
    SUBCASE("committed records are read back, from anywhere, also after a restart") {
        auto log = make();
        log->run(write_some);
        log->run([](LogStore& store) { return check_some(store, 60); });
        log->restart();
        log->run(configure);
        log->run([](LogStore& store) { return check_some(store, 60); });
        log->run([](LogStore& store) -> Task<void> {
            for (std::uint32_t shard = 1; shard <= 8; ++shard)
                co_await append(store, shard, 60, 2);
        });
        log->run([](LogStore& store) { return check_some(store, 62); });
    }
    SUBCASE("many appends in flight end once each, in order, and their bytes are copied") {
        make()->run(pipelined);
    }
    SUBCASE("a sealed shard is closed for ever") { make()->run(sealing); }
    SUBCASE("many shards are sealed in one call, each with its outcome") {
        make()->run(sealing_many);
    }
    SUBCASE("a greater epoch fences the older owner") { make()->run(fencing); }
    SUBCASE("trimmed records are not read again") { make()->run(trimming); }
    SUBCASE("a deleted shard is gone") { make()->run(deleting); }
    SUBCASE("an idempotent producer's batch is stored once, also after a restart and a seal") {
        auto log = make();
        log->run(repeat);
        log->restart();
        log->run(repeat_after_restart);
    }
    SUBCASE("a repetition in flight ends with its first copy") { make()->run(repeat_in_flight); }
    SUBCASE("retention and max_bytes change while it runs") { make()->run(bounding); }
    SUBCASE("shards that the catalog no longer knows after a restart are gone") {
        auto log = make();
        log->run(write_some);
        log->restart();
        log->run(dropping);
    }
}

}  // namespace tidemill::contract
