#include <cstdlib>
#include <fstream>
#include <sstream>
#include <vector>

#include <doctest/doctest.h>

#include "operators/exec/application.h"
#include "operators/plan/bare_select.h"

using namespace tidemill::sql;

namespace {

constexpr const char* kFile = "tests/sql/error_texts.txt";  // below the root of the repository
constexpr std::string_view kMark = "> ";

struct WrongText {
    std::string sql_text;
    std::string message;  ///< its lines as a person sees them
};

/// Blocks between blank lines: SQL, then lines with `> `, the message.
std::vector<WrongText> read_cases() {
    std::ifstream in(kFile);
    std::vector<WrongText> cases;
    bool is_new = true;
    for (std::string line; std::getline(in, line);) {
        if (line.starts_with('#')) continue;
        if (line.empty()) {
            is_new = true;
            continue;
        }
        if (std::exchange(is_new, false)) cases.emplace_back();
        if (line.starts_with(kMark))
            cases.back().message += line.substr(kMark.size()) + "\n";
        else
            cases.back().sql_text += line + "\n";
    }
    return cases;
}

std::string refusal_of(std::string sql_text) {
    std::vector<InputStream> inputs(1);
    inputs[0].name = "S";
    inputs[0].schema.fields = {{"K", TypeKind::Integer},
                               {"T", Type::varchar(10)},
                               {"lower", TypeKind::Integer},
                               {"AT", TypeKind::Timestamp}};
    const std::vector<CatalogStream> catalog = {{"S", inputs[0].schema, true}};
    sql_text.pop_back();
    if (const auto limit = take_limit(sql_text); !limit) return limit.error().to_string() + "\n";
    const auto expanded = expand_bare_select(sql_text, catalog);
    if (!expanded) return expanded.error().to_string() + "\n";
    const auto compiled = Application::compile(*expanded, inputs);
    return compiled ? "accepted\n" : compiled.error().to_string() + "\n";
}

}  // namespace

TEST_SUITE("error texts") {
    TEST_CASE("what a person sees of wrong statements") {
        const auto cases = read_cases();
        REQUIRE_GE(cases.size(), 80);
        const bool is_written_anew = std::getenv("TIDEMILL_WRITE_ERROR_TEXTS") != nullptr;
        std::string all =
            "# Wrong statements over S (K INTEGER, T VARCHAR(10), \"lower\" INTEGER, AT TIMESTAMP) "
            "and what a person sees.\n"
            "# TIDEMILL_WRITE_ERROR_TEXTS=1 test_sql -ts='error texts' writes the messages anew; "
            "read the difference.\n";
        for (const auto& wrong : cases) {
            const std::string seen = refusal_of(wrong.sql_text);
            if (!is_written_anew) CHECK_EQ(seen, wrong.message);
            CHECK_MESSAGE(seen.find('^') != std::string::npos, wrong.sql_text);
            all += "\n" + wrong.sql_text;
            std::istringstream lines(seen);
            for (std::string line; std::getline(lines, line);)
                all += std::string(kMark) + line + "\n";
        }
        if (is_written_anew) std::ofstream(kFile) << all;
    }
}
