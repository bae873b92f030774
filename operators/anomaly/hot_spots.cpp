#include "operators/anomaly/hot_spots.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "engine/base/crc32c.h"
#include "operators/anomaly/hot_spots_state.h"

namespace tidemill::anomaly {

namespace {

constexpr std::uint32_t kMagic = 0x53484d54;  // "TMHS"
constexpr std::uint32_t kVersion = 1;
constexpr std::uint32_t kMaxColumns = 30, kMaxWindow = 1 << 20;

Status in_range(std::string_view name, std::uint64_t value, std::uint64_t low, std::uint64_t high) {
    if (value >= low && value <= high) return {};
    return fail(Errc::InvalidArgument, fmt::format("HOTSPOTS: {} is {}, it must be from {} to {}.",
                                                   name, value, low, high));
}

template <class T>
void put_number(std::string& text, T value) {
    char digits[32];
    text.append(digits, std::to_chars(std::begin(digits), std::end(digits), value).ptr);
}

void put_list(std::string& text, std::string_view name, std::span<const double> values) {
    text += name;
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (i > 0) text += ',';
        put_number(text, values[i]);
    }
    text += ']';
}

template <class T>
void put(std::vector<std::byte>& out, T value) {
    const auto at = out.size();
    out.resize(at + sizeof value);
    store_le(out.data() + at, value);
}

class Reader {
 public:
    explicit Reader(Bytes bytes) : bytes_(bytes) {}
    template <class T>
    T take() {
        if (bytes_.size() < sizeof(T)) {
            is_short_ = true;
            return {};
        }
        const auto value = load_le<T>(bytes_.data());
        bytes_ = bytes_.subspan(sizeof(T));
        return value;
    }
    std::size_t rest() const { return bytes_.size(); }
    bool is_short() const { return is_short_; }

 private:
    Bytes bytes_;
    bool is_short_ = false;
};

std::unexpected<Error> damaged(std::string_view why) {
    return fail(Errc::Corrupt, fmt::format("The snapshot of a hot spot detector {}.", why));
}

}  // namespace

Status HotSpotConfig::validate() const {
    TRY(in_range("the number of numeric columns", columns, 1, kMaxColumns));
    TRY(in_range("windowSize", window, 2, kMaxWindow));
    TRY(in_range("minimumNumberOfPointsInAHotspot", minimum, 2, window));
    if (!(radius > 0) || !std::isfinite(radius))
        return fail(Errc::InvalidArgument,
                    fmt::format("HOTSPOTS: scanRadius is {}, it must be above 0.", radius));
    return {};
}

/// The box, if a record at its edge has left.
void HotSpotDetector::Impl::measure(Component& component) {
    if (component.is_box_known) return;
    component.is_box_known = true;
    component.low.clear();
    const auto index = static_cast<std::uint32_t>(&component - components.data());
    // Over the window, where that is less than over the neighbours of each core.
    if (count < std::uint64_t{component.cores} * config.minimum) {
        for (std::uint32_t i = 0; i < count; ++i) {
            const auto slot = slot_of(oldest + i);
            if (label[slot] == index || (!is_core(slot) && touches(slot, index, kNone)))
                enter_box(component, slot);
        }
        return;
    }
    for (auto core = component.first; core != kNone; core = next[core]) {
        enter_box(component, core);
        for (const auto record : near[core])
            if (is_alive(record) && !is_core(slot_of(record)))
                enter_box(component, slot_of(record));
    }
}

std::optional<double> HotSpotDetector::Impl::density(const Component& component) const {
    double volume = 1;
    bool has_width = false;
    for (std::size_t i = 0; i < config.columns; ++i) {
        const double width = component.high[i] - component.low[i];
        if (width == 0) continue;
        has_width = true;
        volume *= width;
    }
    if (!has_width) return std::nullopt;
    const double density = (component.cores + component.borders) / volume;
    if (!std::isfinite(density)) return std::nullopt;
    return density;
}

std::span<const HotSpot> HotSpotDetector::Impl::hot_spots() {
    spots.clear();
    for (const auto index : order) {
        auto& one = components[index];
        measure(one);
        spots.push_back({one.id, one.cores + one.borders, density(one), one.low, one.high});
    }
    return spots;
}

std::string_view HotSpotDetector::Impl::text() {
    if (is_whole_text_known) return whole_text;
    whole_text = R"({"hotspots":[)";
    for (const auto index : order) {
        auto& one = components[index];
        if (!one.is_text_known) {
            measure(one);
            if (!one.is_box_text_known) {
                one.box_text.clear();
                put_list(one.box_text, R"(,"minValues":[)", one.low);
                put_list(one.box_text, R"(,"maxValues":[)", one.high);
                one.box_text += '}';
                one.is_box_text_known = true;
            }
            one.text = "{";
            if (config.has_identity) {
                one.text += R"("id":)";
                put_number(one.text, one.id);
                one.text += R"(,"records":)";
                put_number(one.text, one.cores + one.borders);
                one.text += ',';
            }
            one.text += R"("density":)";
            if (const auto value = density(one))
                put_number(one.text, *value);
            else
                one.text += "null";
            one.text += one.box_text;
            one.is_text_known = true;
        }
        if (index != order.front()) whole_text += ',';
        whole_text += one.text;
    }
    whole_text += "]}";
    is_whole_text_known = true;
    return whole_text;
}

HotSpotDetector::HotSpotDetector(const HotSpotConfig& config)
    : impl_(std::make_unique<Impl>(config)) {}
HotSpotDetector::HotSpotDetector(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HotSpotDetector::~HotSpotDetector() = default;
HotSpotDetector::HotSpotDetector(HotSpotDetector&&) noexcept = default;
HotSpotDetector& HotSpotDetector::operator=(HotSpotDetector&&) noexcept = default;

const HotSpotConfig& HotSpotDetector::config() const { return impl_->config; }
std::size_t HotSpotDetector::size() const { return impl_->count; }
void HotSpotDetector::insert(std::span<const double> record) { impl_->insert(record); }
void HotSpotDetector::expire() { impl_->expire(); }
std::span<const HotSpot> HotSpotDetector::hot_spots() { return impl_->hot_spots(); }
std::string_view HotSpotDetector::text() { return impl_->text(); }

std::size_t HotSpotDetector::memory_bytes(const HotSpotConfig& config) {
    constexpr std::size_t kRecord = 100, kPair = 8;
    return config.window * (kRecord + config.columns * sizeof(double) + config.minimum * kPair);
}

std::vector<HotSpotEvent> HotSpotDetector::take_events() {
    impl_->keeps_events = true;
    return std::exchange(impl_->events, {});
}

std::vector<std::uint64_t> HotSpotDetector::core_ids() const {
    std::vector<std::uint64_t> ids;
    for (std::uint32_t i = 0; i < impl_->count; ++i) {
        const auto slot = impl_->slot_of(impl_->oldest + i);
        ids.push_back(impl_->is_core(slot) ? impl_->components[impl_->label[slot]].id : 0);
    }
    return ids;
}

std::vector<std::byte> HotSpotDetector::snapshot() const {
    const auto& state = *impl_;
    std::vector<std::byte> out;
    out.reserve(64 + state.count * (state.config.columns + 1) * sizeof(double));
    put(out, kMagic);
    put(out, kVersion);
    put(out, state.config.columns);
    put(out, state.config.window);
    put(out, state.config.minimum);
    put(out, std::uint32_t{state.config.has_identity});
    put(out, state.config.radius);
    put(out, state.next_id);
    put(out, state.count);
    const auto ids = core_ids();
    for (std::uint32_t i = 0; i < state.count; ++i) {
        for (const double value : state.point(state.slot_of(state.oldest + i)))
            put(out, value);
        put(out, ids[i]);
    }
    put(out, crc32c(out));
    return out;
}

// Clusters are made again from the records; only their numbers are taken over.
Result<HotSpotDetector> HotSpotDetector::restore(Bytes snapshot) {
    if (snapshot.size() < sizeof(std::uint32_t)) return damaged("is too short");
    const auto body = snapshot.first(snapshot.size() - sizeof(std::uint32_t));
    if (crc32c(body) != load_le<std::uint32_t>(snapshot.data() + body.size()))
        return damaged("has a wrong checksum");
    Reader reader(body);
    if (reader.take<std::uint32_t>() != kMagic) return damaged("is none");
    if (reader.take<std::uint32_t>() != kVersion) return damaged("is of another version");
    HotSpotConfig config;
    config.columns = reader.take<std::uint32_t>();
    config.window = reader.take<std::uint32_t>();
    config.minimum = reader.take<std::uint32_t>();
    config.has_identity = reader.take<std::uint32_t>() != 0;
    config.radius = reader.take<double>();
    const auto next_id = reader.take<std::uint64_t>();
    const auto count = reader.take<std::uint32_t>();
    if (reader.is_short() || !config.validate() || count > config.window ||
        reader.rest() != std::size_t{count} * (config.columns + 1) * sizeof(double))
        return damaged("does not fit together");
    auto state = std::make_unique<Impl>(config);
    std::vector<double> record(config.columns);
    std::vector<std::uint64_t> ids(count);
    for (std::uint32_t i = 0; i < count; ++i) {
        for (double& value : record) {
            value = reader.take<double>();
            if (!std::isfinite(value)) return damaged("has a value that is no number");
        }
        ids[i] = reader.take<std::uint64_t>();
        state->insert(record);
    }
    for (const auto index : state->order)
        state->components[index].id = 0;
    for (std::uint32_t i = 0; i < count; ++i) {
        const auto slot = state->slot_of(state->oldest + i);
        if (state->is_core(slot) != (ids[i] != 0) || ids[i] >= next_id)
            return damaged("has other clusters than its records");
        if (ids[i] == 0) continue;
        auto& one = state->components[state->label[slot]];
        if (one.id != 0 && one.id != ids[i]) return damaged("has one cluster under two numbers");
        one.id = ids[i];
    }
    state->next_id = next_id;
    const auto id = [&](std::uint32_t index) { return state->components[index].id; };
    std::ranges::sort(state->order, {}, id);
    if (std::ranges::adjacent_find(state->order, {}, id) != state->order.end())
        return damaged("has two clusters under one number");
    return HotSpotDetector(std::move(state));
}

}  // namespace tidemill::anomaly
