#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "engine/base/bytes.h"
#include "engine/base/crc32c.h"
#include "engine/base/error.h"
#include "engine/base/hash_key.h"
#include "engine/base/histogram.h"
#include "engine/base/random.h"
#include "engine/base/result.h"
#include "engine/base/uint128.h"

using namespace tidemill;

TEST_SUITE("engine/base") {
    TEST_CASE("a flipped bit is found by what it does to the checksum") {
        std::string text = "the quick brown fox jumps over the lazy dog";
        const auto whole = crc32c(as_bytes(text));
        for (std::size_t bit = 0; bit < text.size() * 8; ++bit) {
            auto flipped = text;
            flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
            CHECK_EQ(flipped_bit(text.size(), crc32c(as_bytes(flipped)) ^ whole), bit);
        }
        for (std::size_t bit = 0; bit < 32; ++bit)
            CHECK_EQ(flipped_bit(text.size(), 1u << bit), text.size() * 8 + bit);
        text[3] = 'X', text[30] = 'Y';
        CHECK_FALSE(flipped_bit(text.size(), crc32c(as_bytes(text)) ^ whole).has_value());
        CHECK_FALSE(flipped_bit(text.size(), 0).has_value());
    }

    TEST_CASE("crc32c gives RFC 3720's values, in one piece or in two, fast or portable") {
        CHECK_EQ(crc32c(as_bytes("123456789")), 0xe3069283u);
        const std::string zeros(32, '\0');
        CHECK_EQ(crc32c(as_bytes(zeros)), 0x8a9136aau);
        Random random(7);
        for (const std::size_t size : {0u, 1u, 7u, 8u, 255u, 511u, 512u, 768u, 1000u, 5000u, 12288u, 40001u}) {
            std::string text(size, ' ');
            for (auto& c : text)
                c = static_cast<char>(random.next());
            const auto whole = crc32c(as_bytes(text));
            CHECK_EQ(whole, crc32c_portable(as_bytes(text)));
            const std::size_t cut = size / 3;
            const std::string_view view = text;
            CHECK_EQ(whole,
                     crc32c(as_bytes(view.substr(cut)), crc32c(as_bytes(view.substr(0, cut)))));
        }
    }

    TEST_CASE("128-bit numbers print and parse, and refuse what is not one") {
        CHECK_EQ(to_decimal(kUint128Max), "340282366920938463463374607431768211455");
        CHECK(parse_decimal_uint128("340282366920938463463374607431768211455") == kUint128Max);
        CHECK(parse_decimal_uint128("0") == uint128{0});
        for (const auto* bad :
             {"", "00", "01", "-1", "1e3", "340282366920938463463374607431768211456", " 1"})
            CHECK_FALSE(parse_decimal_uint128(bad).has_value());
    }

    TEST_CASE("a partition key hashes to its MD5 as a big-endian number") {
        // RFC 1321: MD5("a") = 0cc175b9c0f1b6a831c399e269772661
        CHECK_EQ(to_decimal(hash_partition_key("a")), "16955237001963240173058271559858726497");
    }

    TEST_CASE("varints round-trip and a cut one is refused") {
        std::byte buffer[kVarintMax];
        for (const std::uint64_t value :
             {0ull, 1ull, 127ull, 128ull, 16383ull, 16384ull, ~0ull, 1ull << 63}) {
            const auto* end = put_varint(buffer, value);
            CHECK_EQ(static_cast<std::size_t>(end - buffer), varint_size(value));
            std::uint64_t back = 0;
            CHECK_EQ(get_varint(buffer, end, back), end);
            CHECK_EQ(back, value);
            CHECK_EQ(get_varint(buffer, end - 1, back), nullptr);
        }
        const std::vector<std::byte> long_form(11, std::byte{0x80});
        std::uint64_t value = 0;
        CHECK_EQ(get_varint(long_form.data(), long_form.data() + long_form.size(), value), nullptr);
    }

    TEST_CASE("histogram quantiles are within a bucket of the sorted values") {
        Random random(3);
        Histogram histogram;
        std::vector<std::uint64_t> values;
        for (int i = 0; i < 20000; ++i) {
            values.push_back(random.next() >> (random.below(60)));
            histogram.record(values.back());
        }
        std::ranges::sort(values);
        for (const double q : {0.0, 0.5, 0.9, 0.99, 0.999, 1.0}) {
            const auto rank =
                std::max<std::size_t>(1, static_cast<std::size_t>(std::ceil(q * 20000)));
            const auto exact = static_cast<double>(values[rank - 1]);
            const auto got = static_cast<double>(histogram.quantile(q));
            CHECK_GE(got, exact);
            CHECK_LE(got, exact * (1 + 1.0 / 32) + 1);
        }
        CHECK_EQ(histogram.max(), values.back());
    }

    TEST_CASE("every error code has a row with a name and a meaning") {
        std::size_t count = 0;
        const ErrcInfo* rows = all_errors(count);
        REQUIRE_EQ(count, static_cast<std::size_t>(Errc::Internal) + 1);
        for (std::size_t i = 0; i < count; ++i) {
            CHECK_EQ(info(rows[i].code).name, rows[i].name);
            CHECK_FALSE(rows[i].name.empty());
            CHECK_FALSE(rows[i].meaning.empty());
        }
    }

    TEST_CASE("TRY and ASSIGN hand the error on") {
        const auto half = [](int n) -> Result<int> {
            if (n % 2 != 0) return fail(Errc::InvalidArgument, "odd");
            return n / 2;
        };
        const auto quarter = [&](int n) -> Result<int> {
            ASSIGN(const int h, half(n));
            TRY(half(h));
            return half(h);
        };
        CHECK_EQ(*quarter(8), 2);
        CHECK_EQ(quarter(6).error().code, Errc::InvalidArgument);
    }
}
