#include "operators/anomaly/hot_spots_state.h"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "engine/base/check.h"

namespace tidemill::anomaly {

namespace {
constexpr std::size_t kFirstSlots = 64;
}

HotSpotDetector::Impl::Impl(const HotSpotConfig& c)
    : config(c), grid(c.columns, c.radius, c.window), squared_radius(c.radius * c.radius) {
    TM_CHECK(c.validate().has_value());
    grow();
}

template <class F>
void HotSpotDetector::Impl::for_each_near(std::uint32_t slot, F&& visit) {
    auto& records = near[slot];
    for (std::size_t i = 0; i < records.size();) {
        if (is_alive(records[i])) {
            visit(slot_of(records[i++]));
        } else {
            records[i] = records.back();
            records.pop_back();
        }
    }
}

/// Whether a core of `component` other than `except` is next to the record.
bool HotSpotDetector::Impl::touches(std::uint32_t slot, std::uint32_t component,
                                    std::uint32_t except) {
    if (core_degree[slot] == 0) return false;
    for (const auto record : near[slot]) {
        const auto other = slot_of(record);
        if (is_alive(record) && label[other] == component && other != except) return true;
    }
    return false;
}

/// The components of the cores next to a record, into `labels`.
void HotSpotDetector::Impl::collect_labels(std::uint32_t slot) {
    labels.clear();
    if (core_degree[slot] == 0) return;
    for_each_near(slot, [&](std::uint32_t other) {
        if (is_core(other) && std::ranges::find(labels, label[other]) == labels.end())
            labels.push_back(label[other]);
    });
}

// Twice as many slots; the records go where their numbers say.
void HotSpotDetector::Impl::grow() {
    const std::size_t old_size = degree.size();
    const std::size_t size = old_size == 0 ? kFirstSlots : old_size * 2;
    const auto old_mask = mask;
    const auto columns = config.columns;
    mask = static_cast<std::uint32_t>(size - 1);
    const auto move = [&](auto& values, auto empty) {
        std::remove_reference_t<decltype(values)> moved(size, empty);
        for (std::uint32_t i = 0; i < count; ++i)
            moved[(oldest + i) & mask] = std::move(values[(oldest + i) & old_mask]);
        values = std::move(moved);
    };
    std::vector<double> moved(size * columns);
    for (std::uint32_t i = 0; i < count; ++i)
        std::copy_n(points.data() + std::size_t{(oldest + i) & old_mask} * columns, columns,
                    moved.data() + std::size_t{(oldest + i) & mask} * columns);
    points = std::move(moved);
    move(near, std::vector<RecordNumber>());
    move(degree, std::uint32_t{0});
    move(core_degree, std::uint32_t{0});
    move(label, kNone);
    found.resize(size);
    next.assign(size, kNone);
    previous.assign(size, kNone);
    stamp.assign(size, 0);
    walker.assign(size, 0);
    grid.reset(size);
    for (const auto component : order)
        components[component].first = kNone;
    for (std::uint32_t i = 0; i < count; ++i) {
        const auto slot = slot_of(oldest + i);
        grid.add(slot, point(slot));
        if (!is_core(slot)) continue;
        const auto component = std::exchange(label[slot], kNone);
        --components[component].cores;
        link(slot, component);
    }
}

std::uint32_t HotSpotDetector::Impl::create() {
    std::uint32_t index;
    if (free_components.empty()) {
        index = static_cast<std::uint32_t>(components.size());
        components.emplace_back();
    } else {
        index = free_components.back();
        free_components.pop_back();
        components[index] = {};
    }
    components[index].id = next_id++;
    order.push_back(index);
    is_whole_text_known = false;
    return index;
}

void HotSpotDetector::Impl::destroy(std::uint32_t component) {
    order.erase(std::ranges::find(order, component));
    free_components.push_back(component);
    is_whole_text_known = false;
}

void HotSpotDetector::Impl::add_event(HotSpotEvent::Kind kind, std::uint64_t id,
                                      std::uint64_t other) {
    if (keeps_events) events.push_back({kind, id, other});
}

void HotSpotDetector::Impl::link(std::uint32_t slot, std::uint32_t component) {
    auto& to = components[component];
    label[slot] = component;
    previous[slot] = kNone;
    next[slot] = to.first;
    if (to.first != kNone) previous[to.first] = slot;
    to.first = slot;
    ++to.cores;
}

void HotSpotDetector::Impl::unlink(std::uint32_t slot) {
    auto& from = components[std::exchange(label[slot], kNone)];
    if (next[slot] != kNone) previous[next[slot]] = previous[slot];
    if (previous[slot] != kNone)
        next[previous[slot]] = next[slot];
    else
        from.first = next[slot];
    --from.cores;
}

void HotSpotDetector::Impl::touch(Component& component) {
    component.is_text_known = false;
    is_whole_text_known = false;
}

void HotSpotDetector::Impl::enter_box(Component& component, std::uint32_t slot) {
    touch(component);
    if (!component.is_box_known) return;
    const auto values = point(slot);
    if (component.low.empty()) {
        component.low.assign(values.begin(), values.end());
        component.high = component.low;
        component.is_box_text_known = false;
        return;
    }
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (values[i] < component.low[i]) {
            component.low[i] = values[i];
            component.is_box_text_known = false;
        }
        if (values[i] > component.high[i]) {
            component.high[i] = values[i];
            component.is_box_text_known = false;
        }
    }
}

void HotSpotDetector::Impl::leave_box(Component& component, std::uint32_t slot) {
    touch(component);
    if (!component.is_box_known) return;
    const auto values = point(slot);
    for (std::size_t i = 0; i < values.size(); ++i)
        if (values[i] <= component.low[i] || values[i] >= component.high[i])
            component.is_box_known = component.is_box_text_known = false;
}

/// The records in the window within the radius, into `found`. Whether one is near cannot be
/// foreseen, so nothing branches on it.
void HotSpotDetector::Impl::find_near(std::span<const double> record) {
    const auto columns = config.columns;
    const double* const here = record.data();
    const double* const there = points.data();
    auto* const out = found.data();
    std::size_t n = 0;
    const auto visit = [&](std::uint32_t other, auto width) {
        const double* const at = there + std::size_t{other} * width;
        double square = 0;
        for (std::uint32_t i = 0; i < width; ++i)
            square += (here[i] - at[i]) * (here[i] - at[i]);
        out[n] = record_at(other);
        n += square <= squared_radius ? 1 : 0;
    };
    // Beyond a few columns most are told apart by the first ones.
    constexpr std::uint32_t kFew = 4;
    if (columns > kFew)
        grid.for_each_near(record, [&](std::uint32_t other) {
            const double* const at = there + std::size_t{other} * columns;
            double square = 0;
            for (std::uint32_t i = 0; i < columns; ++i) {
                square += (here[i] - at[i]) * (here[i] - at[i]);
                if (i % kFew == 1 && square > squared_radius) return;
            }
            if (square <= squared_radius) out[n++] = record_at(other);
        });
    else if (columns == 2)
        grid.for_each_near(record, [&](std::uint32_t other) {
            visit(other, std::integral_constant<std::uint32_t, 2>());
        });
    else
        grid.for_each_near(record, [&](std::uint32_t other) { visit(other, columns); });
    found_count = n;
}

void HotSpotDetector::Impl::insert(std::span<const double> record) {
    TM_CHECK(record.size() == config.columns);
    if (count == config.window) expire();
    if (count == degree.size()) grow();
    const RecordNumber number = oldest + count;
    const auto slot = slot_of(number);
    std::ranges::copy(
        record, points.begin() + static_cast<std::ptrdiff_t>(std::size_t{slot} * config.columns));
    label[slot] = kNone;
    find_near(record);
    auto& neighbours = near[slot];
    neighbours.assign(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(found_count));
    grid.add(slot, record);
    ++count;
    gained.clear();
    std::uint32_t cores = 0;
    for (const auto neighbour : neighbours) {
        const auto other = slot_of(neighbour);
        near[other].push_back(number);
        if (++degree[other] == config.minimum) gained.push_back(other);
        cores += is_core(other) ? 1 : 0;
    }
    degree[slot] = 1 + static_cast<std::uint32_t>(neighbours.size());
    core_degree[slot] = cores;
    collect_labels(slot);
    for (const auto component : labels) {
        ++components[component].borders;
        enter_box(components[component], slot);
    }
    if (degree[slot] >= config.minimum) gained.push_back(slot);
    for (const auto core : gained)
        gain_core(core);
}

void HotSpotDetector::Impl::gain_core(std::uint32_t slot) {
    collect_labels(slot);
    std::uint32_t target = kNone;
    for (const auto component : labels) {
        auto& candidate = components[component];
        --candidate.borders;
        if (target == kNone || candidate.cores > components[target].cores ||
            (candidate.cores == components[target].cores && candidate.id < components[target].id))
            target = component;
    }
    if (target == kNone) {
        target = create();
        add_event(HotSpotEvent::Kind::Born, components[target].id);
    }
    for (const auto component : labels)
        if (component != target) merge(component, target, slot);
    link(slot, target);
    enter_box(components[target], slot);
    for_each_near(slot, [&](std::uint32_t other) {
        if (!is_core(other) && !touches(other, target, slot)) {
            ++components[target].borders;
            enter_box(components[target], other);
        }
        ++core_degree[other];
    });
}

/// Joins two components over `bridge`, which is about to become a core and counts in neither.
void HotSpotDetector::Impl::merge(std::uint32_t from, std::uint32_t into, std::uint32_t bridge) {
    auto& smaller = components[from];
    auto& larger = components[into];
    std::uint32_t in_both = 0;
    ++mark;
    for (auto core = smaller.first; core != kNone; core = next[core])
        for_each_near(core, [&](std::uint32_t other) {
            if (is_core(other) || other == bridge || stamp[other] == mark) return;
            stamp[other] = mark;
            if (touches(other, into, kNone)) ++in_both;
        });
    larger.borders += smaller.borders - in_both;
    larger.is_box_known = larger.is_box_known && smaller.is_box_known;
    larger.is_box_text_known = false;
    if (larger.is_box_known)
        for (std::size_t i = 0; i < config.columns; ++i) {
            larger.low[i] = std::min(larger.low[i], smaller.low[i]);
            larger.high[i] = std::max(larger.high[i], smaller.high[i]);
        }
    while (smaller.first != kNone) {
        const auto core = smaller.first;
        unlink(core);
        link(core, into);
    }
    touch(larger);
    add_event(HotSpotEvent::Kind::Merged, smaller.id, larger.id);
    destroy(from);
}

void HotSpotDetector::Impl::expire() {
    TM_CHECK(count > 0);
    const auto slot = slot_of(oldest);
    grid.remove(slot, point(slot));
    ++oldest;
    --count;
    left.clear();
    for_each_near(slot, [&](std::uint32_t other) { left.push_back(other); });
    affected.clear();
    seeds.clear();
    const auto lose = [&](std::uint32_t core, bool has_left) {
        if (std::ranges::find(affected, label[core]) == affected.end())
            affected.push_back(label[core]);
        lose_core(core, has_left);
    };
    lost.clear();
    if (is_core(slot)) {
        lost.push_back(slot);
        lose(slot, true);
    } else {
        leave_borders(slot);
    }
    for (const auto other : left)
        if (--degree[other] < config.minimum && is_core(other)) {
            lost.push_back(other);
            lose(other, false);
        }
    if (lost.empty()) return;
    reached.clear();
    ++mark;
    for (const auto core : lost)
        for_each_near(core, [&](std::uint32_t other) {
            if (!is_core(other) || stamp[other] == mark) return;
            stamp[other] = mark;
            reached.push_back(other);
        });
    const auto candidates = reached;
    for (const auto component : affected) {
        seeds.clear();
        for (const auto core : candidates)
            if (label[core] == component) seeds.push_back(core);
        if (seeds.size() > 1) separate_parts(component);
    }
}

void HotSpotDetector::Impl::leave_borders(std::uint32_t slot) {
    collect_labels(slot);
    for (const auto component : labels) {
        --components[component].borders;
        leave_box(components[component], slot);
    }
}

/// `has_left`: the record is no longer in the window.
void HotSpotDetector::Impl::lose_core(std::uint32_t slot, bool has_left) {
    const auto component = label[slot];
    auto& from = components[component];
    unlink(slot);
    for_each_near(slot, [&](std::uint32_t other) {
        --core_degree[other];
        if (is_core(other) || touches(other, component, kNone)) return;
        --from.borders;
        leave_box(from, other);
    });
    if (!has_left && core_degree[slot] > 0)
        ++from.borders;
    else
        leave_box(from, slot);
    if (from.cores > 0) return;
    add_event(HotSpotEvent::Kind::Gone, from.id);
    destroy(component);
}

}  // namespace tidemill::anomaly
