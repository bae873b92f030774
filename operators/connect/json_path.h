#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"

namespace tidemill::sql {

/// A path into a JSON document as input schemas write it: `$`, `$.a.b`, `$.items[0:]`,
/// `$.items[0:].id`, `$['a b'].c`. The only index is `[0:]`, all elements of an array.
struct JsonPath {
    struct Step {
        std::string member;        ///< exact case
        bool is_elements = false;  ///< `[0:]`
        bool operator==(const Step&) const = default;
    };
    std::vector<Step> steps;  ///< none: the document

    /// Errors: InvalidArgument, naming the path and what is wrong with it.
    static Result<JsonPath> parse(std::string_view text);
    /// The path of a member of the document, whatever its name.
    static JsonPath of_member(std::string_view name) { return {{{std::string(name), false}}}; }
    bool starts_with(const JsonPath& other) const;
    std::string to_string() const;  ///< reads back as the same path
};

}  // namespace tidemill::sql
