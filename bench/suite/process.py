"""Servers under measurement: started with a scratch directory, watched, ended by their pid whatever happens."""
import ctypes
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

_live = []
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def adopt_orphans():
    """What a server leaves behind becomes our child, so that it can be waited for and its processor time counted."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)


def _end_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def descendants(pid):
    """`pid` and all processes below it, as far as they live."""
    children = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                parent = int(pathlib.Path(f"/proc/{name}/stat").read_text().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(name))
    found, waiting = [], [pid]
    while waiting:
        current = waiting.pop()
        found.append(current)
        waiting += children.get(current, [])
    return found


def is_running(pid):
    """Not ended, and no ended process that waits to be collected either."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def disk_bytes(path):
    """What the files below `path` take on the disk, as du counts."""
    return sum(os.lstat(os.path.join(folder, name)).st_blocks * 512
               for folder, _, names in os.walk(path) for name in names)


class Server:
    """One child process. Use as a context manager or call stop."""

    def __init__(self, command, log, env=None, cwd=None, pipe_output=False):
        self.command = [str(word) for word in command]
        self.log = pathlib.Path(log)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.started = time.monotonic()
        with open(self.log, "a") as log_file:
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE if pipe_output else log_file,
                stderr=log_file, text=True, env=env, cwd=cwd, preexec_fn=_end_with_parent)
        _live.append(self)

    @property
    def pid(self):
        return self.process.pid

    def wait_for_port(self, port, seconds=60):
        """Until something listens; returns the seconds since the start."""
        deadline = self.started + seconds
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.command[0]} ended with {self.process.returncode}: {self.last_words()}")
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return time.monotonic() - self.started
            time.sleep(0.002)
        raise RuntimeError(f"{self.command[0]} does not listen on {port} after {seconds} s: {self.last_words()}")

    def age(self):
        return time.monotonic() - self.started

    def last_words(self):
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return " / ".join(lines[-3:])

    def cpu_seconds(self):
        """Processor time of the process and those below it, threads that have ended included; in steps of 10 ms."""
        total = 0
        for pid in descendants(self.pid):
            try:
                fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            total += int(fields[11]) + int(fields[12])
        return total / os.sysconf("SC_CLK_TCK")

    def _exact_cpu_seconds(self):
        """Of the threads that live, exact to the scheduler's clock."""
        total = 0
        for pid in descendants(self.pid):
            for schedule in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat"):
                try:
                    total += int(schedule.read_text().split()[0])
                except OSError:
                    continue
        return total / 1e9

    def resident_bytes(self):
        total = 0
        for pid in descendants(self.pid):
            try:
                total += int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
            except OSError:
                continue
        return total

    def idle_share(self, seconds):
        """Part of one core that it uses while nobody asks anything of it."""
        before, start = self._exact_cpu_seconds(), time.monotonic()
        time.sleep(seconds)
        return (self._exact_cpu_seconds() - before) / (time.monotonic() - start)

    def stop(self, how=signal.SIGTERM, seconds=60):
        """Ends the process and whatever it had started."""
        if self in _live:
            _live.remove(self)
        family = descendants(self.pid)[1:] if self.process.poll() is None else []
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            self.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for pid in family:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        deadline = time.monotonic() + 5
        while any(map(is_running, family)) and time.monotonic() < deadline:
            time.sleep(0.002)
        for pid in family:
            try:
                os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                pass
        if self.process.stdout:
            self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def stop_all():
    for server in list(_live):
        try:
            server.stop(seconds=5)
        except OSError:
            pass


def fresh_directory(path):
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    return path


def run(command, timeout=600, **more):
    """Runs a client to its end and returns what it printed. Raises with its words when it fails."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=timeout, **more)
    if done.returncode != 0:
        raise RuntimeError(f"{pathlib.Path(command[0]).name} {command[1]} ended with {done.returncode}: "
                           f"{(done.stderr or done.stdout).strip()[-400:]}")
    return done.stdout
