#pragma once

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace tidemill::tidy {

inline std::string read_text(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

/// All C++ files below the product's folders, relative to the repository root (the tests' working
/// directory).
inline std::vector<std::string> product_files() {
    std::vector<std::string> files;
    for (const auto* top :
         {"proto", "engine", "operators", "producer", "consumer", "console", "bench"}) {
        if (!std::filesystem::exists(top)) continue;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(top)) {
            const auto extension = entry.path().extension();
            if (extension == ".h" || extension == ".cpp")
                files.push_back(entry.path().generic_string());
        }
    }
    return files;
}

/// cmake/layers.txt: layer -> the layers it may include from (itself not named).
inline std::map<std::string, std::set<std::string>> layers() {
    std::map<std::string, std::set<std::string>> result;
    std::ifstream in("cmake/layers.txt");
    for (std::string line; std::getline(in, line);) {
        const auto colon = line.find(':');
        if (line.empty() || line[0] == '#' || colon == std::string::npos) continue;
        auto& allowed = result[line.substr(0, colon)];
        std::istringstream names(line.substr(colon + 1));
        for (std::string name; names >> name;)
            allowed.insert(name);
    }
    return result;
}

}  // namespace tidemill::tidy
