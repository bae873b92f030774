#include <doctest/doctest.h>

#include "engine/log/verify.h"
#include "tests/unit/engine/log/log_fixture.h"

using namespace tidemill;
using namespace tidemill::test;

namespace {

LogConfig eager_log() {
    auto config = small_log();
    config.rewrite_gain_min = 64_KiB;
    config.idle_after = 10s;
    return config;
}

/// Ends the process and checks all that it left.
void check_sound(const std::shared_ptr<SimStorage>& storage) {
    TestReactor reactor(storage);
    const auto report = reactor.run(verify_log(reactor.disk(), "log"));
    REQUIRE(report.has_value());
    CHECK_MESSAGE(report->is_sound(), to_text(*report));
}

void fill(LogProcess& process, std::vector<std::uint32_t> shards, int batches) {
    for (int i = 0; i < batches; ++i)
        for (const auto shard : shards)
            REQUIRE_EQ(process.append(shard, 20, 1000).outcome, Outcome::Committed);
}

Ordinal first_of(LogProcess& process, std::uint32_t shard) {
    const auto read = process.read(shard, 0);
    REQUIRE_MESSAGE(read.has_value(), (read ? "" : read.error().to_string()));
    if (read->batches.empty()) return read->tail.end;
    return load_le<RecordBatchHeader>(read->batches[0].bytes.data()).first_ordinal;
}

}  // namespace

TEST_SUITE("log/retention") {
    TEST_CASE("a deleted shard's space comes back although another shares its segments") {
        auto storage = std::make_shared<SimStorage>(1);
        {
            LogProcess process(storage, eager_log());
            for (int i = 0; i < 60; ++i) {
                fill(process, {1}, 5);
                fill(process, {2}, 1);
            }
            const auto before = storage->used_bytes();
            process.configure(1, {.is_deleted = true});
            process.reactor.advance(60s);
            const auto stats = process.stats();
            CHECK_GT(stats.segments_rewritten, 2);
            CHECK_LT(storage->used_bytes(), before / 2);
            CHECK_LT(stats.segment_bytes, before / 2);
            CHECK_GT(stats.freed_bytes, before / 2);
            CHECK_EQ(process.verify(2).value_or(0), process.next[2]);
            CHECK_EQ(process.verify(2, 100).value_or(0), process.next[2]);
            // And the log goes on.
            fill(process, {2, 3}, 50);
            CHECK_EQ(process.verify(2).value_or(0), process.next[2]);
            CHECK_EQ(process.verify(3).value_or(0), process.next[3]);
        }
        check_sound(storage);
        LogProcess again(storage, eager_log(), {2, 3});
        CHECK_EQ(again.verify(2).value_or(0), 60 * 20 + 50 * 20);
        CHECK_EQ(again.verify(3).value_or(0), 50 * 20);
        CHECK(again.reports.empty());
    }

    TEST_CASE("an idle lane gives back all but a little when everything in it is deleted") {
        auto storage = std::make_shared<SimStorage>(1);
        {
            LogProcess process(storage, eager_log());
            fill(process, {1}, 400);
            process.configure(1, {.is_deleted = true});
            process.reactor.advance(60s);
            CHECK_LT(storage->used_bytes(), 1_MiB + 256_KiB);
            CHECK_EQ(process.append(2, 5).outcome, Outcome::Committed);
            CHECK_EQ(process.verify(2).value_or(0), 5);
        }
        check_sound(storage);
        LogProcess again(storage, eager_log(), {2});
        CHECK_EQ(again.verify(2).value_or(0), 5);
    }

    TEST_CASE("what was deleted while nobody looked goes after the next start") {
        auto storage = std::make_shared<SimStorage>(1);
        {
            LogProcess process(storage, eager_log());
            fill(process, {1, 2}, 100);
        }
        const auto before = storage->used_bytes();
        LogProcess again(storage, eager_log(), {2});
        again.reactor.advance(30s);
        CHECK_EQ(again.stats().segments_rewritten, 0);  // the catalog may not have come to it yet
        CHECK(again.reactor.run(again.store->drop_unconfigured_shards(ShardUid{1})).has_value());
        again.reactor.advance(30s);
        CHECK_EQ(again.stats().segments_rewritten, 0);  // a shard that the catalog never had
        CHECK_EQ(again.reports.size(), 1);
        CHECK(again.reactor.run(again.store->drop_unconfigured_shards(ShardUid{3})).has_value());
        again.reactor.advance(60s);
        CHECK_GT(again.stats().segments_rewritten, 0);
        CHECK_LT(storage->used_bytes(), before * 3 / 4);
        CHECK_EQ(again.verify(2).value_or(0), 2000);
    }

    TEST_CASE("a short retention does not wait for a long one on the same lane") {
        auto storage = std::make_shared<SimStorage>(1);
        Ordinal end = 0;
        {
            LogProcess process(storage, eager_log());
            process.configure(1, {.retention = 1h});
            process.configure(2, {.retention = 87'600h});
            for (int i = 0; i < 200; ++i) {
                fill(process, {1}, 2);
                if (i % 4 == 0) fill(process, {2}, 1);
                process.reactor.advance(1min);
            }
            end = process.next[1];
            const auto stats = process.stats();
            CHECK_GT(stats.segments_rewritten, 1);
            // An hour of shard 1 is 60 * 40 records of 1 KB, all of shard 2 is 1 MB.
            CHECK_LT(stats.segment_bytes, 9_MiB);
            CHECK_EQ(first_of(process, 2), 0);
            CHECK_EQ(process.verify(2).value_or(0), process.next[2]);
            const auto first = first_of(process, 1);
            CHECK_EQ(end - first, 60 * 40);
            CHECK_EQ(process.verify(1, first).value_or(0), end);
            CHECK_EQ(process.read(1, 0)->tail.trim, first);
        }
        check_sound(storage);
        LogProcess again(storage, eager_log());
        again.configure(1, {.retention = 87'600h});
        again.configure(2, {.retention = 87'600h});
        CHECK_EQ(again.tail(1)->end, end);
        const auto first = first_of(again, 1);
        CHECK_EQ(again.verify(1, first).value_or(0), end);
        CHECK_EQ(again.verify(2).value_or(0), 50 * 20);
    }

    TEST_CASE("a changed retention takes effect on reads at once and brings nothing back") {
        LogProcess process(std::make_shared<SimStorage>(1), eager_log());
        process.configure(1, {.retention = 10h});
        fill(process, {1}, 10);
        process.reactor.advance(2h);
        fill(process, {1}, 10);
        CHECK_EQ(first_of(process, 1), 0);
        process.configure(1, {.retention = 1h});
        CHECK_EQ(first_of(process, 1), 200);
        CHECK_EQ(process.tail(1)->trim, 200);
        process.configure(1, {.retention = 100h});
        CHECK_EQ(first_of(process, 1), 200);
        // Also when nobody has read meanwhile.
        process.reactor.advance(50h);
        fill(process, {1}, 10);
        process.configure(1, {.retention = 1h});
        process.configure(1, {.retention = 100h});
        CHECK_EQ(first_of(process, 1), 400);
        CHECK_EQ(
            process.reactor.run(process.store->seek_time(ShardUid{1}, from_millis(0))).value_or(0),
            400);
        process.reactor.advance(99h);
        CHECK_EQ(first_of(process, 1), 400);
        process.reactor.advance(2h);
        CHECK_EQ(first_of(process, 1), 600);
    }

    TEST_CASE("trimmed records make room in the middle of the log") {
        auto storage = std::make_shared<SimStorage>(1);
        Ordinal end = 0;
        {
            LogProcess process(storage, eager_log());
            fill(process, {2}, 5);
            fill(process, {1}, 300);
            fill(process, {2}, 5);
            end = process.next[1];
            const auto before = storage->used_bytes();
            REQUIRE(process.trim(1, end - 30).has_value());
            process.reactor.advance(60s);
            CHECK_LT(storage->used_bytes(), before / 2);
            CHECK_EQ(process.verify(1, end - 30).value_or(0), end);
            CHECK_EQ(process.verify(2).value_or(0), 200);
            storage->crash();
        }
        check_sound(storage);
        LogProcess again(storage, eager_log());
        CHECK_EQ(again.tail(1)->trim, end - 30);
        CHECK_EQ(again.verify(1, end - 30).value_or(0), end);
        CHECK_EQ(again.verify(2).value_or(0), 200);
        again.next[1] = end;
        CHECK_EQ(again.append(1).first_ordinal, end);
    }

    TEST_CASE("no ordinal is given twice when only rewritten segments tell of a shard") {
        auto storage = std::make_shared<SimStorage>(1);
        Ordinal end = 0;
        {
            LogProcess process(storage, eager_log());
            fill(process, {2}, 2);
            fill(process, {1}, 300);
            end = process.next[1];
            REQUIRE(process.trim(1, end).has_value());
            process.reactor.advance(60s);
        }
        // All footers and seals: every ends table is gone, the commits are left.
        for (int n = 1; n < 40; ++n) {
            const auto name = fmt::format("log/lane-0000/file-{:06}", n);
            if (!storage->contents(name)) continue;
            storage->flip_bit(name, 4096 + 20, 0);
            storage->flip_bit(name, 4096 + 2048 + 20, 0);
        }
        LogProcess again(storage, eager_log());
        REQUIRE(again.opened.has_value());
        CHECK_EQ(again.tail(1)->end, end);
        CHECK_EQ(again.append(1).first_ordinal, end);
        CHECK_EQ(again.verify(2).value_or(0), 40);
    }

    TEST_CASE("a shard stays within its max_bytes, oldest first, also after a restart") {
        auto storage = std::make_shared<SimStorage>(1);
        Ordinal end = 0, first = 0;
        {
            LogProcess process(storage, eager_log());
            process.configure(1, {.max_bytes = 2_MiB});
            for (int i = 0; i < 100; ++i) {
                fill(process, {1}, 5);
                if (i % 10 == 0) fill(process, {2}, 1);
                process.reactor.advance(1s);
                if (i > 0) {
                    const auto tail = process.tail(1);
                    CHECK_LE((tail->end - tail->trim) * 1000, 2_MiB);
                    CHECK_GE((tail->end - tail->trim) * 1000,
                             std::min<std::uint64_t>(2_MiB * 9 / 10, process.next[1] * 1000));
                }
            }
            end = process.next[1];
            first = first_of(process, 1);
            CHECK_GT(first, 0);
            CHECK_EQ(process.verify(1, first).value_or(0), end);
            process.reactor.advance(60s);
            CHECK_LT(storage->used_bytes(), 8_MiB);
            CHECK_EQ(process.verify(2).value_or(0), 200);
            CHECK_GT(process.stats().size_trims, 5);
        }
        check_sound(storage);
        LogProcess again(storage, eager_log());
        CHECK_EQ(first_of(again, 1), first);
        again.configure(1, {.max_bytes = 1_MiB});
        again.reactor.advance(3s);
        const auto tail = again.tail(1);
        CHECK_LE((tail->end - tail->trim) * 1000, 1_MiB);
        CHECK_GE((tail->end - tail->trim) * 1000, 1_MiB * 8 / 10);
        CHECK_EQ(again.verify(1, tail->trim).value_or(0), end);
    }

    TEST_CASE("a full budget refuses producers, lets trims through, and recovers with space") {
        auto config = eager_log();
        config.disk_budget_bytes = 16_MiB;
        auto storage = std::make_shared<SimStorage>(1);
        {
            LogProcess process(storage, config);
            AppendResult result;
            for (int i = 0; i < 2000; ++i) {
                result = process.append(i % 4 == 0 ? 2 : 1, 20, 1000);
                if (result.outcome != Outcome::Committed) break;
            }
            CHECK_EQ(result.outcome, Outcome::Rejected);
            CHECK_EQ(result.error.code, Errc::NoSpace);
            CHECK_NE(result.error.message.find("budget"), std::string::npos);
            CHECK_GT(process.stats().rejected_no_space, 0);
            CHECK_LE(process.stats().space_used_bytes, 16_MiB);
            // Whole-segment trims of shard 1 are half of everything; it must go through though.
            REQUIRE(process.trim(1, process.next[1]).has_value());
            CHECK(process.reactor.run(process.store->seal(ShardUid{3}, {})).has_value());
            process.reactor.advance(30s);
            CHECK_LT(process.stats().space_used_bytes, 12_MiB);
            CHECK_EQ(process.append(2, 20, 1000).outcome, Outcome::Committed);
            CHECK_EQ(process.verify(2).value_or(0), process.next[2]);
        }
        check_sound(storage);
    }

    TEST_CASE("with drop_oldest the newest records stay and the log never refuses") {
        auto config = eager_log();
        config.disk_budget_bytes = 16_MiB;
        config.when_full = WhenFull::DropOldest;
        auto storage = std::make_shared<SimStorage>(1);
        Ordinal end = 0;
        {
            LogProcess process(storage, config);
            fill(process, {2}, 1);
            fill(process, {1}, 1500);
            end = process.next[1];
            const auto stats = process.stats();
            CHECK_LE(stats.space_used_bytes, 16_MiB);
            CHECK_GT(stats.dropped_early_segments, 5);
            CHECK_GT(stats.dropped_early_bytes, 5_MiB);
            CHECK_FALSE(process.reports.empty());
            const auto first = process.tail(1)->trim;
            CHECK_GT(first, 1000);
            CHECK_EQ(first_of(process, 1), first);
            CHECK_EQ(process.verify(1, first).value_or(0), end);
            CHECK_EQ(process.tail(2)->trim, 20);  // all of it was in the oldest
            CHECK(process.read(2, 0)->batches.empty());
        }
        check_sound(storage);
        LogProcess again(storage, config);
        CHECK_EQ(again.tail(1)->end, end);
        CHECK_EQ(again.verify(1, first_of(again, 1)).value_or(0), end);
        CHECK_EQ(again.tail(2)->end, 20);
        CHECK(again.read(2, 0)->batches.empty());
        again.next[2] = 20;
        CHECK_EQ(again.append(2).first_ordinal, 20);
    }

    TEST_CASE("a reader that stands in a segment while it is rewritten goes on undisturbed") {
        auto config = eager_log();
        config.rewrite_bytes_per_second = 1_MiB;
        config.read_cache_bytes = 2_MiB;
        LogProcess process(std::make_shared<SimStorage>(1), config);
        for (int i = 0; i < 60; ++i) {
            fill(process, {1}, 5);
            fill(process, {2}, 1);
        }
        process.configure(1, {.is_deleted = true});
        for (int i = 0; i < 300; ++i) {
            process.reactor.advance(100ms);
            const Ordinal from = static_cast<Ordinal>(i * 4);
            CHECK_EQ(process.verify(2, from).value_or(0), process.next[2]);
        }
        CHECK_GT(process.stats().segments_rewritten, 2);
    }

    TEST_CASE("a damaged batch is copied as it is, and still refused") {
        auto storage = std::make_shared<SimStorage>(1);
        {
            LogProcess process(storage, eager_log());
            for (int i = 0; i < 60; ++i) {
                fill(process, {1}, 3);
                fill(process, {2}, 1);
            }
        }
        std::string file;
        std::uint64_t at = 0;
        Ordinal lost = 0;
        {
            TestReactor reactor(storage);
            int n = 0;
            (void)reactor.run(
                verify_log(reactor.disk(), "log",
                           [&](const auto& segment, const auto& commit, const auto& entry, bool) {
                               if (entry.shard != 2 || ++n != 7) return;
                               file = segment.file;
                               at = commit.position + entry.offset + 500;
                               lost = entry.first_ordinal;
                           }));
        }
        storage->flip_bit(file, at, 1);
        LogProcess process(storage, eager_log());
        process.configure(1, {.is_deleted = true});
        process.reactor.advance(60s);
        CHECK_GT(process.stats().segments_rewritten, 1);
        CHECK_EQ(process.read(2, lost).error().code, Errc::Corrupt);
        CHECK_EQ(process.verify(2, lost + 20).value_or(0), 1200);
        CHECK_EQ(std::ranges::count_if(
                     process.reports,
                     [](const auto& text) { return text.find("copied") != std::string::npos; }),
                 1);
    }

    TEST_CASE("stopping and a failed write end a rewriting; the segment stands as it was") {
        auto storage = std::make_shared<SimStorage>(1);
        auto config = eager_log();
        config.rewrite_bytes_per_second = 200_KiB;
        Ordinal end = 0;
        {
            LogProcess process(storage, config);
            for (int i = 0; i < 60; ++i) {
                fill(process, {1}, 5);
                fill(process, {2}, 1);
            }
            end = process.next[2];
            process.configure(1, {.is_deleted = true});
            process.reactor.advance(3s);
            storage->fail_next(SimCall::Write, EIO);
            process.reactor.advance(3s);
            CHECK_EQ(process.verify(2).value_or(0), end);
            storage->fail_next(SimCall::Write, EIO);
            (void)process.append(2);  // breaks the lane while a segment is being rewritten
            process.reactor.advance(2s);
            CHECK_EQ(process.stats().reopened, 1);
            process.next[2] = process.tail(2)->end;
            CHECK_EQ(process.verify(2).value_or(0), process.next[2]);
            process.reactor.advance(8s);
            end = process.next[2];
        }
        check_sound(storage);
        LogProcess again(storage, config, {2});
        CHECK_EQ(again.verify(2).value_or(0), end);
    }
}
