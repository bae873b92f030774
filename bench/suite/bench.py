"""What every cell works with: the program, a scratch directory, the instruments, the broker it starts."""
import dataclasses
import pathlib
import typing

from .process import fresh_directory
from .roofline import RefBroker
from .tidemill import Broker


@dataclasses.dataclass(frozen=True)
class Cell:
    """One thing to be measured: `run(bench)` returns (values, command). Values are in base units."""
    row: str
    system: str
    run: typing.Callable
    once: bool = False  # too long for every repetition
    point: str = ""  # of a sweep: what the values belong to


@dataclasses.dataclass
class Bench:
    program: pathlib.Path
    scratch: pathlib.Path
    instruments: typing.Any
    seconds: float
    fill_bytes: float  # of a dataset that the broker's caches cannot hold

    def __post_init__(self):
        self._idle_refs = {}

    @property
    def patience(self):
        """Of a wait that is meant for full runs: less in short ones."""
        return min(1.0, self.seconds / 2)

    def broker(self, durability="disk"):
        self.drop_refs()  # an idle roofline broker costs others latency: p99 of 190 ms beside it, 1 ms without
        return Broker(self.program, fresh_directory(self.scratch / "tidemill"), durability)

    def ref(self, mode):
        """A roofline broker that stays for the next cells of its kind."""
        if mode not in self._idle_refs:
            self._idle_refs[mode] = self.new_ref(mode)
        return self._idle_refs[mode]

    def new_ref(self, mode):
        return RefBroker(self.instruments, self.scratch / "roofline", mode)

    def drop_refs(self):
        for ref in self._idle_refs.values():
            ref.stop()
        self._idle_refs.clear()


def load_values(result):
    """Values of `tidemill bench ... -o json`."""
    values = {"rate": result["records_per_second"], "flow": result["bytes_per_second"], "records": result["records"]}
    if "throttled_batches" in result:
        values["throttled_batches"] = result["throttled_batches"]
    if "cpu" in result:
        values["cpu"] = result["cpu"]
    for prefix, latency in (("ack_" if result["kind"] == "produce" else "", result["latency_us"]),
                            ("ack_", result.get("acknowledge_us"))):
        for key, value in (latency or {}).items():
            values[prefix + key] = value / 1e6
    return values
