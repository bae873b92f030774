#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/dynamodb/document_path.h"

namespace tidemill::dynamodb {

/// A side of a comparison, or a function's argument.
struct Operand {
    enum class Kind : std::uint8_t { Path, Value, Size };
    Kind kind = Kind::Value;
    DocumentPath path{};  ///< of Path, and what Size is of
    Attribute value{};    ///< of Value
};

/// What is true or false of an item.
struct Condition {
    enum class Kind : std::uint8_t {
        And,
        Or,
        Not,
        Equal,
        NotEqual,
        Less,
        LessOrEqual,
        Greater,
        GreaterOrEqual,
        Between,
        In,
        AttributeExists,
        AttributeNotExists,
        AttributeType,
        BeginsWith,
        Contains
    };
    Kind kind = Kind::And;
    std::vector<Condition> parts{};   ///< of And, Or (an empty And is true) and Not
    std::vector<Operand> operands{};  ///< of the others
};

/// What a SET action stores.
struct UpdateValue {
    enum class Kind : std::uint8_t { Path, Value, IfNotExists, ListAppend, Plus, Minus };
    Kind kind = Kind::Value;
    DocumentPath path{};               ///< of Path, and the first argument of IfNotExists
    Attribute value{};                 ///< of Value
    std::vector<UpdateValue> parts{};  ///< the second argument of IfNotExists; both of the others
};

/// What an update does with an item. All it reads is as before the update.
struct Update {
    struct Set {
        DocumentPath path;
        UpdateValue value;
    };
    struct Change {
        DocumentPath path;
        Attribute value;
    };
    std::vector<Set> sets{};
    std::vector<DocumentPath> removes{};
    std::vector<Change> adds{};     ///< a number to a number, elements to a set
    std::vector<Change> deletes{};  ///< elements out of a set
    /// Made of AttributeUpdates: then ADD also appends a list to a list.
    bool is_legacy = false;

    /// Every path that it changes.
    std::vector<DocumentPath> paths() const;
};

/// "=", "<>", "BETWEEN", "begins_with" ...
std::string_view operator_name(Condition::Kind kind);
/// Calls `visit` for the path of every operand.
void for_each_path(const Condition& condition,
                   const std::function<void(const DocumentPath&)>& visit);

}  // namespace tidemill::dynamodb
