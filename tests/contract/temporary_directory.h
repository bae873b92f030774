#pragma once

#include <filesystem>
#include <string>

#include <stdlib.h>

namespace tidemill::test {

/// An empty directory of the real file system, removed with all it holds.
class TemporaryDirectory {
 public:
    TemporaryDirectory() {
        std::string pattern = std::filesystem::temp_directory_path() / "tidemill-XXXXXX";
        if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
        path_ = pattern;
    }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    ~TemporaryDirectory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    const std::string& path() const { return path_; }

 private:
    std::string path_;
};

}  // namespace tidemill::test
