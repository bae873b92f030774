"""Which pictures a report has, drawn from its medians."""
from . import chart
from .goals import BY_KEY
from .tables import Medians

PALE, STRONG, GREY, NOT_DURABLE = "#5b6470", "#0b6e99", "#9aa3ad", "#d9a58b"


def throughput(medians):
    series = []
    for connections in ("1", "4", "16"):
        points = [(int(point.split(":")[1]), medians.get("sweep_batch", "rate", "tidemill", point))
                  for point in medians.points("sweep_batch") if point.split(":")[0] == connections]
        if points:
            series.append({"name": f"{connections} connection{'s' if connections != '1' else ''}", "points": points})
    ref = [(int(point.split(":")[1]), medians.get("sweep_batch", "rate", "roofline", point))
           for point in medians.points("sweep_batch", "roofline")]
    if ref:
        series.append({"name": "roofline, 4 connections", "points": ref, "dashed": True, "colour": PALE})
    if not series:
        return None
    goal = BY_KEY["produce_100"].measures[0]
    return chart.lines("Durable produce of 100 B records: throughput against batch size", series, "records in a batch",
                       "records/s", levels=[(goal.must, "must"), (goal.stretch, "stretch")],
                       notes=("the roofline's client writes", "every batch by itself") if ref else ())


def single(medians):
    series = []
    for system, name in (("tidemill", "Tidemill"), ("roofline", "roofline")):
        points = [(int(point), medians.get("sweep_single", "rate", system, point))
                  for point in medians.points("sweep_single", system)]
        if points:
            series.append({"name": name, "points": points, "dashed": system == "roofline"})
    for system, colour in (("redis always", "#c2335c"), ("nats", "#8a4fae")):
        points = [(connections, value) for connections in (64, 256)
                  if (value := medians.get(f"single_{connections}", "rate", system))]
        if points:
            series.append({"name": system, "points": points, "marker": "diamond", "colour": colour})
    if not series:
        return None
    return chart.lines("Durable produce of single 100 B records, one in flight a connection", series, "connections",
                       "records/s", notes=("redis and nats were measured", "at 64 and 256 connections") if len(series) > 2 else ())


def latency(medians):
    rates = sorted(int(point) for point in medians.points("sweep_load"))
    series = []
    for key, name in (("p50", "p50"), ("p99", "p99"), ("p999", "p99.9")):
        points = [(rate, medians.get("sweep_load", key, "tidemill", str(rate))) for rate in rates]
        if points:
            series.append({"name": f"Tidemill {name}", "points": points})
    if not series:
        return None
    for shift, system, colour in ((0.84, "roofline", PALE), (0.92, "redis always", "#c2335c"), (1.08, "nats", "#8a4fae")):
        points = [(10_000 * shift, value) for key in ("p50", "p99", "p999")
                  if (value := medians.get("latency_10k", key, system, medians.best_point("latency_10k", system)))]
        if points:
            series.append({"name": system, "points": points, "marker": "diamond", "colour": colour})
    return chart.lines("Produce to delivery, open loop, 100 B records: latency against load", series, "records/s",
                       "latency", y_name=chart.short_seconds,
                       notes=("single records at 10 k/s,", "batches of 50 at 100 k/s,", "of 500 above.", "Diamonds: p50, p99, p99.9",
                              "of others at 10 k/s"))


def shards(medians):
    points = [(int(point), medians.get("sweep_shards", "rate", "tidemill", point)) for point in medians.points("sweep_shards")]
    if not points:
        return None
    points.sort()
    labels = [f"{value / points[0][1] * 100:.0f} %" for _, value in points]
    return chart.lines("Durable produce of 100 B records: scaling with the number of shards",
                       [{"name": "Tidemill", "points": points, "labels": labels}], "shards of the stream", "records/s",
                       y_log=False, notes=("4 connections,", "batches of 500;", f"percent of {points[0][0]} shards"))


def systems(medians):
    panels = []
    for row, name, key, unit in (("produce_100", "produce 100 B", "rate", "records/s"),
                                 ("produce_1k_deep", "produce 1 KB", "flow", "B/s"),
                                 ("consume_100", "consume 100 B", "rate", "records/s"),
                                 ("consume_1k", "consume 1 KB", "flow", "B/s"),
                                 ("single_64", "single records, 64 connections", "rate", "records/s"),
                                 ("single_256", "single records, 256 connections", "rate", "records/s")):
        values = []
        for system in medians.systems(row):
            value = medians.get(row, key, system, medians.best_point(row, system))
            if value and system != "null":
                durable = system in ("redis always", "kafka fsync")
                colour = STRONG if system == "tidemill" else GREY if system == "roofline" else (
                    "#d1602d" if durable else NOT_DURABLE)
                values.append((system, value, colour))
        if len(values) > 1:
            panels.append((name, unit, sorted(values, key=lambda one: -one[1])))
    if not panels:
        return None
    return chart.bars("Throughput beside the roofline and other brokers", panels,
                      "Pale: acknowledged before the data is on stable storage. Grey: the roofline.")


def draw(results, directory):
    """Writes the pictures that the results have data for; (file name, caption) of each."""
    medians, done = Medians(results["samples"]), []
    for name, draw_one, caption in (
            ("throughput.svg", throughput, "Throughput against batch size and connections."),
            ("connections.svg", single, "Single records: throughput against connections."),
            ("latency.svg", latency, "Latency against load."),
            ("shards.svg", shards, "Throughput against the number of shards."),
            ("systems.svg", systems, "All systems, each with its best settings.")):
        if content := draw_one(medians):
            (directory / name).write_text(content)
            done.append((name, caption))
    return done
