#include "engine/io/sim_directory.h"

#include <algorithm>
#include <cerrno>

#include "engine/io/system_error.h"

namespace tidemill {

std::string folder_of(const std::string& name) {
    const auto slash = name.rfind('/');
    return slash == std::string::npos ? std::string() : name.substr(0, slash);
}

void SimDirectory::Names::apply(const Change& change) {
    switch (change.kind) {
        case Change::Kind::Create:
            files[change.name] = change.inode;
            break;
        case Change::Kind::Rename:
            files.erase(change.name);
            files[change.to] = change.inode;
            break;
        case Change::Kind::Remove:
            files.erase(change.name);
            break;
        case Change::Kind::MakeFolder:
            folders.insert(change.name);
            break;
    }
}

void SimDirectory::Names::drop_orphans() {
    // In order of name a folder comes before what it holds.
    std::erase_if(folders, [this](const std::string& name) {
        return !name.empty() && !folders.contains(folder_of(name));
    });
    std::erase_if(files,
                  [this](const auto& file) { return !folders.contains(folder_of(file.first)); });
}

void SimDirectory::change(Change change) {
    seen_.apply(change);
    pending_.push_back(std::move(change));
}

std::optional<SimDirectory::Inode> SimDirectory::find(const std::string& name) const {
    const auto found = seen_.files.find(name);
    if (found == seen_.files.end()) return std::nullopt;
    return found->second;
}

Status SimDirectory::create(const std::string& name, Inode inode) {
    if (!has_folder(folder_of(name))) return system_failure(ENOENT, "create " + name);
    change({Change::Kind::Create, name, {}, inode});
    return {};
}

Status SimDirectory::rename(const std::string& from, const std::string& to) {
    const auto inode = find(from);
    if (!inode || !has_folder(folder_of(to)))
        return system_failure(ENOENT, "rename " + from + " to " + to);
    change({Change::Kind::Rename, from, to, *inode});
    return {};
}

Status SimDirectory::remove(const std::string& name) {
    if (!find(name)) return system_failure(ENOENT, "remove " + name);
    change({Change::Kind::Remove, name, {}, 0});
    return {};
}

Status SimDirectory::make_folder(const std::string& name) {
    if (seen_.files.contains(name)) return system_failure(ENOTDIR, "make the directory " + name);
    if (has_folder(name)) return {};
    TRY(make_folder(folder_of(name)));
    change({Change::Kind::MakeFolder, name, {}, 0});
    return {};
}

Result<std::vector<std::string>> SimDirectory::list(const std::string& folder) const {
    if (!has_folder(folder)) return system_failure(ENOENT, "list " + folder);
    std::vector<std::string> names;
    for (const auto& [name, inode] : seen_.files)
        if (folder_of(name) == folder)
            names.push_back(folder.empty() ? name : name.substr(folder.size() + 1));
    std::ranges::sort(names);
    return names;
}

Status SimDirectory::sync(const std::string& folder) {
    if (!has_folder(folder)) return system_failure(ENOENT, "sync the directory " + folder);
    std::vector<Change> left;
    for (auto& change : pending_) {
        const bool is_of_folder =
            folder_of(change.name) == folder ||
            (change.kind == Change::Kind::Rename && folder_of(change.to) == folder);
        if (is_of_folder) {
            durable_.apply(change);
        } else {
            left.push_back(std::move(change));
        }
    }
    pending_ = std::move(left);
    return {};
}

void SimDirectory::crash(Random& random) {
    std::map<std::string, std::uint64_t> changes;
    for (const auto& change : pending_)
        ++changes[folder_of(change.name)];
    for (auto& [folder, count] : changes)
        count = random.below(count + 1);
    for (const auto& change : pending_) {
        auto& kept = changes[folder_of(change.name)];
        if (kept == 0) continue;
        --kept;
        durable_.apply(change);
    }
    restart();
}

void SimDirectory::crash(bool keeps_all) {
    if (keeps_all) durable_ = seen_;
    restart();
}

void SimDirectory::restart() {
    pending_.clear();
    durable_.drop_orphans();
    seen_ = durable_;
}

std::set<SimDirectory::Inode> SimDirectory::reachable() const {
    std::set<Inode> inodes;
    for (const auto& [name, inode] : seen_.files)
        inodes.insert(inode);
    for (const auto& [name, inode] : durable_.files)
        inodes.insert(inode);
    for (const auto& change : pending_)
        inodes.insert(change.inode);
    return inodes;
}

}  // namespace tidemill
