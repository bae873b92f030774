#pragma once

#include <string>
#include <vector>

#include "operators/anomaly/hot_spots.h"
#include "operators/anomaly/neighbour_grid.h"

namespace tidemill::anomaly {

/// A record by its number since the start, counted modulo 2^32; those in the window are
/// [oldest, oldest + count). Its slot in the arrays is the number's low bits.
using RecordNumber = std::uint32_t;

/// A component of cores. `borders` counts the other records next to one of its cores.
struct Component {
    static constexpr std::uint32_t kNone = 0xffffffff;

    std::uint64_t id = 0;
    std::uint32_t cores = 0, borders = 0;
    std::uint32_t first = kNone;  ///< slot of a core; they are linked
    std::vector<double> low, high;
    bool is_box_known = true;  ///< false: a record at its edge has left
    bool is_text_known = false, is_box_text_known = false;
    std::string text, box_text;
};

struct HotSpotDetector::Impl {
    explicit Impl(const HotSpotConfig& config);

    void insert(std::span<const double> record);
    void expire();
    std::span<const HotSpot> hot_spots();
    std::string_view text();
    void measure(Component& component);
    std::optional<double> density(const Component& component) const;

    HotSpotConfig config;
    RecordNumber oldest = 0;
    std::uint32_t count = 0;
    std::uint64_t next_id = 1;
    bool keeps_events = false;
    std::vector<HotSpotEvent> events;
    std::vector<Component> components;
    std::vector<std::uint32_t> order;  ///< components in use, by id

    static constexpr std::uint32_t kNone = Component::kNone;
    std::uint32_t slot_of(RecordNumber record) const { return record & mask; }
    RecordNumber record_at(std::uint32_t slot) const { return oldest + ((slot - oldest) & mask); }
    bool is_alive(RecordNumber record) const { return record - oldest < count; }
    std::span<const double> point(std::uint32_t slot) const {
        return {points.data() + std::size_t{slot} * config.columns, config.columns};
    }
    bool is_core(std::uint32_t slot) const { return label[slot] != kNone; }

    // One element a slot.
    std::uint32_t mask = 0;
    std::vector<double> points;                   ///< `columns` a slot
    std::vector<std::vector<RecordNumber>> near;  ///< neighbours; those that left may linger
    std::vector<std::uint32_t> degree;            ///< neighbours and itself
    std::vector<std::uint32_t> core_degree;       ///< neighbours that are cores
    std::vector<std::uint32_t> label;             ///< component of a core, or kNone
    std::vector<std::uint32_t> next, previous;    ///< cores of a component
    std::vector<std::uint64_t> stamp;             ///< marks of the walk that is under way
    std::vector<std::uint32_t> walker;            ///< who came here first in `separate`

 private:
    friend class HotSpotDetector;

    template <class F>
    void for_each_near(std::uint32_t slot, F&& visit);
    template <class F>
    void for_each_core_near(std::uint32_t slot, F&& visit);
    bool touches(std::uint32_t slot, std::uint32_t component, std::uint32_t except);
    void collect_labels(std::uint32_t slot);
    void find_near(std::span<const double> record);
    void grow();

    std::uint32_t create();
    void destroy(std::uint32_t component);
    void link(std::uint32_t slot, std::uint32_t component);
    void unlink(std::uint32_t slot);
    void enter_box(Component& component, std::uint32_t slot);
    void leave_box(Component& component, std::uint32_t slot);
    void touch(Component& component);
    void add_event(HotSpotEvent::Kind kind, std::uint64_t id, std::uint64_t other = 0);

    void gain_core(std::uint32_t slot);
    void lose_core(std::uint32_t slot, bool has_left);
    void leave_borders(std::uint32_t slot);
    void merge(std::uint32_t from, std::uint32_t into, std::uint32_t bridge);

    void separate_parts(std::uint32_t component);
    bool are_joined_directly();
    void walk(std::uint32_t component);
    void split_off(std::uint32_t component, const std::vector<std::uint32_t>& cores);
    void swap_identities(std::uint32_t a, std::uint32_t b);

    struct Walker {
        std::uint32_t leader = 0;                   ///< another walker it has joined, or itself
        std::vector<std::uint32_t> seen, frontier;  ///< cores; those of `frontier` to be looked at
        bool is_finished = false;                   ///< has been everywhere, and met nobody
    };
    std::uint32_t leader_of(std::uint32_t walker_number);

    NeighbourGrid grid;
    double squared_radius;
    std::uint64_t mark = 0;
    std::vector<std::uint32_t> free_components;
    std::vector<std::uint32_t> labels, gained, lost, seeds, affected, reached;
    std::vector<RecordNumber> found;  ///< room for the whole window, `found_count` in use
    std::size_t found_count = 0;
    std::vector<std::uint32_t> left;  ///< neighbours of the record that has gone
    std::vector<Walker> walkers;
    std::vector<HotSpot> spots;
    std::string whole_text;
    bool is_whole_text_known = false;
};

}  // namespace tidemill::anomaly
