"""Which command measures which row, for Tidemill and for the roofline: the plain loads."""
from .bench import Cell, load_values
from .tidemill import flags, shown

# row: bytes a record, batch, connections, window; records that the roofline is given (some 2 to 4 s).
PRODUCE = {
    "produce_100": (100, 500, 4, 10000, 60_000_000),
    "produce_1k_deep": (1000, 500, 4, 10000, 10_000_000),
    "produce_1k_one": (1000, 100, 1, 1000, 4_000_000),
    "produce_100_one": (100, 100, 1, 1000, 10_000_000),
    "single_64": (100, 1, 64, 1, 250_000),
    "single_256": (100, 1, 256, 1, 300_000),
}
# row: bytes a record; records that the roofline's ring of 1,600 MB still holds.
CONSUME = {"consume_100": (100, 14_000_000), "consume_1k": (1000, 1_500_000)}
HALF_RATE = 7_000_000
# Rows that are measured on a log at its bound, which uses its files again, and once more on a new one.
FULL_LOG = ("produce_100", "produce_1k_deep", "produce_1k_one", "latency_half", "memory_100")


def both_logs(row, kind, words, durability="disk"):
    return [tidemill_load(row, kind, words, durability, is_full=True),
            tidemill_load(f"{row}_new", kind, words, durability)]


def tidemill_load(row, kind, words, durability="disk", once=False, point="", seconds=None, is_full=False):
    def measure(bench):
        timed = [*words, "--seconds", seconds or bench.seconds]
        with bench.broker(durability) as broker:
            if is_full:
                broker.fill_to_bound(bound_bytes=round(bench.patience * (1 << 30)))
            return load_values(broker.load(kind, timed)), shown(kind, timed)
    return Cell(row, "tidemill", measure, once, point)


def ref_produce(row, mode, size, batch, connections, window, count, once=False, point=""):
    def measure(bench):
        ref = bench.ref(mode)
        values, command = bench.instruments.client("ref", "produce", ref.port, ref, size=size, conns=connections,
                                                   window=window, batch=batch,
                                                   n=round(count * bench.patience))
        return values, f"refbroker {mode}; {command}"
    return Cell(row, "roofline", measure, once, point)


def ref_consume(row, size, count):
    def measure(bench):
        with bench.new_ref("wal") as ref:
            bench.instruments.client("ref", "produce", ref.port, size=size, conns=4, window=10000, batch=500, n=count)
            values, command = bench.instruments.client("ref", "consume", ref.port, ref, size=size, conns=1, n=count)
        return values, f"refbroker wal; {command} (after producing as many)"
    return Cell(row, "roofline", measure)


def ref_latency(row, system, mode):
    def measure(bench):
        ref = bench.ref(mode)
        values, command = bench.instruments.client("ref", "e2e", ref.port, ref, size=100, rate=10000,
                                                   secs=round(max(bench.seconds, 1) * 1.5))
        return values, f"refbroker {mode}; {command}"
    return Cell(row, system, measure)


def latency_words(rate, batch, connections):
    return flags(100, batch, connections) + ["--rate", rate]


def plain_cells():
    """Tidemill's and the roofline's cells of the rows that are one load each, neighbours in time."""
    cells = []
    for row, (size, batch, connections, window, count) in PRODUCE.items():
        words = flags(size, batch, connections, window)
        cells += both_logs(row, "produce", words) if row in FULL_LOG else [tidemill_load(row, "produce", words)]
        cells.append(ref_produce(row, "wal", size, batch, connections, window, count))
    for row, (size, count) in CONSUME.items():
        cells.append(tidemill_load(row, "consume", flags(size)))
        cells.append(ref_consume(row, size, count))
    cells.append(tidemill_load("latency_10k", "latency", latency_words(10000, 1, 1)))
    cells.append(ref_latency("latency_10k", "roofline", "wal"))
    cells.append(ref_latency("latency_10k", "null", "null"))
    cells += both_logs("latency_half", "latency", latency_words(HALF_RATE, 500, 4))
    cells += both_logs("memory_100", "produce", flags(100, 500, 4, 10000), "memory")
    cells.append(ref_produce("memory_100", "null", 100, 500, 4, 10000, 100_000_000))
    cells.append(tidemill_load("memory_latency", "latency", latency_words(10000, 1, 1), "memory"))
    cells.append(ref_latency("memory_latency", "roofline", "null"))
    return cells


def sweep_cells():
    """What the pictures need beyond the rows: batch sizes and connections, loads, numbers of shards."""
    cells = []
    for batch in (1, 10, 100, 500, 2000):
        for connections in (1, 4, 16):
            window = max(10000, batch * 4) if batch > 1 else 256
            words = flags(100, batch, connections, window)
            cells.append(tidemill_load("sweep_batch", "produce", words, once=True,
                                       point=f"{connections}:{batch}", seconds=1.5))
        cells.append(ref_produce("sweep_batch", "wal", 100, batch, 4, max(10000, batch * 4) if batch > 1 else 256,
                                 {1: 300_000, 10: 3_000_000, 100: 10_000_000}.get(batch, 30_000_000), True, f"4:{batch}"))
    for connections in (1, 16, 64, 256):
        cells.append(tidemill_load("sweep_single", "produce", flags(100, 1, connections, 1), once=True,
                                   point=str(connections), seconds=1.5))
        cells.append(ref_produce("sweep_single", "wal", 100, 1, connections, 1, {1: 15_000, 16: 100_000}.get(connections, 200_000),
                                 True, str(connections)))
    for thousands in (10, 100, 1000, 2000, 4000, 6000, 8000, 10000, 12000, 14000):
        batch, connections = (1, 1) if thousands == 10 else (50, 4) if thousands == 100 else (500, 4)
        cells.append(tidemill_load("sweep_load", "latency", latency_words(thousands * 1000, batch, connections), once=True,
                                   point=str(thousands * 1000), seconds=3))
    for shards in (8, 100, 1000, 10000):
        cells.append(tidemill_load("sweep_shards", "produce", flags(100, 500, 4, 10000, shards), once=True,
                                   point=str(shards), seconds=3))
    return cells
