#pragma once

#include <string>
#include <string_view>

#include "engine/security/access_question.h"
#include "engine/security/policy.h"

namespace tidemill {

/// Whether `value`, of a policy, can be compared in that way at all: it is a number, a date, ...
bool is_comparable(Comparison comparison, std::string_view value);

/// Whether `actual`, of a request, compares so with `wanted`, of a policy; negation left aside.
/// What cannot be compared does not.
bool compares(Comparison comparison, std::string_view wanted, std::string_view actual);

/// `pattern` with each ${key} replaced by what the key stands for, and ${*} ${?} ${$} by those
/// characters; all of it stands for itself, wildcards outside remain. Nothing when a key has no
/// value: such a pattern fits nothing. "${key, 'default'}" has a default.
std::optional<std::string> expand_variables(std::string_view pattern,
                                            const AccessQuestion& question);

}  // namespace tidemill
