"""From samples to medians, derived figures and verdicts. No text, no files: report.py writes."""
import collections

from .goals import BY_KEY
from .schedule import QUIET
from .stats import median


class Medians:
    """Of each (row, system, point): the median and spread of every value, over the repetitions that did not fail."""

    def __init__(self, samples):
        self.values = collections.defaultdict(lambda: collections.defaultdict(list))
        self.commands, self.noise, self.failures = {}, collections.defaultdict(float), {}
        for sample in samples:
            place = (sample["row"], sample["system"], sample.get("point", ""))
            if "failed" in sample:
                self.failures[place] = sample["failed"]
                continue
            for key, value in sample["values"].items():
                self.values[place][key].append(value)
            self.commands[place] = sample["command"]
            self.noise[place] = max(self.noise[place], sample["foreign"])
        self._derive()

    def _derive(self):
        """Figures that compare one cell with another."""
        def ratio(row, key, of_row, of_key, name):
            part, whole = self.get(row, key), self.get(of_row, of_key)
            if part is not None and whole:
                self.values[(row, "tidemill", "")][name] = [part / whole]
        ratio("shards_10k", "rate", "produce_100_new", "rate", "of_8")
        ratio("catchup_one", "flow", "catchup", "flow", "of_all")
        null = self.get("latency_10k", "p999", "null")
        for system in self.systems("latency_10k"):
            own = self.get("latency_10k", "p999", system)
            if null is not None and own is not None and system != "null":
                self.values[("latency_10k", system, "")]["over_null"] = [own - null]
        if (device := self.get("catchup", "device")) is not None:
            self.values[("catchup", "roofline", "")]["flow"] = [device]

    def get(self, row, key, system="tidemill", point=""):
        return median(self.values.get((row, system, point), {}).get(key))

    def spread(self, row, key, system="tidemill", point=""):
        found = self.values.get((row, system, point), {}).get(key)
        return (min(found), max(found)) if found and len(found) > 1 else None

    def is_noisy(self, row, system="tidemill", point=""):
        return self.noise.get((row, system, point), 0) > QUIET

    def systems(self, row):
        return sorted({system for found_row, system, _ in self.values if found_row == row})

    def points(self, row, system="tidemill"):
        return [point for found_row, found_system, point in self.values if (found_row, found_system) == (row, system)]

    def best_point(self, row, system, key="rate"):
        """Of a peer's settings the one with the highest rate (for latencies: the only one)."""
        points = self.points(row, system)
        return max(points, key=lambda point: self.get(row, key, system, point) or 0) if points else ""


def verdict(row_key, measure, medians):
    """"stretch", "reached", "missed", "not measured", or "" for a measure without a goal."""
    if measure.must is None:
        return ""
    value = medians.get(row_key, measure.key)
    if value is None:
        return "not measured"
    if measure.stretch is not None and measure.reaches(value, measure.stretch):
        return "stretch"
    return "reached" if measure.reaches(value, measure.must) else "missed"


def row_verdict(row, medians):
    """The worst of a row's measures."""
    order = ["missed", "not measured", "reached", "stretch"]
    found = [verdict(row.key, measure, medians) for measure in row.measures if measure.must is not None]
    return min(found, key=order.index) if found else ""


def roofline_ratio(row_key, measure, medians):
    """R: ours over the roofline's; for times theirs over ours is left out, as the goals name them absolutely."""
    own, limit = medians.get(row_key, measure.key), medians.get(row_key, measure.key, "roofline")
    if measure.unit not in ("records/s", "B/s") or own is None or not limit:
        return None
    return own / limit


def furthest_from_stretch(medians):
    """(row, measure, factor) of the stretch goal that is missed by the largest factor; None when all are reached."""
    worst = None
    for row in BY_KEY.values():
        for measure in row.measures:
            value = medians.get(row.key, measure.key)
            if measure.stretch is None or value is None or measure.reaches(value, measure.stretch):
                continue
            factor = measure.stretch / value if measure.better == "higher" else value / measure.stretch
            if worst is None or factor > worst[2]:
                worst = (row, measure, factor)
    return worst
