#include "engine/crypto/master_key_source.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sys/stat.h>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "engine/crypto/command_output.h"

namespace tidemill {
namespace {

constexpr std::size_t kContentMax = 4_KiB;

struct Descriptor {
    int fd;
    ~Descriptor() {
        if (fd >= 0) ::close(fd);
    }
};

/// Bytes that are wiped when they go.
struct Content {
    std::vector<std::byte> bytes;
    ~Content() { wipe(bytes); }
};

std::unexpected<Error> refused(const std::filesystem::path& file, std::string_view doing) {
    const int reason = errno;
    return fail(
        reason == ENOENT ? Errc::NotFound : Errc::IoFailed,
        fmt::format("cannot {} the master key {}: {}", doing, file.string(), std::strerror(reason)),
        reason);
}

int digit_of(std::byte byte) {
    const char c = static_cast<char>(byte);
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

Result<Content> read_key_file(const std::filesystem::path& file) {
    const Descriptor opened{::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)};
    if (opened.fd < 0) return refused(file, "open");
    struct stat facts{};
    if (::fstat(opened.fd, &facts) != 0) return refused(file, "look at");
    if (!S_ISREG(facts.st_mode))
        return fail(Errc::InvalidArgument,
                    fmt::format("the master key {} is not a regular file", file.string()));
    if ((facts.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return fail(Errc::AccessDenied,
                    fmt::format("the master key {} is open to others than its owner (mode {:03o}); "
                                "chmod 600 it",
                                file.string(), facts.st_mode & 0777));
    if (facts.st_uid != ::geteuid() && facts.st_uid != 0)
        return fail(Errc::AccessDenied,
                    fmt::format("the master key {} belongs to user {}, not to this one ({})",
                                file.string(), facts.st_uid, ::geteuid()));
    Content content;
    content.bytes.resize(kContentMax);
    const ssize_t count = ::read(opened.fd, content.bytes.data(), content.bytes.size());
    if (count < 0) return refused(file, "read");
    content.bytes.resize(static_cast<std::size_t>(count));
    return content;
}

}  // namespace

Result<Secret> parse_master_key(Bytes content) {
    const auto no_key = [&] {
        return fail(Errc::InvalidArgument,
                    fmt::format("a master key is 32 bytes or 64 hexadecimal digits; these are {} "
                                "bytes",
                                content.size()));
    };
    const auto checked = [](Bytes key) -> Result<Secret> {
        if (std::ranges::all_of(key, [&](std::byte byte) { return byte == key[0]; }))
            return fail(Errc::InvalidArgument, "a master key of equal bytes is no secret");
        return Secret(key);
    };
    if (content.size() == Secret::kBytes) return checked(content);
    const auto is_space = [](std::byte b) { return b == std::byte{'\n'} || b == std::byte{'\r'}; };
    while (!content.empty() && is_space(content.back()))
        content = content.first(content.size() - 1);
    if (content.size() != 2 * Secret::kBytes) return no_key();
    std::array<std::byte, Secret::kBytes> key;
    for (std::size_t i = 0; i < key.size(); ++i) {
        const int high = digit_of(content[2 * i]), low = digit_of(content[2 * i + 1]);
        if (high < 0 || low < 0) return no_key();
        key[i] = static_cast<std::byte>(high << 4 | low);
    }
    auto secret = checked(key);
    wipe(key);
    return secret;
}

Result<MasterKey> load_master_key(const MasterKeySource& source,
                                  std::chrono::milliseconds command_time) {
    Content content;
    std::string place;
    if (!source.file.empty()) {
        ASSIGN(content, read_key_file(source.file));
        place = source.file.string();
    } else {
        ASSIGN(content.bytes, command_output(source.command, kContentMax, command_time));
        place = fmt::format("what {} printed", source.command.front());
    }
    auto secret = parse_master_key(content.bytes);
    if (!secret)
        return fail(secret.error().code, fmt::format("{}: {}", place, secret.error().message));
    return MasterKey(*secret);
}

Result<MasterKey> make_master_key_file(const std::filesystem::path& file) {
    const Secret secret = Secret::random();
    std::string text;
    for (const std::byte byte : secret.bytes())
        text += fmt::format("{:02x}", static_cast<unsigned>(byte));
    text += '\n';
    const Descriptor made{::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
    if (made.fd < 0) {
        if (errno == EEXIST)
            return fail(Errc::AlreadyExists, fmt::format("{} is there already", file.string()));
        return refused(file, "make");
    }
    const bool is_written =
        ::write(made.fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
        ::fsync(made.fd) == 0;
    wipe({reinterpret_cast<std::byte*>(text.data()), text.size()});
    if (!is_written) {
        auto failure = refused(file, "write");
        ::unlink(file.c_str());
        return failure;
    }
    return MasterKey(secret);
}

}  // namespace tidemill
