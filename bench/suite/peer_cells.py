"""What is measured of other brokers, with one client for all of them. One server at a time."""
import signal
import time

from . import kinesis_cells, kinesis_peers, peers
from .bench import Cell
from .process import disk_bytes
from .tables import Medians

SETTINGS = ((1, 10000, 500), (4, 10000, 500), (16, 10000, 500))
KAFKA_SETTINGS = ((1, 0, 500), (1, 0, 2000))  # one producer; its own tool knows no window
SETTING_ROWS = ("produce_100", "produce_1k_deep")
# Records for some two seconds: of 100 B, of 1 KB.
COUNTS = {"redis always": (1_200_000, 600_000), "redis everysec": (1_500_000, 600_000), "nats": (900_000, 450_000),
          "rabbitmq": (2_500_000, 700_000), "rabbitmq batched": (25_000_000, 2_000_000),
          "kafka": (6_000_000, 1_000_000), "kafka fsync": (3_000_000, 600_000)}
LOG_BYTES = 3e8
SHARDS = {"redis": 10_000, "nats": 9_000, "rabbitmq": 1_000}  # nats keeps two files open a stream


class Stage:
    """Holds the one peer that runs."""

    def __init__(self):
        self.system = self.server = None

    def server_for(self, bench, system, fresh):
        running = self.server is not None and self.server.process.poll() is None
        if fresh or self.system != system or not running:
            self.end()
            self.server, self.system = peers.start(bench, system), system
            self.server.make_stream(bench)
        return self.server

    def end(self):
        if self.server is not None:
            self.server.stop(signal.SIGKILL)
        self.system = self.server = None


def load(stage, system, row, mode, fresh=False, setting=None, **keys):
    point = f"{setting[0]} x {setting[2]}" if setting else ""

    def measure(bench):
        server = stage.server_for(bench, system, fresh)
        if setting:
            keys.update(conns=setting[0], window=setting[1], batch=setting[2])
        return server.measure(bench, mode, **keys)
    return Cell(row, system, measure, point=point)


def empty(stage, system):
    def measure(bench):
        stage.end()
        server = stage.server_for(bench, system, True)
        time.sleep(1)
        return {"start": server.start_seconds, "resident": server.resident_bytes(), "idle_cpu": server.idle_share(2)}, \
            " ".join(server.command[:1])
    return Cell("empty", system, measure, once=True)


def restart_killed(stage, system):
    """Of what the produce rows left, or as much: killed, started again; nothing is verified."""
    def measure(bench):
        server = stage.server_for(bench, system, False)
        if disk_bytes(server.directory) < LOG_BYTES:
            server.measure(bench, "produce", size=1000, n=COUNTS[system][1], conns=4, window=10000, batch=500)
        size = disk_bytes(server.directory)
        stage.end()
        again = peers.start(bench, system, keep_data=True)
        stage.server, stage.system = again, system
        return {"restart": again.start_seconds, "log": size}, "SIGKILL; start"
    return Cell("restart_killed", system, measure, once=True)


def many_streams(stage, system, count):
    def measure(bench):
        server = stage.server_for(bench, system, True)
        time.sleep(0.5)
        before, start = server.resident_bytes(), time.monotonic()
        server.create_streams(count)
        values = {"created": time.monotonic() - start}
        time.sleep(1)
        values["idle_shard"] = (server.resident_bytes() - before) / count
        values["idle_cpu"] = server.idle_share(5)
        server.stop(seconds=120)
        again = peers.start(bench, system, keep_data=True)
        stage.server, stage.system = again, system
        values["restart"] = again.start_seconds
        stage.end()
        return values, f"{count:,} streams"
    return Cell("shards_10k", system, measure, once=True, point=f"{count:,} streams")


def cells(stage, system, settings):
    """`settings` of the batched rows: {row: [settings]}; a first round tries all, later ones only the best."""
    small, large = COUNTS[system]
    out = []
    for number, setting in enumerate(settings["produce_100"]):
        out.append(load(stage, system, "produce_100", "produce", number == 0, setting, size=100, n=small))
    out.append(load(stage, system, "consume_100", "consume", size=100, conns=1, n=small))
    if system not in ("rabbitmq batched", "kafka", "kafka fsync"):  # single records and a rate know no batches
        out += [load(stage, system, "single_64", "produce", size=100, conns=64, window=1, batch=1, n=100_000),
                load(stage, system, "single_256", "produce", size=100, conns=256, window=1, batch=1, n=150_000),
                load(stage, system, "latency_10k", "e2e", size=100, rate=10000, secs=5)]
    for number, setting in enumerate(settings["produce_1k_deep"]):
        out.append(load(stage, system, "produce_1k_deep", "produce", number == 0, setting, size=1000, n=large))
    out.append(load(stage, system, "consume_1k", "consume", size=1000, conns=1, n=large))
    return out


def once_cells(stage, system):
    name = system.split()[0]
    if system in ("redis everysec", "rabbitmq batched", "kafka fsync"):
        return []
    if name == "kafka":
        return [restart_killed(stage, system), empty(stage, system)]
    return [restart_killed(stage, system), empty(stage, system), many_streams(stage, system, SHARDS[name])]


class Rounds:
    """The peers' part of every repetition. The first one tries all settings, the others repeat the best."""

    def __init__(self, schedule, systems, repetitions, rows):
        self.schedule, self.systems, self.rows = schedule, systems, rows
        self.stage, self.best = Stage(), {}
        later = {row: SETTINGS[:1] for row in SETTING_ROWS}
        for system in systems:
            schedule.expect(len(self._round(system, first_settings(system), True)))
            schedule.expect(len(self._round(system, later, False)) * (repetitions - 1))

    def _round(self, system, settings, is_first):
        if system in kinesis_peers.SYSTEMS:
            found = kinesis_cells.peer_cells(self.stage, system)
            found = [cell for cell in found if is_first or not cell.once]
        else:
            found = cells(self.stage, system, settings) + (once_cells(self.stage, system) if is_first else [])
        return [cell for cell in found if self.rows is None or cell.row in self.rows]

    def run(self, number):
        for system in self.systems:
            settings = self.best.get(system) or first_settings(system)
            self.schedule.run(self._round(system, settings, number == 0), number)
            self.best.setdefault(system, {row: [best_setting(self.schedule, row, system)] for row in settings})
        self.stage.end()


def first_settings(system):
    return {row: KAFKA_SETTINGS if system.startswith("kafka") else SETTINGS for row in SETTING_ROWS}


def best_setting(schedule, row, system):
    point = Medians(schedule.results["samples"]).best_point(row, system)
    tried = first_settings(system)[row]
    return next((setting for setting in tried if f"{setting[0]} x {setting[2]}" == point), tried[0])
