#include "engine/dynamodb/document_path.h"

#include <algorithm>
#include <span>

#include <fmt/format.h>

namespace tidemill::dynamodb {
namespace {

using Steps = std::span<const PathStep>;
using Kind = Attribute::Kind;

const Attribute* step_into(const Attribute& value, const PathStep& step) {
    if (step.is_index) {
        if (value.kind != Kind::List || step.index >= value.elements.size()) return nullptr;
        return &value.elements[step.index];
    }
    if (value.kind != Kind::Map) return nullptr;
    const auto found = value.members.find(step.name);
    return found == value.members.end() ? nullptr : &found->second;
}

/// What `paths`, all behind the same place, take of the value there.
Attribute cut(const Attribute& value, const std::vector<Steps>& paths) {
    if (std::ranges::any_of(paths, &Steps::empty)) return value;
    Attribute part{.kind = value.kind};
    const auto behind = [&](const PathStep& step) {
        std::vector<Steps> rest;
        for (const Steps path : paths)
            if (path.front() == step) rest.push_back(path.subspan(1));
        return rest;
    };
    const auto reaches = [](const Attribute& from, Steps path) {
        const Attribute* at = &from;
        for (const auto& step : path)
            if (at != nullptr) at = step_into(*at, step);
        return at != nullptr;
    };
    std::vector<PathStep> firsts;
    for (const Steps path : paths)
        if (reaches(value, path) && std::ranges::find(firsts, path.front()) == firsts.end())
            firsts.push_back(path.front());
    std::ranges::sort(firsts, {}, &PathStep::index);
    for (const auto& step : firsts) {
        Attribute inner = cut(*step_into(value, step), behind(step));
        if (step.is_index)
            part.elements.push_back(std::move(inner));
        else
            part.members.insert_or_assign(step.name, std::move(inner));
    }
    return part;
}

}  // namespace

std::string DocumentPath::text() const {
    std::string text = "[";
    for (const auto& step : steps) {
        if (text.size() > 1) text += ", ";
        text += step.is_index ? fmt::format("[{}]", step.index) : step.name;
    }
    return text + "]";
}

const Attribute* find(const Item& item, const DocumentPath& path) {
    const auto found = item.find(path.top());
    if (found == item.end()) return nullptr;
    const Attribute* at = &found->second;
    for (std::size_t i = 1; i < path.steps.size() && at != nullptr; ++i)
        at = step_into(*at, path.steps[i]);
    return at;
}

Item project(const Item& item, const std::vector<DocumentPath>& paths) {
    std::map<std::string, std::vector<Steps>> by_name;
    for (const auto& path : paths)
        if (find(item, path) != nullptr)
            by_name[path.top()].push_back(Steps(path.steps).subspan(1));
    Item part;
    for (const auto& [name, rest] : by_name)
        part.emplace(name, cut(item.find(name)->second, rest));
    return part;
}

PathClash clash_of(const DocumentPath& a, const DocumentPath& b) {
    const std::size_t common = std::min(a.steps.size(), b.steps.size());
    for (std::size_t i = 0; i < common; ++i) {
        if (a.steps[i] == b.steps[i]) continue;
        return a.steps[i].is_index != b.steps[i].is_index ? PathClash::Conflict : PathClash::None;
    }
    return PathClash::Overlap;
}

}  // namespace tidemill::dynamodb
