"""Rows that need a log larger than the broker's caches: catch-up from the disk, and restart after a kill."""
import os
import pathlib
import subprocess
import time

from .bench import Cell
from .process import fresh_directory
from .tidemill import Broker, finish, flags, kill, shown



def forget_page_cache():
    """What the kernel holds of the log must not answer for the disk. Needs root; direct reads pass it by anyway."""
    os.sync()
    try:
        pathlib.Path("/proc/sys/vm/drop_caches").write_text("3")
    except OSError:
        pass


def device_flow(directory, most=2e9):
    """Bytes a second of direct sequential reads from the largest files there; None where the file system has none."""
    files = sorted(directory.rglob("*"), key=lambda file: -file.stat().st_size if file.is_file() else 0)
    done = start = 0
    for file in files:
        if not file.is_file() or file.stat().st_size < 1e7 or done >= most:
            break
        start = start or time.monotonic()
        if subprocess.run(["dd", f"if={file}", "of=/dev/null", "bs=1M", "iflag=direct"], capture_output=True).returncode:
            return None
        done += file.stat().st_size
    return done / (time.monotonic() - start) if done else None


def filled(bench, shards):
    """A broker, started again over a log that its caches cannot hold, and what was written."""
    broker = bench.broker()
    words = flags(1000, 100, 4, 10000, shards, records=round(bench.fill_bytes / 1000))
    written = broker.load("produce", words)["records"]
    broker.stop()
    forget_page_cache()
    return broker.data, written


def catchup(bench):
    data, written = filled(bench, 8)
    device = device_flow(data)
    words = flags(1000, 100, 4)
    steady = flags(100, 100, 1, rate=200_000, seconds=4 * bench.patience)
    with Broker(bench.program, data) as broker:
        read = broker.load("catchup", words)
        if read["records"] != written:
            raise RuntimeError(f"{read['records']} of {written} records read after the restart")
        alone = broker.load("produce", steady, "steady")
        reading = broker.start_load("catchup", words)
        during = broker.load("produce", steady, "steady")
        beside = finish(reading)
    values = {"flow": read["bytes_per_second"], "cpu": read["cpu"], "flow_during": beside["bytes_per_second"],
              "p99_alone": alone["latency_us"]["p99"] / 1e6, "p99_during": during["latency_us"]["p99"] / 1e6}
    values["p99_ratio"] = values["p99_during"] / values["p99_alone"]
    if device:
        values["device"] = device
    return values, f"{shown('catchup', words)}; {shown('produce', steady)}"


def catchup_one(bench):
    data, _ = filled(bench, 1000)
    words = flags(1000, 100, 1, shards=1000, sample_shards=20)
    with Broker(bench.program, data) as broker:
        read = broker.load("catchup", words)
    return {"flow": read["bytes_per_second"], "records": read["records"]}, shown("catchup", words)


def restart_killed(bench):
    words = flags(100, 500, 4, 10000, seconds=60, until_broken=True)
    with bench.broker() as broker:
        writing = broker.start_load("produce", words)
        time.sleep(max(bench.seconds, 1))
        kill(broker)
        written = finish(writing)
        forget_page_cache()
        with Broker(bench.program, broker.data) as again:
            values = {"restart": again.start_seconds}
            values["log"] = sum(f.stat().st_size for f in again.data.rglob("*") if f.is_file())
            read = again.load("catchup", flags(100, 500, 4))
    pairs = list(zip(written["shard_records"], read["shard_records"], strict=True))
    values["lost"] = sum(max(0, acknowledged - there) for acknowledged, there in pairs)
    values["verified"] = read["records"]
    return values, f"{shown('produce', words)}; SIGKILL; tidemill serve; {shown('catchup', flags(100, 500, 4))}"


def cells():
    return [Cell("catchup", "tidemill", catchup), Cell("catchup_one", "tidemill", catchup_one),
            Cell("restart_killed", "tidemill", restart_killed)]


def clean(bench):
    fresh_directory(bench.scratch)
