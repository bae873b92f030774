#include <algorithm>
#include <utility>

#include "operators/anomaly/hot_spots_state.h"

// What happens to a component that has lost cores: it stays whole, or falls apart.
namespace tidemill::anomaly {

template <class F>
void HotSpotDetector::Impl::for_each_core_near(std::uint32_t slot, F&& visit) {
    for (const auto record : near[slot])
        if (is_alive(record) && is_core(slot_of(record))) visit(slot_of(record));
}

/// `seeds`: the cores of the component that were next to a lost one, two at least. Every part that
/// it may have fallen into holds one of them.
void HotSpotDetector::Impl::separate_parts(std::uint32_t component) {
    if (!are_joined_directly()) walk(component);
}

/// Whether the seeds reach each other over seeds alone, which is so nearly always.
bool HotSpotDetector::Impl::are_joined_directly() {
    const auto is_seed = ++mark, is_reached = ++mark;
    for (const auto seed : seeds)
        stamp[seed] = is_seed;
    reached.assign(1, seeds.front());
    stamp[seeds.front()] = is_reached;
    for (std::size_t i = 0; i < reached.size() && reached.size() < seeds.size(); ++i)
        for (const auto record : near[reached[i]]) {
            const auto other = slot_of(record);
            if (stamp[other] != is_seed || !is_alive(record)) continue;
            stamp[other] = is_reached;
            reached.push_back(other);
        }
    return reached.size() == seeds.size();
}

std::uint32_t HotSpotDetector::Impl::leader_of(std::uint32_t number) {
    while (walkers[number].leader != number)
        number = walkers[number].leader = walkers[walkers[number].leader].leader;
    return number;
}

/// A walker starts from each seed and they take turns; those that meet go on as one. One that has
/// been everywhere it can go has found a part. Ends when one that has not is left: its part,
/// however large, need not be walked through.
void HotSpotDetector::Impl::walk(std::uint32_t component) {
    ++mark;
    walkers.resize(std::max(walkers.size(), seeds.size()));
    const auto count_of_seeds = static_cast<std::uint32_t>(seeds.size());
    for (std::uint32_t i = 0; i < count_of_seeds; ++i) {
        auto& one = walkers[i];
        one.leader = i;
        one.is_finished = false;
        one.seen.assign(1, seeds[i]);
        one.frontier.assign(1, seeds[i]);
        stamp[seeds[i]] = mark;
        walker[seeds[i]] = i;
    }
    std::uint32_t under_way = count_of_seeds;
    const auto join = [&](std::uint32_t a, std::uint32_t b) {
        if (walkers[a].seen.size() < walkers[b].seen.size()) std::swap(a, b);
        auto &to = walkers[a], &from = walkers[b];
        to.seen.insert(to.seen.end(), from.seen.begin(), from.seen.end());
        to.frontier.insert(to.frontier.end(), from.frontier.begin(), from.frontier.end());
        from.leader = a;
        --under_way;
        return a;
    };
    for (std::uint32_t i = 0; under_way > 1; i = (i + 1) % count_of_seeds) {
        if (walkers[i].leader != i || walkers[i].is_finished) continue;
        if (walkers[i].frontier.empty()) {
            walkers[i].is_finished = true;
            --under_way;
            continue;
        }
        const auto core = walkers[i].frontier.back();
        walkers[i].frontier.pop_back();
        auto me = i;
        for_each_core_near(core, [&](std::uint32_t other) {
            if (stamp[other] != mark) {
                stamp[other] = mark;
                walker[other] = me;
                walkers[me].seen.push_back(other);
                walkers[me].frontier.push_back(other);
            } else if (const auto who = leader_of(walker[other]); who != me) {
                me = join(me, who);
            }
        });
    }
    for (std::uint32_t i = 0; i < count_of_seeds; ++i)
        if (walkers[i].leader == i && walkers[i].is_finished) split_off(component, walkers[i].seen);
}

void HotSpotDetector::Impl::split_off(std::uint32_t component,
                                      const std::vector<std::uint32_t>& cores) {
    const auto part = create();
    for (const auto core : cores) {
        unlink(core);
        link(core, part);
    }
    auto &rest = components[component], &made = components[part];
    ++mark;
    for (const auto core : cores)
        for (const auto record : near[core]) {
            const auto other = slot_of(record);
            if (!is_alive(record) || is_core(other) || stamp[other] == mark) continue;
            stamp[other] = mark;
            ++made.borders;
            if (!touches(other, component, kNone)) --rest.borders;
        }
    for (auto* one : {&rest, &made}) {
        one->is_box_known = one->is_box_text_known = false;
        touch(*one);
    }
    if (made.cores > rest.cores) swap_identities(component, part);
    add_event(HotSpotEvent::Kind::Split, std::max(rest.id, made.id), std::min(rest.id, made.id));
}

void HotSpotDetector::Impl::swap_identities(std::uint32_t a, std::uint32_t b) {
    std::swap(components[a].id, components[b].id);
    std::iter_swap(std::ranges::find(order, a), std::ranges::find(order, b));
}

}  // namespace tidemill::anomaly
