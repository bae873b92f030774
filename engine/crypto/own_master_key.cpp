#include "engine/crypto/own_master_key.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "engine/crypto/master_key_source.h"

namespace tidemill {
namespace {

Status sync_folder(const std::filesystem::path& folder) {
    const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool is_synced = fd >= 0 && ::fsync(fd) == 0;
    const int reason = errno;
    if (fd >= 0) ::close(fd);
    if (is_synced) return {};
    return fail(Errc::IoFailed,
                fmt::format("cannot sync {}: {}", folder.string(), std::strerror(reason)), reason);
}

}  // namespace

std::filesystem::path own_master_key_file(const std::filesystem::path& data_directory) {
    return data_directory / "own-master.key";
}

Result<MasterKey> make_own_master_key(const std::filesystem::path& data_directory) {
    const auto file = own_master_key_file(data_directory);
    std::error_code error;
    if (std::filesystem::exists(file, error))
        return fail(Errc::AlreadyExists, fmt::format("{} is there already", file.string()));
    auto unfinished = file;
    unfinished += ".new";
    std::filesystem::remove(unfinished, error);  // of an attempt that was cut short
    ASSIGN(MasterKey key, make_master_key_file(unfinished));
    std::filesystem::rename(unfinished, file, error);
    if (error)
        return fail(Errc::IoFailed,
                    fmt::format("cannot make {}: {}", file.string(), error.message()),
                    error.value());
    TRY(sync_folder(data_directory));
    return key;
}

}  // namespace tidemill
