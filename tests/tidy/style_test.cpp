#include <algorithm>
#include <regex>

#include <doctest/doctest.h>

#include "tests/tidy/source_tree.h"

using namespace tidemill::tidy;

TEST_SUITE("tidy/style") {
    TEST_CASE("headers are guarded by #pragma once") {
        for (const auto& path : product_files())
            if (path.ends_with(".h"))
                CHECK_MESSAGE(read_text(path).find("#pragma once") != std::string::npos, path);
    }

    TEST_CASE("no file name hides its idea") {
        static const std::regex vague(".*/(util|utils|helper|helpers|common|misc|manager)[^/]*$");
        for (const auto& path : product_files())
            CHECK_MESSAGE(!std::regex_match(path, vague), path);
    }

    TEST_CASE("no file grows past 700 lines") {
        for (const auto& path : product_files()) {
            const auto text = read_text(path);
            CHECK_MESSAGE(std::ranges::count(text, '\n') <= 700, path);
        }
    }

    TEST_CASE("locks stay in the layers that may have them") {
        // Style: no mutex or shared state outside reactor, io, telemetry; the client libraries have
        // threads of their own, the catalog store has one for SQLite.
        static const std::regex lock(
            R"(std::(mutex|shared_mutex|recursive_mutex|condition_variable)\b)");
        for (const auto& path : product_files()) {
            if (!path.starts_with("engine/") || path.starts_with("engine/reactor/") ||
                path.starts_with("engine/io/") || path.starts_with("engine/telemetry/") ||
                path.starts_with("engine/catalog/sqlite"))
                continue;
            CHECK_MESSAGE(!std::regex_search(read_text(path), lock), path);
        }
    }

    TEST_CASE("every layer folder has a README") {
        for (const auto& [layer, allowed] : layers())
            CHECK_MESSAGE(std::filesystem::exists(layer + "/README.md"), layer);
    }
}
