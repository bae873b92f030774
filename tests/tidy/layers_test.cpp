#include <regex>

#include <doctest/doctest.h>

#include "tests/tidy/source_tree.h"

using namespace tidemill::tidy;

namespace {

// The layer a path belongs to: the longest layer name that is its folder. main.cpp is the
// composition root and may include anything.
std::string layer_of(const std::string& path,
                     const std::map<std::string, std::set<std::string>>& all) {
    for (auto folder = std::filesystem::path(path).parent_path(); !folder.empty();
         folder = folder.parent_path())
        if (all.contains(folder.generic_string())) return folder.generic_string();
    return {};
}

std::vector<std::string> violations(const std::string& path, const std::string& text,
                                    const std::map<std::string, std::set<std::string>>& all) {
    static const std::regex include("#include \"([^\"]+)\"");
    std::vector<std::string> found;
    const auto layer = layer_of(path, all);
    for (std::sregex_iterator it(text.begin(), text.end(), include), end; it != end; ++it) {
        const std::string included = (*it)[1];
        // A generated header (proto/x_generated.h) belongs to the folder of its schema.
        const auto target = layer_of(included, all);
        if (target.empty())
            found.push_back(path + " includes " + included + ", which no layer owns");
        else if (target != layer && !all.at(layer).contains(target))
            found.push_back(path + " (" + layer + ") includes " + included + " (" + target + ")");
    }
    return found;
}

}  // namespace

TEST_SUITE("tidy/layers") {
    TEST_CASE("every include goes where cmake/layers.txt lets it") {
        const auto all = layers();
        REQUIRE_GT(all.size(), 20);
        std::size_t checked = 0;
        for (const auto& path : product_files()) {
            if (path.ends_with("/main.cpp") || path.starts_with("bench/micro/")) continue;
            const auto layer = layer_of(path, all);
            CHECK_MESSAGE(!layer.empty(), path, " stands in no layer");
            if (layer.empty()) continue;
            for (const auto& message : violations(path, read_text(path), all))
                FAIL_CHECK(message);
            ++checked;
        }
        CHECK_GT(checked, 10);
    }

    TEST_CASE("the check sees a wrong include") {
        const auto all = layers();
        CHECK_EQ(violations("engine/base/x.h", "#include \"engine/log/log_store.h\"\n", all).size(),
                 1);
        CHECK_EQ(violations("engine/log/x.h", "#include \"engine/base/error.h\"\n", all).size(), 0);
    }

    TEST_CASE("layers form no circle") {
        const auto all = layers();
        for (const auto& [layer, allowed] : all)
            for (const auto& other : allowed) {
                REQUIRE_MESSAGE(all.contains(other), layer, " names unknown layer ", other);
                CHECK_MESSAGE(!all.at(other).contains(layer), layer, " and ", other,
                              " name each other");
            }
    }
}
