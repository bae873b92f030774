"""Rows about what the broker needs while it does little: starting, resting, ten thousand shards, space on the disk."""
import time

from .bench import Cell, load_values
from .process import disk_bytes, fresh_directory
from .tidemill import Broker, flags, log_bytes, shown

SHARDS = 10_000


def empty(bench):
    starts = []
    for _ in range(5):
        with bench.broker() as broker:
            starts.append(broker.start_seconds)
    with bench.broker() as broker:
        time.sleep(1)
        values = {"resident": broker.resident_bytes(), "idle_cpu": broker.idle_share(2 * bench.patience)}
    values["start"] = sorted(starts)[len(starts) // 2]
    return values, "tidemill serve --cores 1 (median of 5 starts; memory 1 s later)"


def ten_thousand_shards(bench):
    words = flags(100, 500, 4, 10000, SHARDS, seconds=bench.seconds)
    values = {}
    with bench.broker() as broker:
        time.sleep(0.5)
        before = broker.resident_bytes()
        values["created"] = broker.create("load", SHARDS)
        time.sleep(1)
        values["idle_shard"] = (broker.resident_bytes() - before) / SHARDS
        values["idle_cpu"] = broker.idle_share(8 * bench.patience)
        broker.stop()
        again = Broker(bench.program, broker.data)
        values["restart"] = again.start_seconds
        with again:
            values |= load_values(again.load("produce", words))
    return values, f"tidemill stream create load --shards {SHARDS}; {shown('produce', words)}"


def space(bench):
    """Each rate on a fresh log. Measured on the stopped broker: as written, then after another start that packs."""
    cases = {"10": (1, 1, 10, 30), "1000": (1, 1, 1000, 3), "100000": (100, 1, 100_000, 3), "full": (500, 4, 0, 2)}
    values, words = {}, []
    for name, (batch, connections, rate, seconds) in cases.items():
        words = flags(100, batch, connections, 10000 if rate == 0 else None, seconds=seconds * bench.patience)
        words += ["--rate", rate] if rate else []
        broker = Broker(bench.program, fresh_directory(bench.scratch / "tidemill"))
        try:
            payload = broker.load("produce", words)["payload_bytes"]
            broker.stop()
            taken, _ = log_bytes(bench.program, broker.data)
            values[f"fresh_{name}"] = taken / payload
            values[f"fresh_files_{name}"] = disk_bytes(broker.data) / payload
            broker = Broker(bench.program, broker.data)
            broker.wait_until_packed()
            broker.stop()
            taken, _ = log_bytes(bench.program, broker.data)
            values[f"log_{name}"] = taken / payload
            values[f"files_{name}"] = disk_bytes(broker.data) / payload
        finally:
            broker.remove()
    values["worst"] = max(values[f"log_{name}"] for name in cases)
    return values, (f"{shown('produce', words)} and the same with --rate; another start, until nothing is left to pack; "
                    "tidemill log verify DATA")


def cells():
    return [Cell("empty", "tidemill", empty), Cell("shards_10k", "tidemill", ten_thousand_shards),
            Cell("space", "tidemill", space, once=True)]
