"""The table that the log has to reach: each row, what is measured in it, what it must and should be."""
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Measure:
    key: str  # of a sample's values; seconds, bytes, records and ratios, never scaled
    label: str
    unit: str  # see stats.human
    better: str  # "higher" or "lower"
    must: float | None = None
    stretch: float | None = None
    limit: float | None = None  # what a measure without a stretch goal has to keep to

    def reaches(self, value, goal):
        return value >= goal if self.better == "higher" else value <= goal


@dataclass(frozen=True)
class Row:
    key: str
    title: str
    measures: list
    note: str = ""


def rate(must, stretch, key="rate", label="records/s"):
    return Measure(key, label, "records/s", "higher", must, stretch)


def flow(must, stretch, label="payload"):
    return Measure("flow", label, "B/s", "higher", must, stretch)


def time(key, label, must=None, stretch=None):
    return Measure(key, label, "s", "lower", must, stretch)


CPU = "server CPU a record"


def on_new_log(row):
    """The same goals where every block is written for the first time: file system and disk have to give it out first."""
    return Row(f"{row.key}_new", f"{row.title}; a new log", row.measures)


def with_new_log(*rows):
    return [each for row in rows for each in (row, on_new_log(row))]


ROWS = [
    *with_new_log(
        Row("produce_100", "produce 100 B, 4 connections, batches of 500",
            [rate(14e6, 20e6), time("ack_p99", "p99 of acknowledgements", 5e-3), time("cpu", CPU, 60e-9, 40e-9)]),
        Row("produce_1k_deep", "produce 1 KB, 4 connections, 40 MB in flight",
            [flow(1.8e9, 2.4e9), time("ack_p99", "p99 of acknowledgements"), time("cpu", CPU, 500e-9, 350e-9)]),
        Row("produce_1k_one", "produce 1 KB, one connection, batches of 100",
            [flow(1.2e9, 1.6e9), time("ack_p99", "p99 of acknowledgements")])),
    Row("produce_100_one", "produce 100 B, one connection, window 1,000, batches of 100",
        [rate(2.5e6, 3.2e6), time("ack_p99", "p99 of acknowledgements")]),
    Row("single_64", "single records in flight, 64 connections", [rate(95e3, 130e3), time("ack_p99", "p99")]),
    Row("single_256", "single records in flight, 256 connections", [rate(130e3, 160e3), time("ack_p99", "p99")]),
    Row("consume_100", "consume at the tip, 100 B", [rate(22e6, 28e6)]),
    Row("consume_1k", "consume at the tip, 1 KB", [flow(2.6e9, 3.2e9)]),
    Row("catchup", "catch-up from disk after a restart, all shards",
        [flow(0.9e9, 1.05e9), Measure("p99_ratio", "produce p99 meanwhile / alone", "ratio", "lower", 2),
         time("p99_alone", "produce p99 alone"), time("p99_during", "produce p99 meanwhile")],
        "The producer sends 200,000 records/s of 100 B in batches of 100. The roofline is the device: dd with direct "
        "reads of 1 MiB from the same files."),
    Row("catchup_one", "catch-up of one shard out of 1,000",
        [Measure("of_all", "of the rate with all shards", "ratio", "higher", 0.5, 0.8), flow(None, None)],
        "Shards are read one after another, 20 of them, spread over the stream."),
    Row("latency_10k", "10,000 records/s of 100 B, open loop: produce to delivery",
        [time("p50", "p50", 300e-6, 200e-6), time("p99", "p99", 1.2e-3, 700e-6), time("p999", "p99.9"),
         time("over_null", "p99.9 above the null broker's", 1e-3, 0.5e-3)]),
    *with_new_log(
        Row("latency_half", "the same at 7 M records/s, batches of 500 (half of the first row's must)",
            [time("p50", "p50"), time("p99", "p99", 3e-3, 2e-3), time("p999", "p99.9", 8e-3, 5e-3)],
            "All records of a batch are due at the same time. The roofline's client cannot send batches at a rate."),
        Row("memory_100", "durability `memory`: produce 100 B", [rate(25e6, 40e6)])),
    Row("memory_latency", "durability `memory`: 10,000 records/s, produce to delivery",
        [time("p50", "p50", 90e-6, 60e-6), time("p99", "p99")]),
    Row("kinesis_put_records", "Kinesis API, JSON: PutRecords of 500 x 100 B, signed, 8 connections",
        [rate(1e6, 2e6), time("p99", "p99 of requests"), time("cpu", CPU)],
        "Over HTTP/1.1. Every signature is checked by Tidemill and looked at by no emulator; those keep records in memory."),
    Row("kinesis_put_records_cbor", "the same in CBOR", [rate(1e6, 2e6), time("p99", "p99 of requests"), time("cpu", CPU)]),
    Row("kinesis_put_record", "Kinesis API, JSON: PutRecord of 100 B, signed, 64 connections",
        [rate(40e3, None), time("p99", "p99 of requests"), time("cpu", CPU)]),
    Row("kinesis_get_records", "Kinesis API, JSON: GetRecords, pages of 10,000 x 100 B, signed, 8 connections",
        [rate(1.5e6, None), time("p99", "p99 of requests"), time("cpu", CPU)]),
    Row("kinesis_fan_out", "Kinesis API, SubscribeToShard: one record of 100 B after the other, put to pushed",
        [time("delivered_p50", "p50 from sending PutRecord", 2e-3, 1e-3), time("delivered_p99", "p99 from sending PutRecord"),
         time("pushed_p50", "p50 after its answer was read", 2e-3, 1e-3), time("pushed_p99", "p99 after its answer was read")],
        "Durability `disk`; the client is Python and parses JSON within the time measured. An event that has come before "
        "the answer was read counts as coming then."),
    Row("shards_10k", "10,000 shards",
        [Measure("of_8", "throughput against 8 shards", "ratio", "higher", 0.7, 0.9), rate(None, None),
         time("created", "created", 0.5, 0.2), time("restart", "restart", 0.3, 0.1),
         Measure("idle_shard", "resident per idle shard", "KiB", "lower", 4096, 1024),
         Measure("idle_cpu", "idle CPU, of a core", "share", "lower", 0.003, 0.001)]),
    Row("restart_killed", "restart after SIGKILL",
        [time("restart", "until it listens", 0.6, 0.3),
         Measure("lost", "acknowledged records missing", "count", "lower", 0),
         Measure("log", "size of the log", "B", "higher"),
         Measure("verified", "records read back, every checksum", "count", "higher")],
        "Killed while four connections write as fast as they can; each shard must hold at least what was acknowledged."),
    Row("empty", "empty start; idle resident",
        [time("start", "until it listens", 50e-3, 20e-3),
         Measure("resident", "idle resident", "MB", "lower", 60e6, 30e6)]),
    Row("space", "space on disk per payload byte, 10 records/s to full rate",
        [Measure("worst", "worst of all rates, packed", "ratio", "lower", 1.2, 1.1),
         Measure("fresh_10", "at 10 records/s before packing", "ratio", "lower"),
         Measure("fresh_1000", "at 1,000/s before packing", "ratio", "lower"),
         Measure("log_10", "at 10 records/s", "ratio", "lower"), Measure("log_1000", "at 1,000/s", "ratio", "lower"),
         Measure("log_100000", "at 100,000/s, batches of 100", "ratio", "lower"),
         Measure("log_full", "at full rate", "ratio", "lower"),
         Measure("files_full", "all files after a stop, full rate (du)", "ratio", "lower")],
        "Bytes of the log that commits take (`tidemill log verify`) over payload; payload is data and partition key of "
        "every record, 100 + 4 bytes. Packed: what the broker makes of sealed segments in the background, here after another "
        "start; the segment that is being written takes what it takes before packing."),
]
BY_KEY = {row.key: row for row in ROWS}
