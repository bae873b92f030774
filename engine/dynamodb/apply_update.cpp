#include "engine/dynamodb/apply_update.h"

#include <algorithm>

#include "engine/base/result.h"

namespace tidemill::dynamodb {
namespace {

using aws::ApiResult;
using aws::ApiStatus;
using aws::refuse;
using Kind = Attribute::Kind;

std::unexpected<aws::ApiError> wrong_path() {
    return refuse("ValidationException",
                  "The document path provided in the update expression is invalid for update");
}
std::unexpected<aws::ApiError> no_such_attribute() {
    return refuse("ValidationException",
                  "The provided expression refers to an attribute that does not exist in the item");
}
std::unexpected<aws::ApiError> wrong_operand(const Update& update) {
    return refuse("ValidationException",
                  update.is_legacy
                      ? "Type mismatch for attribute to update"
                      : "An operand in the update expression has an incorrect data type");
}

ApiResult<Attribute> evaluate(const Update& update, const UpdateValue& value, const Item& item) {
    switch (value.kind) {
        case UpdateValue::Kind::Value:
            return value.value;
        case UpdateValue::Kind::Path: {
            const Attribute* found = find(item, value.path);
            if (found == nullptr) return no_such_attribute();
            return *found;
        }
        case UpdateValue::Kind::IfNotExists: {
            const Attribute* found = find(item, value.path);
            if (found != nullptr) return *found;
            return evaluate(update, value.parts[0], item);
        }
        default:
            break;
    }
    ASSIGN(Attribute a, evaluate(update, value.parts[0], item));
    ASSIGN(const Attribute b, evaluate(update, value.parts[1], item));
    if (value.kind == UpdateValue::Kind::ListAppend) {
        if (a.kind != Kind::List || b.kind != Kind::List) return wrong_operand(update);
        a.elements.insert(a.elements.end(), b.elements.begin(), b.elements.end());
        return a;
    }
    if (a.kind != Kind::Number || b.kind != Kind::Number) return wrong_operand(update);
    const bool is_minus = value.kind == UpdateValue::Kind::Minus;
    ASSIGN(a.number, Decimal::add(a.number, is_minus ? b.number.negated() : b.number));
    return a;
}

/// Where the container of the path's last step is; null when it is not there.
Attribute* parent_of(Item& item, const DocumentPath& path) {
    const auto top = item.find(path.top());
    if (top == item.end()) return nullptr;
    Attribute* at = &top->second;
    for (std::size_t i = 1; i + 1 < path.steps.size(); ++i) {
        const PathStep& step = path.steps[i];
        if (step.is_index) {
            if (at->kind != Kind::List || step.index >= at->elements.size()) return nullptr;
            at = &at->elements[step.index];
        } else {
            const auto found = at->members.find(step.name);
            if (at->kind != Kind::Map || found == at->members.end()) return nullptr;
            at = &found->second;
        }
    }
    return at;
}

ApiStatus store(Item& item, const DocumentPath& path, Attribute value) {
    if (path.steps.size() == 1) {
        item.insert_or_assign(path.top(), std::move(value));
        return {};
    }
    Attribute* parent = parent_of(item, path);
    const PathStep& last = path.steps.back();
    if (parent == nullptr || parent->kind != (last.is_index ? Kind::List : Kind::Map))
        return wrong_path();
    if (!last.is_index)
        parent->members.insert_or_assign(last.name, std::move(value));
    else if (last.index < parent->elements.size())
        parent->elements[last.index] = std::move(value);
    else
        parent->elements.push_back(std::move(value));
    return {};
}

ApiStatus erase(Item& item, const DocumentPath& path) {
    if (path.steps.size() == 1) {
        item.erase(path.top());
        return {};
    }
    Attribute* parent = parent_of(item, path);
    const PathStep& last = path.steps.back();
    if (parent == nullptr || parent->kind != (last.is_index ? Kind::List : Kind::Map))
        return wrong_path();
    if (!last.is_index)
        parent->members.erase(last.name);
    else if (last.index < parent->elements.size())
        parent->elements.erase(parent->elements.begin() + static_cast<std::ptrdiff_t>(last.index));
    return {};
}

ApiResult<Attribute> sum_of(const Update& update, const Attribute* before, const Attribute& more) {
    if (before == nullptr) return more;
    Attribute sum = *before;
    if (more.kind != before->kind) return wrong_operand(update);
    if (more.kind == Kind::Number) {
        ASSIGN(sum.number, Decimal::add(before->number, more.number));
        return sum;
    }
    if (!more.is_set() && !(update.is_legacy && more.kind == Kind::List))
        return wrong_operand(update);
    for (const auto& element : more.elements)
        if (!more.is_set() || std::ranges::find(sum.elements, element) == sum.elements.end())
            sum.elements.push_back(element);
    if (sum.is_set()) sort_set(sum);
    return sum;
}

/// By descending indexes, so that none moves what another means.
std::vector<DocumentPath> in_removal_order(std::vector<DocumentPath> paths) {
    std::ranges::sort(paths, [](const DocumentPath& a, const DocumentPath& b) {
        return a.steps.back().index > b.steps.back().index;
    });
    return paths;
}

}  // namespace

ApiResult<Item> updated(const Update& update, const Item& before) {
    Item after = before;
    for (const auto& [path, value] : update.adds) {
        const Attribute* old = find(before, path);
        ASSIGN(Attribute sum, sum_of(update, old, value));
        TRY(store(after, path, std::move(sum)));
    }
    for (const auto& [path, value] : update.deletes) {
        const Attribute* old = find(before, path);
        if (old == nullptr) continue;
        if (old->kind != value.kind) return wrong_operand(update);
        Attribute rest = *old;
        std::erase_if(rest.elements, [&](const Attribute& element) {
            return std::ranges::find(value.elements, element) != value.elements.end();
        });
        if (rest.elements.empty())
            TRY(erase(after, path));
        else
            TRY(store(after, path, std::move(rest)));
    }
    // Beyond a list's end elements are appended, those with the lower index first.
    auto sets = update.sets;
    std::ranges::sort(sets, [](const Update::Set& a, const Update::Set& b) {
        return a.path.steps.back().index < b.path.steps.back().index;
    });
    for (const auto& [path, value] : sets) {
        ASSIGN(Attribute evaluated, evaluate(update, value, before));
        TRY(store(after, path, std::move(evaluated)));
    }
    for (const auto& path : in_removal_order(update.removes))
        TRY(erase(after, path));
    return after;
}

}  // namespace tidemill::dynamodb
