#include "console/commands/shard_map.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "console/commands/output.h"
#include "console/commands/stream_view.h"
#include "console/repl/text_table.h"
#include "engine/base/uint128.h"

namespace tidemill::console {
namespace {

constexpr std::size_t kClosedShown = 12;
constexpr std::size_t kBarCellsMin = 12;

double fraction(std::string_view key) {
    const auto number = parse_decimal_uint128(key);
    return number ? std::ldexp(static_cast<double>(*number), -128) : 0;
}

std::string parents_text(const client::ShardDescription& shard) {
    if (!shard.parent) return "";
    if (!shard.adjacent_parent) return fmt::format("split of {}", *shard.parent);
    return fmt::format("{} + {}", *shard.parent, *shard.adjacent_parent);
}

std::string children_text(const client::StreamDescription& stream, std::uint32_t index) {
    std::string text;
    for (const auto& shard : stream.shards)
        if (shard.parent == index || shard.adjacent_parent == index)
            text += fmt::format("{}{}", text.empty() ? "" : ", ", shard.index);
    return text.empty() ? text : "now " + text;
}

std::string lineage_text(const client::StreamDescription& stream,
                         const client::ShardDescription& shard) {
    const auto from = parents_text(shard), to = children_text(stream, shard.index);
    return from.empty() ? to : to.empty() ? from : from + "; " + to;
}

std::string percent(double share) {
    const double value = 100 * share;
    return value < 0.1 ? "<0.1 %" : fmt::format("{:.3g} %", value);
}

/// Open shards by their ranges, then closed ones, the latest first.
std::vector<std::size_t> order_of(const client::StreamDescription& stream, bool shows_all) {
    std::vector<std::size_t> order(stream.shards.size());
    std::iota(order.begin(), order.end(), 0);
    std::ranges::sort(order, [&](std::size_t a, std::size_t b) {
        const auto &left = stream.shards[a], &right = stream.shards[b];
        if (left.is_open() != right.is_open()) return left.is_open();
        if (!left.is_open()) return left.index > right.index;
        return share_of(left).from < share_of(right).from;
    });
    const auto open = static_cast<std::size_t>(
        std::ranges::count_if(stream.shards, &client::ShardDescription::is_open));
    if (!shows_all) order.resize(std::min(order.size(), open + kClosedShown));
    return order;
}

std::string rate(double value, bool is_bytes) {
    if (value < 0.5) return "-";
    return is_bytes ? short_bytes(value) : short_count(value);
}

std::string headline(const client::StreamDescription& stream,
                     const std::vector<client::ShardRate>& rates) {
    client::ShardRate all;
    for (const auto& one : rates) {
        all.records_in += one.records_in;
        all.bytes_in += one.bytes_in;
        all.records_out += one.records_out;
        all.bytes_out += one.bytes_out;
    }
    const auto open = std::ranges::count_if(stream.shards, &client::ShardDescription::is_open);
    return fmt::format(
        "{}  {}  {}  {} open shard{} of {}   in {} rec/s {}/s   out {} rec/s {}/s\n", stream.name,
        stream.status, stream.is_on_demand ? "on demand" : "provisioned", open,
        open == 1 ? "" : "s", stream.shards.size(), short_count(all.records_in),
        short_bytes(all.bytes_in), short_count(all.records_out), short_bytes(all.bytes_out));
}

}  // namespace

ShardState state_of(const client::ShardDescription& shard) {
    if (shard.is_open()) return ShardState::Open;
    const bool is_gone = shard.end > 0 && shard.trim >= shard.end;
    return is_gone ? ShardState::Expired : ShardState::Closed;
}

std::string state_text(ShardState state) {
    return state == ShardState::Open ? "open" : state == ShardState::Closed ? "closed" : "expired";
}

KeyShare share_of(const client::ShardDescription& shard) {
    return {fraction(shard.first_hash_key), fraction(shard.last_hash_key)};
}

std::string range_bar(KeyShare share, std::size_t cells, ShardState state) {
    const auto count = static_cast<double>(cells);
    auto first = static_cast<std::size_t>(std::round(share.from * count));
    auto last = static_cast<std::size_t>(std::round(share.to * count));
    const bool is_narrow = last <= first;
    first = std::min(first, cells - 1);
    last = std::max(last, first + 1);
    const char* full = state == ShardState::Open     ? (is_narrow ? "▌" : "█")
                       : state == ShardState::Closed ? "▒"
                                                     : "·";
    std::string bar;
    for (std::size_t cell = 0; cell < cells; ++cell)
        bar += cell >= first && cell < last ? full : " ";
    return bar;
}

std::string draw_shard_map(const client::StreamDescription& stream,
                           const std::vector<client::ShardRate>& rates,
                           const ShardMapStyle& style) {
    std::string scale = "0";
    scale.resize(style.bar_cells - 5, ' ');
    scale += "2^128";
    TextTable table({"shard", "state", scale, "keys", "records", "in rec/s", "in B/s", "out rec/s",
                     "out B/s", "lineage"});
    const auto order = order_of(stream, style.shows_all);
    for (const std::size_t place : order) {
        const auto& shard = stream.shards[place];
        const auto share = share_of(shard);
        const auto state = state_of(shard);
        const auto used = place < rates.size() ? rates[place] : client::ShardRate{};
        table.add({std::to_string(shard.index), state_text(state),
                   range_bar(share, style.bar_cells, state), percent(share.width()),
                   short_count(static_cast<double>(shard.end - std::min(shard.trim, shard.end))),
                   rate(used.records_in, false), rate(used.bytes_in, true),
                   rate(used.records_out, false), rate(used.bytes_out, true),
                   lineage_text(stream, shard)});
    }
    std::string text = headline(stream, rates) + "\n" + table.to_string();
    if (const auto hidden = stream.shards.size() - order.size(); hidden > 0)
        text += fmt::format("and {} older closed shard{}; --all shows them\n", hidden,
                            hidden == 1 ? "" : "s");
    return text;
}

ShardMapStyle fit_shard_map(const client::StreamDescription& stream,
                            const std::vector<client::ShardRate>& rates, ShardMapStyle style,
                            std::size_t columns) {
    const std::string text = draw_shard_map(stream, rates, style);
    std::string_view table = text;
    table.remove_prefix(table.find("\n\n") + 2);
    std::size_t width = 0;
    for (; !table.empty(); table.remove_prefix(table.find('\n') + 1))
        width = std::max(width, display_width(table.substr(0, table.find('\n'))));
    if (width > columns)
        style.bar_cells =
            std::max(kBarCellsMin, style.bar_cells - std::min(width - columns, style.bar_cells));
    return style;
}

std::string shard_map_json(const client::StreamDescription& stream, std::size_t place,
                           const std::vector<client::ShardRate>& rates) {
    const auto& shard = stream.shards[place];
    const auto used = place < rates.size() ? rates[place] : client::ShardRate{};
    std::string parents;
    for (const auto& parent : {shard.parent, shard.adjacent_parent})
        if (parent) parents += fmt::format("{}{}", parents.empty() ? "" : ",", *parent);
    return fmt::format(
        R"({{"stream":{},"shard_id":{},"index":{},"state":"{}","first_hash_key":"{}","last_hash_key":"{}",)"
        R"("share":{:.6f},"records":{},"parents":[{}],"created":"{}","records_in_per_second":{:.1f},)"
        R"("bytes_in_per_second":{:.1f},"records_out_per_second":{:.1f},"bytes_out_per_second":{:.1f}}})",
        json_string(stream.name), json_string(shard.id), shard.index, state_text(state_of(shard)),
        shard.first_hash_key, shard.last_hash_key, share_of(shard).width(),
        shard.end - std::min(shard.trim, shard.end), parents, iso_time(millis(shard.created)),
        used.records_in, used.bytes_in, used.records_out, used.bytes_out);
}

}  // namespace tidemill::console
