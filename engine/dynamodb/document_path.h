#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "engine/dynamodb/attribute.h"

namespace tidemill::dynamodb {

/// One step of a document path: a member's name, or an index of a list.
struct PathStep {
    std::string name{};
    std::size_t index = 0;
    bool is_index = false;
    bool operator==(const PathStep&) const = default;
};

/// Where a value is within an item: "Orders[2].Price". Its first step is a name.
struct DocumentPath {
    std::vector<PathStep> steps;

    const std::string& top() const { return steps.front().name; }
    std::string text() const;  ///< as DynamoDB's messages show it: "[Orders, [2], Price]"
    bool operator==(const DocumentPath&) const = default;
};

/// Null when the item has nothing there. Ownership: the item's.
const Attribute* find(const Item& item, const DocumentPath& path);

/// Only what the paths lead to, with the maps and lists around it; the elements of a list close up.
Item project(const Item& item, const std::vector<DocumentPath>& paths);

/// Two paths of one expression must not lead into each other or read one place as list and map.
enum class PathClash { None, Overlap, Conflict };
PathClash clash_of(const DocumentPath& a, const DocumentPath& b);

}  // namespace tidemill::dynamodb
