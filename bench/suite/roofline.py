"""The roofline: a broker that does nothing but the unavoidable, and one client that speaks several brokers' protocols.

Both are instruments outside this repository (a directory with refbroker.cpp and peerbench.cpp); without them the
columns say "not present"."""
import re
import shutil
import subprocess
import time

from .process import Server, free_port, run

LATENCY = re.compile(r"p50 ([\d.]+) us p90 [\d.]+ p99 ([\d.]+) p99\.9 ([\d.]+) max ([\d.]+)")


class Instruments:
    """Builds what is there. `reason` says what is missing, None when all is present."""

    def __init__(self, sources, build):
        self.build = build
        self.reason = None
        if not (sources / "peerbench.cpp").is_file():
            self.reason = "not present"
            return
        build.mkdir(parents=True, exist_ok=True)
        for name in ("refbroker", "peerbench"):
            source, program = sources / f"{name}.cpp", build / name
            if program.exists() and program.stat().st_mtime > source.stat().st_mtime:
                continue
            compiler = shutil.which("g++") or shutil.which("clang++-19")
            done = subprocess.run([compiler, "-O3", "-march=native", "-std=c++20", "-w", str(source), "-o", str(program),
                                   "-luring"], capture_output=True, text=True)
            if done.returncode != 0:
                self.reason = f"{name} does not compile"
                return

    @property
    def is_present(self):
        return self.reason is None

    def prepare(self, protocol, mode, port, **keys):
        run([self.build / "peerbench", protocol, mode, f"port={port}"] + [f"{key}={value}" for key, value in keys.items()])

    def client(self, protocol, mode, port, server=None, timeout=300, **keys):
        """One run of peerbench. Values are seconds, bytes and records; `cpu` is the server's time a record."""
        words = [protocol, mode, f"port={port}"] + [f"{key}={value}" for key, value in keys.items()]
        before = server.cpu_seconds() if server else 0
        text = run([self.build / "peerbench", *words], timeout=timeout)
        values = parse_result(text)
        if server and values.get("records"):
            values["cpu"] = (server.cpu_seconds() - before) / values["records"]
        shown = " ".join(word for word in words if not word.startswith("port="))
        return values, f"peerbench {shown}"


def parse_result(text):
    """A RESULT line of peerbench as values in base units. Raises ValueError when there is none."""
    line = next((line for line in text.splitlines() if line.startswith("RESULT ")), None)
    if line is None:
        raise ValueError(f"no RESULT in {text[-200:]!r}")
    values = {"size": int(re.search(r"size=(\d+)", line)[1])}
    if found := re.search(r" n=(\d+): ([\d.]+) rec/s", line):
        values["records"], values["rate"] = int(found[1]), float(found[2])
        values["flow"] = values["rate"] * values["size"]
    if found := re.search(r"recv=(\d+)/(\d+)", line):
        values["records"], values["sent"] = int(found[1]), int(found[2])
        if values["records"] < values["sent"]:
            values["undelivered"] = values["sent"] - values["records"]
    for name, prefix in (("batch-ack", "ack_"), ("deliver", ""), ("ack", "ack_")):
        if found := re.search(rf"[ |]{name} " + LATENCY.pattern, line):
            for key, group in zip(("p50", "p99", "p999", "max"), found.groups()):
                values[prefix + key] = float(group) / 1e6
    return values


class RefBroker(Server):
    """refbroker in mode `wal` (durable), `buf` or `null`; ready when the constructor returns."""

    def __init__(self, instruments, directory, mode):
        directory.mkdir(parents=True, exist_ok=True)
        self.mode, self.port, self.file = mode, free_port(), directory / f"ref.{mode}"
        log = directory / f"ref.{mode}.log"
        log.unlink(missing_ok=True)
        super().__init__([instruments.build / "refbroker", mode, self.port, self.file], log)
        self.wait_for_port(self.port)
        time.sleep(0.05)

    def stop(self, *arguments, **named):
        super().stop(*arguments, **named)
        self.file.unlink(missing_ok=True)
