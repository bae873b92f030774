#include "tests/sql/slt_case.h"

#include <fstream>
#include <sstream>
#include <stdexcept>

namespace tidemill::sql_test {

std::vector<SltCase> read_slt(const std::string& path) {
    std::ifstream file(path);
    std::vector<SltCase> cases;
    std::string line, section;
    for (std::size_t number = 1; std::getline(file, line); ++number) {
        if (line.starts_with('#')) continue;
        std::istringstream words(line);
        std::string word, name, option;
        words >> word >> name >> option;
        if (word == "case") {
            cases.emplace_back();
            cases.back().name = line.substr(5);
            cases.back().file = path;
            section.clear();
        } else if (word.starts_with("----")) {
            if (cases.empty()) throw std::runtime_error(path + ": section before the first case");
            section = name;
            if (name == "input") cases.back().inputs.push_back({option, {}});
            if (name == "table") cases.back().tables.push_back({option, {}});
            if (name == "output") {
                cases.back().outputs.push_back({option, false, 0, {}, number});
                auto& output = cases.back().outputs.back();
                while (words >> word) {
                    if (word == "rowtime") output.with_rowtime = true;
                    if (word == "changelog") words >> output.key_columns;
                }
            }
        } else if (section == "input") {
            if (!line.empty()) cases.back().inputs.back().csv += line + "\n";
        } else if (section == "table") {
            if (!line.empty()) cases.back().tables.back().csv += line + "\n";
        } else if (section == "sql") {
            cases.back().sql += line + "\n";
        } else if (section == "output") {
            if (!line.empty())
                cases.back().outputs.back().rows.push_back(line == "(empty)" ? std::string()
                                                                             : line);
        } else if (section == "error") {
            if (!line.empty()) cases.back().error = line;
        } else if (!line.empty()) {
            throw std::runtime_error(path + ":" + std::to_string(number) +
                                     ": outside of any section");
        }
    }
    return cases;
}

}  // namespace tidemill::sql_test
