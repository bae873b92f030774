#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include "tests/test_arguments.h"

namespace tidemill::test {

std::vector<std::string>& arguments() {
    static std::vector<std::string> given;
    return given;
}

}  // namespace tidemill::test

int main(int argc, char** argv) {
    tidemill::test::arguments().assign(argv + 1, argv + argc);
    return doctest::Context(argc, argv).run();
}
