#pragma once

#include <string>
#include <vector>

namespace tidemill::test {

/// What the test binary was called with, its own name left out. Set by doctest_main.
std::vector<std::string>& arguments();

}  // namespace tidemill::test
