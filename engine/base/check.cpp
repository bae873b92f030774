#include "engine/base/check.h"

#include <cstdio>
#include <cstdlib>
#include <string>

namespace tidemill {
namespace {
thread_local std::string context;
}

void set_check_context(std::string_view text) { context = text; }

void check_failed(const char* file, int line, const char* condition, std::string_view text) {
    std::fprintf(stderr, "tidemill: internal error at %s:%d: TM_CHECK(%s) failed. %.*s%s%s%s\n",
                 file, line, condition, static_cast<int>(text.size()), text.data(),
                 context.empty() ? "" : " [", context.c_str(), context.empty() ? "" : "]");
    std::fflush(stderr);
    std::abort();
}

}  // namespace tidemill
