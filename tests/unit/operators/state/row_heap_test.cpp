#include "operators/state/row_heap.h"

#include <map>
#include <string>

#include <doctest/doctest.h>

#include "engine/base/random.h"
#include "operators/state/row_codec.h"

using namespace tidemill;
using namespace tidemill::sql;

TEST_SUITE("row heap") {
    TEST_CASE("pieces keep their bytes while others come and go, and memory follows what is kept") {
        for (std::uint64_t seed = 1; seed <= 5; ++seed) {
            CAPTURE(seed);
            Random random(seed);
            RowHeap heap;
            std::map<std::uint32_t, std::string> kept;
            std::size_t bytes = 0;
            for (int i = 0; i < 100'000; ++i) {
                // Grows to some thousands of pieces, then shrinks, again and again.
                const bool grows =
                    i / 20'000 % 2 == 0 ? random.below(3) != 0 : random.below(3) == 0;
                if (grows || kept.empty()) {
                    std::string piece(
                        random.below(50) == 0 ? random.below(100'000) : random.below(300),
                        static_cast<char>('a' + random.below(26)));
                    bytes += piece.size();
                    const auto number = heap.put(piece);
                    REQUIRE_FALSE(kept.contains(number));
                    kept[number] = std::move(piece);
                } else {
                    auto victim = kept.lower_bound(static_cast<std::uint32_t>(random.below(8000)));
                    if (victim == kept.end()) victim = kept.begin();
                    REQUIRE_EQ(heap.get(victim->first), victim->second);
                    bytes -= victim->second.size();
                    heap.drop(victim->first);
                    kept.erase(victim);
                }
                REQUIRE(heap.allocated_bytes() <= 2 * (bytes + kept.size() * 8) + (5u << 20));
            }
            CHECK_EQ(heap.size(), kept.size());
            for (const auto& [number, piece] : kept)
                REQUIRE_EQ(heap.get(number), piece);
        }
    }

    TEST_CASE("a piece larger than a chunk") {
        RowHeap heap;
        const std::string large(5 << 20, 'x');
        const auto a = heap.put("a"), b = heap.put(large), c = heap.put("c");
        CHECK_EQ(heap.get(b), large);
        heap.drop(b);
        CHECK_EQ(heap.get(a), "a");
        CHECK_EQ(heap.get(c), "c");
    }

    TEST_CASE("bytes that are no row are seen") {
        const RowCodec codec({TypeKind::BigInt, Type::varchar(10)});
        Column number(TypeKind::BigInt), text(Type::varchar(10));
        number.append_int(7);
        text.append_text("seven");
        const Column* columns[] = {&number, &text};
        std::string bytes;
        codec.encode(columns, 0, bytes);
        REQUIRE(codec.is_valid(bytes));
        for (std::size_t size = 0; size < bytes.size(); ++size)
            CHECK_FALSE(codec.is_valid(std::string_view(bytes).substr(0, size)));
        CHECK_FALSE(codec.is_valid(bytes + "x"));
        bytes[1 + 8] = '\x7f';
        CHECK_FALSE(codec.is_valid(bytes));
    }
}
