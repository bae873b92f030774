#include "engine/io/system_error.h"

#include <cerrno>

namespace tidemill {

std::unexpected<Error> system_failure(int error_number, const std::string& what) {
    switch (error_number) {
        case ENOENT:
            return fail(Errc::NotFound, "cannot " + what + ": there is no such file", error_number);
        case EEXIST:
            return fail(Errc::AlreadyExists, "cannot " + what + ": it exists", error_number);
        case ENOSPC:
        case EDQUOT:
            return fail(Errc::NoSpace, "cannot " + what + ": the disk is full", error_number);
        default:
            return fail(Errc::IoFailed, "cannot " + what, error_number);
    }
}

}  // namespace tidemill
