#include "console/commands/machine_metrics.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include <fmt/format.h>

#include "console/commands/output.h"

namespace tidemill::console {
namespace {

// "name: value kB" lines of /proc/meminfo.
double meminfo_bytes(const std::string& text, std::string_view name) {
    const auto at = text.find(name);
    if (at == std::string::npos) return 0;
    return std::strtod(text.c_str() + at + name.size(), nullptr) * 1024;
}

std::string read_proc(const char* path) {
    std::ifstream in(path);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

// Whole disks only: partitions and virtual devices would count the same bytes again.
bool is_disk(const std::string& name) {
    const auto starts = [&](std::string_view prefix) { return name.starts_with(prefix); };
    if (starts("loop") || starts("ram") || starts("dm-") || starts("zram") || starts("sr"))
        return false;
    if (starts("nvme")) return name.find('p', 4) == std::string::npos;
    return std::isdigit(static_cast<unsigned char>(name.back())) == 0;
}

}  // namespace

const std::vector<std::string>& MachineMetrics::columns() {
    static const std::vector<std::string> names = {
        "time",           "cpu_user",        "cpu_system",       "cpu_iowait",
        "memory_used_mb", "running",         "context_switches", "interrupts",
        "disk_read_kb",   "disk_written_kb", "network_in_kb",    "network_out_kb"};
    return names;
}

MachineMetrics::MachineMetrics() : before_(read()), before_at_(std::chrono::steady_clock::now()) {}

MachineMetrics::Counters MachineMetrics::read() {
    Counters now;
    std::istringstream stat(read_proc("/proc/stat"));
    for (std::string line; std::getline(stat, line);) {
        std::istringstream words(line);
        std::string name;
        words >> name;
        if (name == "cpu") {
            double value[8] = {};
            for (auto& v : value)
                words >> v;
            now.cpu_user = value[0] + value[1];
            now.cpu_system = value[2] + value[5] + value[6];
            now.cpu_iowait = value[4];
            for (const double v : value)
                now.cpu_total += v;
        } else if (name == "ctxt") {
            words >> now.context_switches;
        } else if (name == "intr") {
            words >> now.interrupts;
        } else if (name == "procs_running") {
            words >> now.running;
        }
    }
    const auto memory = read_proc("/proc/meminfo");
    now.memory_used_bytes =
        meminfo_bytes(memory, "MemTotal:") - meminfo_bytes(memory, "MemAvailable:");
    std::istringstream disks(read_proc("/proc/diskstats"));
    for (std::string line; std::getline(disks, line);) {
        std::istringstream words(line);
        double major = 0, minor = 0, value[7] = {};
        std::string name;
        words >> major >> minor >> name;
        for (auto& v : value)
            words >> v;
        if (!name.empty() && is_disk(name)) {
            now.disk_read_bytes += value[2] * 512;
            now.disk_written_bytes += value[6] * 512;
        }
    }
    std::istringstream interfaces(read_proc("/proc/net/dev"));
    for (std::string line; std::getline(interfaces, line);) {
        const auto colon = line.find(':');
        if (colon == std::string::npos) continue;
        std::istringstream words(line.substr(colon + 1));
        double value[9] = {};
        for (auto& v : value)
            words >> v;
        now.network_in_bytes += value[0];
        now.network_out_bytes += value[8];
    }
    return now;
}

std::string MachineMetrics::sample_json(WallTime now, MonoTime mono) {
    const Counters after = read();
    const double seconds = std::max(1e-3, std::chrono::duration<double>(mono - before_at_).count());
    const double jiffies = std::max(1.0, after.cpu_total - before_.cpu_total);
    const auto share = [&](double Counters::* field) {
        return std::clamp(100 * (after.*field - before_.*field) / jiffies, 0.0, 100.0);
    };
    const auto rate = [&](double Counters::* field, double unit) {
        return std::max(0.0, after.*field - before_.*field) / seconds / unit;
    };
    const auto line = fmt::format(
        R"({{"time":{},"cpu_user":{:.2f},"cpu_system":{:.2f},"cpu_iowait":{:.2f},"memory_used_mb":{:.1f},"running":{:.0f},)"
        R"("context_switches":{:.0f},"interrupts":{:.0f},"disk_read_kb":{:.1f},"disk_written_kb":{:.1f},)"
        R"("network_in_kb":{:.1f},"network_out_kb":{:.1f}}})",
        json_string(iso_time(to_millis(now))), share(&Counters::cpu_user),
        share(&Counters::cpu_system), share(&Counters::cpu_iowait), after.memory_used_bytes / 1e6,
        after.running, rate(&Counters::context_switches, 1), rate(&Counters::interrupts, 1),
        rate(&Counters::disk_read_bytes, 1e3), rate(&Counters::disk_written_bytes, 1e3),
        rate(&Counters::network_in_bytes, 1e3), rate(&Counters::network_out_bytes, 1e3));
    before_ = after;
    before_at_ = mono;
    return line;
}

}  // namespace tidemill::console
