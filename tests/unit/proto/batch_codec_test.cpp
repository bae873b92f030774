#include "proto/batch_codec.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <lz4.h>
#include <zstd.h>

#include "engine/base/random.h"
#include "proto/wire_limits.h"
#include "tests/unit/proto/forged_batch.h"

using namespace tidemill;

namespace {

using Buffer = std::vector<std::byte>;

struct Plain {
    std::vector<std::string> keys, data;
    bool operator==(const Plain&) const = default;
};

RecordBatchBuilder readings(int count, std::uint64_t seed, Plain* written = nullptr) {
    Random random(seed);
    RecordBatchBuilder builder;
    for (int i = 0; i < count; ++i) {
        const auto key = fmt::format("sensor-{}", random.below(20));
        const auto data = fmt::format(
            R"({{"timestamp":"2014-07-01 {:02}:{:02}:00","value":{},"unit":"passengers"}})",
            i / 60 % 24, i % 60, random.below(20000));
        builder.add(key, as_bytes(data));
        if (written != nullptr) {
            written->keys.push_back(key);
            written->data.push_back(data);
        }
    }
    return builder;
}

Status read_into(RecordCursor cursor, Plain& read) {
    for (RecordView record; cursor.next(record);) {
        read.keys.emplace_back(record.partition_key);
        read.data.emplace_back(as_text(record.data));
    }
    return cursor.status();
}

Errc code_of(BatchOpener& opener, Bytes batch) {
    Plain ignored;
    const Status status = read_into(opener.open(RecordBatchView::trusted(batch)), ignored);
    return status ? Errc::Internal : status.error().code;  // Internal stands for: it could be read
}

Buffer zstd_frame(Bytes plain, bool says_size = true) {
    ZSTD_CCtx* context = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, says_size ? 1 : 0);
    Buffer bytes(ZSTD_compressBound(plain.size()));
    bytes.resize(ZSTD_compress2(context, bytes.data(), bytes.size(), plain.data(), plain.size()));
    ZSTD_freeCCtx(context);
    return bytes;
}

Buffer lz4_block(Bytes plain) {
    Buffer bytes(static_cast<std::size_t>(LZ4_compressBound(static_cast<int>(plain.size()))));
    bytes.resize(static_cast<std::size_t>(LZ4_compress_default(
        reinterpret_cast<const char*>(plain.data()), reinterpret_cast<char*>(bytes.data()),
        static_cast<int>(plain.size()), static_cast<int>(bytes.size()))));
    return bytes;
}

Buffer from_hex(std::string_view text) {
    Buffer bytes;
    for (std::size_t i = 0; i + 1 < text.size(); i += 3)
        bytes.push_back(
            static_cast<std::byte>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16)));
    return bytes;
}

// One record, key "k", data 300 times "a".
constexpr std::string_view kLz4Example = "5f 02 ac 02 6b 61 01 00 ff 14 50 61 61 61 61 61";
constexpr std::string_view kZstdExample =
    "28 b5 2f fd 60 30 00 65 00 00 28 02 ac 02 6b 61 01 00 28 2a d0 02";

const Compression kAll[] = {{Codec::Lz4, 0}, {Codec::Zstd, 1}, {Codec::Zstd, 9}};

}  // namespace

TEST_SUITE("batch codec") {
    TEST_CASE("a compressed batch is smaller and gives the same records back") {
        BatchOpener opener;
        for (const auto& compression : kAll) {
            BatchCompressor compressor(compression);
            Buffer to;
            for (const int count : {5, 300, 20'000}) {
                Plain written, read;
                auto builder = readings(count, 3, &written);
                const auto plain = builder.finish(77, 5);
                const auto packed = compressor.compress(plain, to);
                REQUIRE_EQ(packed.bytes().data(), to.data());
                CHECK_LT(packed.bytes().size(), plain.bytes().size() * 3 / 4);
                const auto parsed = RecordBatchView::parse(packed.bytes());
                REQUIRE(parsed.has_value());
                CHECK_EQ(parsed->record_count(), static_cast<std::uint32_t>(count));
                CHECK_EQ(parsed->header().producer_id, 77);
                CHECK_EQ(parsed->header().producer_sequence, 5);
                stamp_record_batch(to, ShardUid{9}, 1000, from_millis(123456), 1);
                const auto stamped = RecordBatchView::parse_stamped(to);
                REQUIRE(stamped.has_value());
                CHECK(stamped->payload_is_intact());
                RecordCursor cursor = opener.open(*stamped);
                RecordView record;
                REQUIRE(cursor.next(record));
                CHECK_EQ(cursor.ordinal(), 1000);
                REQUIRE(read_into(opener.open(*stamped), read).has_value());
                CHECK((read == written));
            }
        }
    }

    TEST_CASE("what would not shrink goes as it is") {
        Random random(5);
        for (const auto& compression : kAll) {
            BatchCompressor compressor(compression);
            Buffer to{std::byte{1}};
            RecordBatchBuilder noise, small;
            Buffer data(5000);
            for (auto& byte : data)
                byte = static_cast<std::byte>(random.below(256));
            noise.add("k", data);
            small.add("k", as_bytes(std::string(200, 'a')));
            for (auto* builder : {&noise, &small}) {
                const auto plain = builder->finish();
                const auto same = compressor.compress(plain, to);
                CHECK_EQ(same.bytes().data(), plain.bytes().data());
                CHECK_EQ(same.header().codec, 0);
            }
            CHECK_EQ(to.size(), 1);
        }
        BatchCompressor none({});
        auto builder = readings(100, 1);
        const auto plain = builder.finish();
        Buffer to;
        CHECK_EQ(none.compress(plain, to).bytes().data(), plain.bytes().data());
    }

    TEST_CASE("the checksum covers the compressed bytes: every flipped bit is seen unopened") {
        for (const auto& compression : kAll) {
            BatchCompressor compressor(compression);
            auto builder = readings(20, 9);
            Buffer bytes;
            compressor.compress(builder.finish(), bytes);
            REQUIRE(RecordBatchView::parse(bytes).has_value());
            for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
                if (bit / 8 >= 32 && bit / 8 < 64) continue;  // the broker's half
                auto damaged = bytes;
                damaged[bit / 8] ^= static_cast<std::byte>(1u << bit % 8);
                CHECK_FALSE(RecordBatchView::parse(damaged).has_value());
            }
        }
    }

    TEST_CASE("every truncation is Corrupt, also with a checksum that matches") {
        BatchOpener opener;
        auto builder = readings(30, 2);
        const auto plain = builder.finish();
        const Bytes records = plain.bytes().subspan(sizeof(RecordBatchHeader));
        const auto size = static_cast<std::uint32_t>(records.size());
        const std::pair<Codec, Buffer> forms[] = {{Codec::Lz4, lz4_block(records)},
                                                  {Codec::Zstd, zstd_frame(records)},
                                                  {Codec::Zstd, zstd_frame(records, false)}};
        for (const auto& [codec, payload] : forms) {
            CHECK_EQ(code_of(opener, forged_batch(codec, 30, size, payload)), Errc::Internal);
            for (std::size_t cut = 0; cut < payload.size(); ++cut)
                CHECK_EQ(code_of(opener, forged_batch(codec, 30, size, Bytes{payload}.first(cut))),
                         Errc::Corrupt);
            // Bytes behind the end, and a length that is not the truth.
            auto longer = payload;
            longer.push_back({});
            CHECK_EQ(code_of(opener, forged_batch(codec, 30, size, longer)), Errc::Corrupt);
            for (const std::uint32_t says : {0u, 1u, 60u, size - 1, size + 1, size * 2})
                CHECK_EQ(code_of(opener, forged_batch(codec, 30, says, payload)), Errc::Corrupt);
            // A count that is not the truth.
            for (const std::uint32_t count : {29u, 31u, size})
                CHECK_EQ(code_of(opener, forged_batch(codec, count, size, payload)), Errc::Corrupt);
        }
        // Two frames that would be the records together.
        auto two = zstd_frame(records.first(100));
        const auto second = zstd_frame(records.subspan(100));
        two.insert(two.end(), second.begin(), second.end());
        CHECK_EQ(code_of(opener, forged_batch(Codec::Zstd, 30, size, two)), Errc::Corrupt);
        // A header cut away, and a codec of the future.
        auto header_only = forged_batch(Codec::Zstd, 30, size, {});
        CHECK_EQ(code_of(opener, Bytes{header_only}.first(64)), Errc::Corrupt);
        CHECK_EQ(code_of(opener, forged_batch(Codec{3}, 30, size, two)), Errc::Unsupported);
    }

    TEST_CASE("a bomb is refused before memory is taken for it, at the door too") {
        BatchOpener opener;
        const Buffer zeros(32_MiB);
        const auto bomb = zstd_frame(zeros);
        CHECK_LT(bomb.size(), 4096);
        for (const std::uint32_t says :
             {32u << 20, 0xffffffffu, std::uint32_t{wire_limits::kRecordsBytesMax} + 1}) {
            const auto batch = forged_batch(Codec::Zstd, 1, says, bomb);
            const auto parsed = RecordBatchView::parse(batch);
            REQUIRE_FALSE(parsed.has_value());
            CHECK_EQ(parsed.error().code, Errc::Corrupt);
            CHECK_EQ(code_of(opener, batch), Errc::Corrupt);
        }
        // The frame says more than the batch: refused by the frame's own header.
        CHECK_EQ(code_of(opener, forged_batch(Codec::Zstd, 1, 1000, bomb)), Errc::Corrupt);
        CHECK_EQ(opener.memory_bytes(), 0);
        // Without a size in the frame the room given is the limit.
        CHECK_EQ(code_of(opener, forged_batch(Codec::Zstd, 1, 1000, zstd_frame(zeros, false))),
                 Errc::Corrupt);
        CHECK_LE(opener.memory_bytes(), 1024);
        // LZ4 cannot make so much of so little, and more records than bytes cannot be.
        CHECK_FALSE(RecordBatchView::parse(forged_batch(Codec::Lz4, 1, 10'000'000, Buffer(100)))
                        .has_value());
        CHECK_EQ(code_of(opener, forged_batch(Codec::Lz4, 1, 10'000'000, Buffer(100))),
                 Errc::Corrupt);
        CHECK_FALSE(RecordBatchView::parse(forged_batch(Codec::Zstd, 501, 1000, bomb)).has_value());
        CHECK_LE(opener.memory_bytes(), 1024);
        // The largest that is allowed opens.
        RecordBatchBuilder builder;
        builder.add("k", Bytes{zeros}.first(wire_limits::kRecordsBytesMax - 6));
        REQUIRE_EQ(builder.bytes(), wire_limits::kBatchBytesMax);
        Buffer to;
        BatchCompressor compressor({Codec::Zstd, 1});
        const auto largest = compressor.compress(builder.finish(), to);
        CHECK_LT(largest.bytes().size(), 4096);
        REQUIRE(RecordBatchView::parse(largest.bytes()).has_value());
        Plain read;
        REQUIRE(read_into(opener.open(largest), read).has_value());
        CHECK_EQ(read.data[0].size(), wire_limits::kRecordsBytesMax - 6);
        CHECK_EQ(opener.memory_bytes(), wire_limits::kBatchBytesMax);
    }

    TEST_CASE("an opener serves batch after batch with the memory of the largest") {
        BatchOpener opener;
        BatchCompressor lz4({Codec::Lz4, 0}), zstd({Codec::Zstd, 3});
        Buffer a, b;
        auto small = readings(50, 1), large = readings(3000, 2);
        const auto first = lz4.compress(large.finish(), a);
        const auto second = zstd.compress(small.finish(), b);
        Plain ignored;
        REQUIRE(read_into(opener.open(first), ignored).has_value());
        const std::size_t held = opener.memory_bytes();
        for (int i = 0; i < 10; ++i) {
            Plain read;
            REQUIRE(read_into(opener.open(i % 2 == 0 ? second : first), read).has_value());
            CHECK_EQ(read.data.size(), i % 2 == 0 ? 50u : 3000u);
            // A batch that cannot be opened harms nobody after it.
            CHECK_EQ(code_of(opener, forged_batch(Codec::Zstd, 1, 100, Buffer(40))), Errc::Corrupt);
        }
        CHECK_EQ(opener.memory_bytes(), held);
        BatchOpener moved(std::move(opener));
        CHECK_EQ(moved.memory_bytes(), held);
        REQUIRE(read_into(moved.open(second), ignored).has_value());
    }

    TEST_CASE("the example of docs/formats/record_batch.md") {
        BatchOpener opener;
        const auto lz4 = forged_batch(Codec::Lz4, 1, 304, from_hex(kLz4Example));
        const auto zstd = forged_batch(Codec::Zstd, 1, 304, from_hex(kZstdExample));
        for (const auto& batch : {lz4, zstd}) {
            Plain read;
            REQUIRE(RecordBatchView::parse(batch).has_value());
            REQUIRE(read_into(opener.open(RecordBatchView::trusted(batch)), read).has_value());
            CHECK((read == Plain{{"k"}, {std::string(300, 'a')}}));
        }
    }

    TEST_CASE("the setting's text") {
        for (const auto* text : {"none", "lz4", "zstd", "zstd:9", "zstd:19"}) {
            const auto compression = parse_compression(text);
            REQUIRE(compression.has_value());
            CHECK_EQ(to_string(*compression), text);
        }
        CHECK((*parse_compression("zstd") == Compression{Codec::Zstd, kZstdLevelDefault}));
        for (const auto* bad : {"", "gzip", "ZSTD", "zstd:", "zstd:0", "zstd:20", "zstd:-1",
                                "zstd:1x", "lz4:1", "zstd:99999999999"})
            CHECK_EQ(parse_compression(bad).error().code, Errc::InvalidArgument);
    }
}
