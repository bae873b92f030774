#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/base/random.h"
#include "engine/base/result.h"

namespace tidemill {

/// The names of a simulated disk, as the running process sees them and as they would be found after
/// a loss of power. A change becomes durable by `sync` of its folder (of either folder, for a
/// rename between two). On a crash each folder keeps some first part, chosen by chance, of its
/// changes since: changes of one folder never overtake each other, and a rename is never half done.
class SimDirectory {
 public:
    using Inode = std::uint64_t;

    std::optional<Inode> find(const std::string& name) const;
    bool has_folder(const std::string& name) const { return seen_.folders.contains(name); }
    Status create(const std::string& name, Inode inode);
    Status rename(const std::string& from, const std::string& to);
    Status remove(const std::string& name);
    Status make_folder(const std::string& name);
    Result<std::vector<std::string>> list(const std::string& folder) const;
    Status sync(const std::string& folder);
    void crash(Random& random);
    /// A crash whose outcome is chosen: all changes since, or none.
    void crash(bool keeps_all);

    const std::map<std::string, Inode>& files() const { return seen_.files; }

    /// All inodes that a name, seen or durable, still leads to.
    std::set<Inode> reachable() const;

 private:
    struct Change {
        enum class Kind : std::uint8_t { Create, Rename, Remove, MakeFolder } kind;
        std::string name, to;
        Inode inode = 0;
    };
    struct Names {
        std::map<std::string, Inode> files;
        std::set<std::string> folders{""};
        void apply(const Change& change);
        void drop_orphans();
    };
    void change(Change change);
    void restart();

    Names seen_, durable_;
    std::vector<Change> pending_;
};

/// "log" of "log/1", "" of "1".
std::string folder_of(const std::string& name);

}  // namespace tidemill
