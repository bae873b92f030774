#pragma once

#include <cstdint>
#include <cstdio>
#include <string>

#include <fmt/format.h>

namespace tidemill::sim {

/// What is said about one run of the simulation: a line for each event when it is verbose, and the
/// end of the program, with the command that repeats it, when a promise is broken.
class Journal {
 public:
    Journal(std::uint64_t seed, bool is_verbose);

    bool is_verbose() const { return is_verbose_; }
    template <class... Args>
    void note(fmt::format_string<Args...> text, Args&&... args) const {
        if (is_verbose_) print(fmt::format(text, std::forward<Args>(args)...));
    }
    /// A promise is broken: says so and ends the program.
    [[noreturn]] void fail(const std::string& text) const;
    void expect(bool holds, const char* text) const {
        if (!holds) fail(text);
    }
    template <class... Args>
    void expect(bool holds, fmt::format_string<Args...> text, Args&&... args) const
        requires(sizeof...(Args) > 0)
    {
        if (!holds) fail(fmt::format(text, std::forward<Args>(args)...));
    }

 private:
    static void print(const std::string& text) { std::printf("%s\n", text.c_str()); }
    std::uint64_t seed_;
    bool is_verbose_;
};

}  // namespace tidemill::sim
