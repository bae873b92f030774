#include "console/commands/shard_map.h"

#include <algorithm>

#include <doctest/doctest.h>

#include "console/commands/redraw.h"
#include "console/repl/text_table.h"
#include "engine/base/uint128.h"

using namespace tidemill;
using namespace tidemill::console;

namespace {

client::ShardDescription shard(std::uint32_t index, uint128 first, uint128 last) {
    client::ShardDescription made;
    made.index = index;
    made.id = "shardId-" + std::to_string(index);
    made.first_hash_key = to_decimal(first);
    made.last_hash_key = to_decimal(last);
    return made;
}

constexpr uint128 kHalf = uint128{1} << 127;

client::StreamDescription split_stream() {
    client::StreamDescription stream;
    stream.name = "s";
    stream.status = "active";
    stream.shards.push_back(shard(0, 0, kUint128Max));
    stream.shards.push_back(shard(1, 0, kHalf - 1));
    stream.shards.push_back(shard(2, kHalf, kUint128Max));
    stream.shards[0].closed = std::chrono::system_clock::time_point{};
    stream.shards[0].end = 10;
    stream.shards[1].parent = stream.shards[2].parent = 0;
    return stream;
}

}  // namespace

TEST_CASE("a bar lies where the range does within the key space") {
    CHECK(range_bar({0, 1}, 4, ShardState::Open) == "████");
    CHECK(range_bar({0, 0.5}, 4, ShardState::Open) == "██  ");
    CHECK(range_bar({0.5, 1}, 4, ShardState::Closed) == "  ▒▒");
    CHECK(range_bar({0.25, 0.5}, 4, ShardState::Expired) == " ·  ");
    // However narrow, something is to be seen, also at the end.
    CHECK(range_bar({0.5, 0.5001}, 4, ShardState::Open) == "  ▌ ");
    CHECK(range_bar({0.9999, 1}, 4, ShardState::Open) == "   ▌");
    for (int i = 0; i < 100; ++i)
        CHECK(display_width(range_bar({i / 100.0, (i + 1) / 100.0}, 48, ShardState::Open)) == 48);
}

TEST_CASE("the bars of open shards cover the key space without gap or overlap") {
    const std::size_t cells = 48;
    for (std::uint32_t count = 1; count <= 24; ++count) {
        std::vector<int> covered(cells);
        for (std::uint32_t i = 0; i < count; ++i) {
            auto bar =
                range_bar({double(i) / count, double(i + 1) / count}, cells, ShardState::Open);
            std::size_t cell = 0;
            for (std::size_t at = 0; at < bar.size(); ++cell) {
                const bool is_full = bar[at] != ' ';
                at += is_full ? 3 : 1;
                covered[cell] += is_full ? 1 : 0;
            }
        }
        CHECK(covered == std::vector<int>(cells, 1));
    }
}

TEST_CASE("the map shows open shards by range, lineage both ways, and rates") {
    const auto stream = split_stream();
    std::vector<client::ShardRate> rates(3);
    rates[2] = {1500, 2e6, 0, 0};
    const auto text = draw_shard_map(stream, rates, {});
    CHECK(text.find("2 open shards of 3") != std::string::npos);
    CHECK(text.find("in 1.5 k rec/s 2 MB/s") != std::string::npos);
    CHECK(text.find("split of 0") != std::string::npos);
    CHECK(text.find("now 1, 2") != std::string::npos);
    CHECK(text.find("closed") > text.find("open"));
    CHECK(state_of(stream.shards[0]) == ShardState::Closed);
    const auto json = shard_map_json(stream, 2, rates);
    CHECK(json.find("\"parents\":[0]") != std::string::npos);
    CHECK(json.find("\"share\":0.500000") != std::string::npos);
    CHECK(json.find("\"records_in_per_second\":1500.0") != std::string::npos);
}

TEST_CASE("old closed shards are left out unless all are wanted") {
    client::StreamDescription stream;
    stream.shards.push_back(shard(0, 0, kUint128Max));
    for (std::uint32_t i = 1; i <= 30; ++i) {
        stream.shards.push_back(shard(i, 0, kUint128Max));
        stream.shards[i - 1].closed = std::chrono::system_clock::time_point{};
    }
    stream.shards[0].trim = stream.shards[0].end = 5;
    CHECK(draw_shard_map(stream, {}, {}).find("and 18 older closed shards; --all") !=
          std::string::npos);
    ShardMapStyle all;
    all.shows_all = true;
    CHECK(draw_shard_map(stream, {}, all).find("--all") == std::string::npos);
    CHECK(state_of(stream.shards[0]) == ShardState::Expired);
    CHECK(state_of(stream.shards[1]) == ShardState::Closed);  // never held anything
}

TEST_CASE("a map shrinks its bars to the width that there is") {
    const auto stream = split_stream();
    const auto width_at = [&](std::size_t columns) {
        const auto style = fit_shard_map(stream, {}, {}, columns);
        const auto text = draw_shard_map(stream, {}, style);
        std::size_t width = 0;
        std::string_view table = std::string_view(text).substr(text.find("\n\n") + 2);
        for (; !table.empty(); table.remove_prefix(table.find('\n') + 1))
            width = std::max(width, display_width(table.substr(0, table.find('\n'))));
        return width;
    };
    const auto whole = width_at(500);
    CHECK(width_at(whole) == whole);
    CHECK(width_at(whole - 1) == whole - 1);
    CHECK(width_at(whole - 20) == whole - 20);
    CHECK(width_at(10) == whole - 36);  // bars keep 12 cells
}

TEST_CASE("text is cut to the screen: lines by cells, colours closed, the rest counted") {
    CHECK(fit_to_screen("12345\n123456\n", {10, 5}) == "12345\n12345\n");
    CHECK(fit_to_screen("\u2588\u2588\u2588\n", {10, 2}) == "\u2588\u2588\n");
    CHECK(fit_to_screen("\x1b[31mred\x1b[0m\n", {10, 3}) == "\x1b[31mred\x1b[0m\n");
    CHECK(fit_to_screen("\x1b[31mred\x1b[0m\n", {10, 2}) == "\x1b[31mre\x1b[0m\n");
    CHECK(fit_to_screen("1\n2\n3\n", {4, 80}) == "1\n2\n3\n");
    CHECK(fit_to_screen("1\n2\n3\n4\n", {4, 80}) == "1\n2\n... 2 more lines\n");
}
