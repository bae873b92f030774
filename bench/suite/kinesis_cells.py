"""Kinesis' own API over HTTP/1.1, every request signed: Tidemill's cells, and the same loads at emulators of the service."""
import time

from .bench import Cell, load_values
from .tidemill import bench_load, shown

KEY = "tidemill:tidemill"  # what a broker knows without a credentials file; the emulators look at no signature
# row: the load, its flags
LOADS = {
    "kinesis_put_records": ("put-records", ["--batch", 500, "--connections", 8]),
    "kinesis_put_records_cbor": ("put-records", ["--batch", 500, "--connections", 8, "--cbor"]),
    "kinesis_put_record": ("put-record", ["--connections", 64]),
    "kinesis_get_records": ("get-records", ["--batch", 10000, "--connections", 8]),
}
# Where the load as it is would take minutes: other flags, and the setting that the report shows for them.
EASED = {("kinesis-local", "kinesis_get_records"): (["--batch", 100, "--connections", 8], "pages of 100")}


def words(flags):
    return ["--record-bytes", 100, "--shards", 8, "--sign", KEY, *flags]


def own_cells():
    def cell(row, kind, flags):
        def measure(bench):
            timed = [*words(flags), "--seconds", bench.seconds]
            with bench.broker() as broker:
                return load_values(broker.load(kind, timed)), shown(kind, timed)
        return Cell(row, "tidemill", measure)
    return [cell(row, *load) for row, load in LOADS.items()]


def peer_cells(stage, system):
    """Each on an empty server: what it keeps is in its memory."""
    def cell(row, kind, flags, point=""):
        def measure(bench):
            timed = [*words(flags), "--seconds", bench.seconds]
            server = stage.server_for(bench, system, True)
            before = server.cpu_seconds()
            result = bench_load(bench.program, kind, server.address, timed)
            result["cpu"] = (server.cpu_seconds() - before) / max(1, result["records"])
            return load_values(result), shown(kind, timed)
        return Cell(row, system, measure, point=point)

    def start(bench):
        stage.end()
        server = stage.server_for(bench, system, True)
        time.sleep(1)
        values = {"start": server.start_seconds, "resident": server.resident_bytes(), "idle_cpu": server.idle_share(2)}
        stage.end()
        return values, " ".join(server.command[:1])

    cells = []
    for row, (kind, flags) in LOADS.items():
        eased, point = EASED.get((system, row), (flags, ""))
        cells.append(cell(row, kind, eased, point))
    return [*cells, Cell("empty", system, start, once=True)]
