"""What the figures were taken on, and what else the machine did meanwhile."""
import os
import pathlib
import platform
import resource
import subprocess
import time

from .process import descendants

TICK = os.sysconf("SC_CLK_TCK")


def _first(path, prefix):
    for line in pathlib.Path(path).read_text().splitlines():
        if line.startswith(prefix):
            return line.split(":", 1)[1].strip()
    return "unknown"


def _command(*words, cwd=None):
    try:
        return subprocess.run(words, capture_output=True, text=True, cwd=cwd, timeout=20).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return ""


def file_system_of(path):
    """Type and options of the mount that holds `path`."""
    path = os.path.realpath(path)
    best = ("", "unknown")
    for line in pathlib.Path("/proc/mounts").read_text().splitlines():
        device, mount, kind, options = line.split()[:4]
        inside = path == mount or path.startswith(mount.rstrip("/") + "/")
        if inside and len(mount) >= len(best[0]):
            best = (mount, f"{kind} on {device} ({options})")
    return best[1]


def describe(repository, scratch):
    memory_kib = int(_first("/proc/meminfo", "MemTotal").split()[0])
    changed = _command("git", "status", "--porcelain", "--untracked-files=no", cwd=repository)
    return {
        "processor": _first("/proc/cpuinfo", "model name"),
        "cores": os.cpu_count(),
        "memory_gib": round(memory_kib / 1024 / 1024, 1),
        "kernel": f"{platform.system()} {platform.release()}",
        "system": _first_os_name(),
        "file_system": file_system_of(scratch),
        "commit": _command("git", "rev-parse", "--short=12", "HEAD", cwd=repository) + (" and changes" if changed else ""),
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
    }


def _first_os_name():
    for line in pathlib.Path("/etc/os-release").read_text().splitlines():
        if line.startswith("PRETTY_NAME="):
            return line.split("=", 1)[1].strip('"')
    return "unknown"


class ForeignLoad:
    """Processor time that neither we and our children nor the kernel's own threads used, as a share of one core.

    Busy time of the whole machine (interrupts left out: they serve our sockets and disk, too) plus what the host took
    away, minus this process tree, minus kernel threads (disk workers act for us)."""

    def __init__(self):
        self.start = time.monotonic()
        self.before = self._foreign_seconds()

    def share(self):
        elapsed = time.monotonic() - self.start
        return max(0.0, (self._foreign_seconds() - self.before) / elapsed) if elapsed > 0 else 0.0

    @staticmethod
    def _foreign_seconds():
        user, nice, system, _, _, _, _, steal = map(int, pathlib.Path("/proc/stat").read_text().split()[1:9])
        kernel = ours = 0
        family = set(descendants(os.getpid())) - {os.getpid()}
        for name in os.listdir("/proc"):
            if not name.isdigit():
                continue
            try:
                fields = pathlib.Path(f"/proc/{name}/stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            own = int(fields[11]) + int(fields[12])
            if int(name) in family:
                ours += own + int(fields[13]) + int(fields[14])
            elif int(fields[1]) == 2 or name == "2":
                kernel += own
        reaped = sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        return (user + nice + system + steal - kernel - ours) / TICK - reaped
