"""Runs the cells: repetitions outside, rows inside, so that what is compared was measured within seconds of each other."""
import json
import subprocess
import sys
import time

from .machine import ForeignLoad
from .stats import human

QUIET = 0.12  # of one core: above it a measurement is tried again
TRIES = 3
RETRY_SECONDS = 20  # no further try of a cell that has taken longer
RETRY_BUDGET = 300  # seconds of all further tries together
HEADLINE = (("rate", "records/s"), ("flow", "B/s"), ("p99", "s"), ("ack_p99", "s"), ("restart", "s"), ("start", "s"),
            ("worst", "ratio"))


class Schedule:
    """Collects samples; `results` is written after every cell, so that a broken run has kept what it had."""

    def __init__(self, bench, file, facts):
        self.bench, self.file = bench, file
        self.results = {"machine": facts, "samples": [], "skipped": {}, "versions": {}}
        self.started, self.done, self.planned, self.retried = time.monotonic(), 0, 0, 0

    def expect(self, count):
        """So many measurements are to come: for the time that is left."""
        self.planned += count

    def skip(self, what, reason):
        self.results["skipped"][what] = reason
        self.say(f"{what}: skipped, {reason}")

    def say(self, text):
        elapsed = time.monotonic() - self.started
        left = ""
        if self.done:
            left = f", {elapsed / self.done * (self.planned - self.done) / 60:.0f} min left"
        print(f"[{self.done}/{self.planned} {int(elapsed) // 60}:{int(elapsed) % 60:02d}{left}] {text}",
              file=sys.stderr, flush=True)

    def run(self, cells, repetition):
        for cell in cells:
            if repetition == 0 or not cell.once:
                self.measure(cell, repetition)

    def measure(self, cell, repetition):
        """One sample: the first quiet try, or the quietest."""
        best, begun = None, time.monotonic()
        for attempt in range(TRIES):
            foreign, tried = ForeignLoad(), time.monotonic()
            try:
                values, command = cell.run(self.bench)
            except (RuntimeError, ValueError, OSError, KeyError, subprocess.SubprocessError) as problem:
                self.done += 1
                self.say(f"{cell.row:16} {cell.system:10} FAILED: {problem}")
                self.results["samples"].append({"row": cell.row, "system": cell.system, "point": cell.point,
                                                "repetition": repetition, "failed": str(problem)})
                self.write()
                return
            sample = {"row": cell.row, "system": cell.system, "point": cell.point, "repetition": repetition,
                      "foreign": round(foreign.share(), 4), "attempts": attempt + 1, "command": command, "values": values}
            if best is None or sample["foreign"] < best["foreign"]:
                best = sample
            self.retried += time.monotonic() - tried if attempt else 0
            if best["foreign"] <= QUIET or time.monotonic() - begun > RETRY_SECONDS or self.retried > RETRY_BUDGET:
                break
        best["attempts"], best["took"] = attempt + 1, round(time.monotonic() - begun, 2)
        self.results["samples"].append(best)
        self.done += 1
        figures = "  ".join(f"{key} {human(values[key], unit)}" for key, unit in HEADLINE if key in (values := best["values"]))
        noise = f"  foreign {best['foreign'] * 100:.0f} %" if best["foreign"] > 0.03 else ""
        self.say(f"{cell.row:16} {cell.system:10} {cell.point:>8} {figures}{noise}")
        self.write()

    def write(self):
        temporary = self.file.with_suffix(".tmp")
        temporary.write_text(json.dumps(self.results, indent=1))
        temporary.replace(self.file)
