#include "engine/dynamodb/expression.h"

#include <array>

namespace tidemill::dynamodb {

std::string_view operator_name(Condition::Kind kind) {
    static constexpr std::array<std::string_view, 16> kNames = {"AND",
                                                                "OR",
                                                                "NOT",
                                                                "=",
                                                                "<>",
                                                                "<",
                                                                "<=",
                                                                ">",
                                                                ">=",
                                                                "BETWEEN",
                                                                "IN",
                                                                "attribute_exists",
                                                                "attribute_not_exists",
                                                                "attribute_type",
                                                                "begins_with",
                                                                "contains"};
    return kNames[static_cast<std::size_t>(kind)];
}

std::vector<DocumentPath> Update::paths() const {
    std::vector<DocumentPath> all;
    for (const auto& set : sets)
        all.push_back(set.path);
    all.insert(all.end(), removes.begin(), removes.end());
    for (const auto& add : adds)
        all.push_back(add.path);
    for (const auto& remove : deletes)
        all.push_back(remove.path);
    return all;
}

void for_each_path(const Condition& condition,
                   const std::function<void(const DocumentPath&)>& visit) {
    for (const auto& part : condition.parts)
        for_each_path(part, visit);
    for (const auto& operand : condition.operands)
        if (operand.kind != Operand::Kind::Value) visit(operand.path);
}

}  // namespace tidemill::dynamodb
