#!/usr/bin/env python3
"""What `./run bench` makes of its measurements: parsing, medians, verdicts, the report's text, well-formed pictures."""
import os
import pathlib
import sys
import tempfile
import types
import unittest
import xml.etree.ElementTree

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))

from suite import chart, figures, kafka, kinesis_cells, peers, process, report, roofline, stats, tables  # noqa: E402
from suite.goals import BY_KEY, ROWS  # noqa: E402
from suite.schedule import Schedule  # noqa: E402
from suite.bench import Cell  # noqa: E402


def sample(row, system="tidemill", point="", repetition=0, foreign=0.0, **values):
    return {"row": row, "system": system, "point": point, "repetition": repetition, "foreign": foreign, "attempts": 1,
            "command": f"measure {row}", "values": values}


def results(*samples):
    return {"machine": {"processor": "one", "cores": 2}, "samples": list(samples), "skipped": {}, "versions": {}}


class Parsing(unittest.TestCase):
    def test_produce(self):
        values = roofline.parse_result(
            "noise\nRESULT ref produce size=100 conns=4 window=10000 batch=500 n=60000000: 28903000 rec/s 2890.3 MB/s wall 2.08s "
            "server-cpu 70% client-cpu 49% => 0.02 us server-cpu/rec  rss 1606MB  batch-ack p50 1222 us p90 1536 p99 2461 "
            "p99.9 4123 max 6449 foreign 0%\n")
        self.assertEqual(values["rate"], 28903000)
        self.assertEqual(values["records"], 60000000)
        self.assertAlmostEqual(values["flow"], 2890.3e6)
        self.assertAlmostEqual(values["ack_p99"], 2461e-6)
        self.assertNotIn("p99", values)

    def test_end_to_end(self):
        values = roofline.parse_result(
            "RESULT redis e2e size=100 rate=10000 secs=5 recv=49990/50000: deliver p50 197 us p90 252 p99 354 p99.9 1803 max 3681 "
            "| ack p50 194 us p90 250 p99 350 p99.9 1800 max 3678 | server-cpu 27% client-cpu 36% rss 1609MB foreign 1%")
        self.assertAlmostEqual(values["p50"], 197e-6)
        self.assertAlmostEqual(values["p999"], 1803e-6)
        self.assertAlmostEqual(values["ack_p50"], 194e-6)
        self.assertEqual(values["undelivered"], 10)

    def test_kafka(self):
        produced = kafka.parse_produce(
            "2500 records sent, 499.9 records/sec (0.05 MB/sec), 4.0 ms avg latency, 9.0 ms max latency.\n"
            "6000000 records sent, 652173.913043 records/sec (62.20 MB/sec), 310.25 ms avg latency, 900.00 ms max latency, 290 ms "
            "50th, 800 ms 95th, 881 ms 99th, 895 ms 99.9th.\n")
        self.assertEqual((produced["records"], round(produced["rate"])), (6000000, 652174))
        self.assertAlmostEqual(produced["ack_p99"], 0.881)
        consumed = kafka.parse_consume(
            "start.time, end.time, data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, nMsg.sec, rebalance.time.ms, fetch.time.ms\n"
            "2026-01-01 00:00:00:000, 2026-01-01 00:00:02:000, 572.2, 286.1, 6000500, 3000250.0, 250, 1750, 327.0, 3428857.1\n")
        self.assertEqual((consumed["records"], round(consumed["rate"])), (6000500, 3428857))

    def test_no_result_is_an_error(self):
        for parse in (roofline.parse_result, kafka.parse_produce):
            with self.assertRaises(ValueError):
                parse("FATAL connect")


class Figures(unittest.TestCase):
    def test_people_read_them(self):
        self.assertEqual(stats.human(14e6, "records/s"), "14.0 M records/s")
        self.assertEqual(stats.human(950, "records/s"), "950 records/s")
        self.assertEqual(stats.human(1.8e9, "B/s"), "1.80 GB/s")
        self.assertEqual(stats.human(0.0012, "s"), "1.20 ms")
        self.assertEqual(stats.human(60e-9, "s"), "60.0 ns")
        self.assertEqual(stats.human(-0.0005, "s"), "-500 us")
        self.assertEqual(stats.human(4096, "KiB"), "4.00 KiB")
        self.assertEqual(stats.human(0.003, "share"), "0.30 %")
        self.assertEqual(stats.human(None, "s"), "-")
        self.assertEqual(stats.human_range(1e6, 3e6, "records/s", 2e6), "(1.00 to 3.00)")
        self.assertEqual(stats.human_range(9e5, 3e6, "records/s", 2e6), "(900 k records/s to 3.00 M records/s)")
        self.assertEqual(stats.human_range(2e6, 2e6, "records/s", 2e6), "")

    def test_medians_spread_and_noise(self):
        medians = tables.Medians([sample("produce_100", rate=rate, repetition=i, foreign=foreign)
                                  for i, (rate, foreign) in enumerate([(10e6, 0), (30e6, 0.5), (12e6, 0)])])
        self.assertEqual(medians.get("produce_100", "rate"), 12e6)
        self.assertEqual(medians.spread("produce_100", "rate"), (10e6, 30e6))
        self.assertTrue(medians.is_noisy("produce_100"))
        self.assertFalse(medians.is_noisy("produce_1k_one"))

    def test_derived(self):
        medians = tables.Medians([
            sample("produce_100_new", rate=10e6), sample("shards_10k", rate=8e6), sample("catchup", flow=1e9, device=1.25e9),
            sample("catchup_one", flow=4e8), sample("latency_10k", p999=3e-3), sample("latency_10k", "null", p999=2e-3)])
        self.assertAlmostEqual(medians.get("shards_10k", "of_8"), 0.8)
        self.assertAlmostEqual(medians.get("catchup_one", "of_all"), 0.4)
        self.assertAlmostEqual(medians.get("latency_10k", "over_null"), 1e-3)
        self.assertAlmostEqual(tables.roofline_ratio("catchup", BY_KEY["catchup"].measures[0], medians), 0.8)

    def test_verdicts(self):
        row = BY_KEY["produce_100"]
        rate, p99, cpu = row.measures
        medians = tables.Medians([sample("produce_100", rate=20e6, ack_p99=6e-3, cpu=50e-9)])
        self.assertEqual(tables.verdict(row.key, rate, medians), "stretch")
        self.assertEqual(tables.verdict(row.key, p99, medians), "missed")
        self.assertEqual(tables.verdict(row.key, cpu, medians), "reached")
        self.assertEqual(tables.row_verdict(row, medians), "missed")
        self.assertEqual(tables.verdict("catchup", BY_KEY["catchup"].measures[0], medians), "not measured")
        worst_row, measure, factor = tables.furthest_from_stretch(medians)
        self.assertEqual((worst_row.key, measure.key), ("produce_100", "cpu"))
        self.assertAlmostEqual(factor, 1.25)

    def test_goals_are_ordered(self):
        for row in ROWS:
            for measure in row.measures:
                if measure.stretch is not None:
                    self.assertTrue(measure.reaches(measure.stretch, measure.must), (row.key, measure.key))


class Report(unittest.TestCase):
    def setUp(self):
        rows = [sample("produce_100", repetition=i, rate=13e6 + i * 1e6, ack_p99=1e-3, cpu=30e-9) for i in range(3)]
        rows += [sample("produce_100", "roofline", rate=28e6, ack_p99=1e-3, cpu=20e-9),
                 sample("produce_100", "redis always", "4 x 500", rate=4e5, ack_p99=9e-3),
                 sample("produce_100", "redis always", "50 x 100", rate=6e5, ack_p99=8e-3, foreign=0.3),
                 {"row": "single_64", "system": "nats", "point": "", "repetition": 0, "failed": "a | b"}]
        for batch in (1, 10, 100):
            rows.append(sample("sweep_batch", point=f"4:{batch}", rate=batch * 1e4))
            rows.append(sample("sweep_batch", "roofline", f"4:{batch}", rate=batch * 2e4))
        for load in (10_000, 1_000_000):
            rows.append(sample("sweep_load", point=str(load), p50=1e-4, p99=1e-3, p999=5e-3))
        rows += [sample("sweep_shards", point=str(shards), rate=1e7) for shards in (8, 10000)]
        self.results = results(*rows)

    def test_text(self):
        text = report.compose(self.results, [("x.svg", "A picture")])
        goal = next(line for line in text.splitlines() if line.startswith("| produce 100 B, 4"))
        self.assertIn("| 14.0 M records/s (13.0 to 15.0) |", goal)
        self.assertIn("| 28.0 M records/s | 0.50 | 600 k records/s redis always | reached |", goal)
        self.assertIn("600 k records/s †", text)
        self.assertIn("400 k records/s", text)
        self.assertIn("a / b", text)
        self.assertIn("![A picture](x.svg)", text)
        self.assertIn("reached", report.terminal(self.results).splitlines()[1])
        for line in text.splitlines():
            if line.startswith("| produce 100 B, 4"):
                self.assertEqual(line.count("|"), 10)

    def test_pictures_are_well_formed_and_inside_their_frame(self):
        with tempfile.TemporaryDirectory() as folder:
            done = figures.draw(self.results, pathlib.Path(folder))
            self.assertEqual([name for name, _ in done], ["throughput.svg", "latency.svg", "shards.svg", "systems.svg"])
            for name, _ in done:
                root = xml.etree.ElementTree.parse(pathlib.Path(folder) / name).getroot()
                width, height = map(float, root.get("viewBox").split()[2:])
                marks = root.findall(".//{*}circle")
                self.assertTrue(marks or name == "systems.svg")
                for mark in marks:
                    self.assertTrue(0 < float(mark.get("cx")) < width and 0 < float(mark.get("cy")) < height)

    def test_nothing_measured_is_no_picture_and_no_crash(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(figures.draw(results(), pathlib.Path(folder)), [])
        self.assertIn("not measured", report.compose(results(), []))

    def test_axis(self):
        axis = chart.Axis([1, 2000], 0, 100, True)
        self.assertLess(axis.at(1), axis.at(10))
        self.assertLess(axis.at(2000), 100)
        self.assertEqual(axis.ticks(), [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000])
        self.assertEqual(chart.Axis([0, 20e6], 0, 100, False).ticks(), [0, 5e6, 10e6, 15e6, 20e6])
        self.assertEqual([chart.short(1500), chart.short(2e6), chart.short_seconds(2e-4)], ["1.5 k", "2 M", "200 µs"])


class Running(unittest.TestCase):
    def test_a_failed_cell_does_not_end_the_run_and_all_is_kept(self):
        def breaks(_):
            raise RuntimeError("no")
        with tempfile.TemporaryDirectory() as folder:
            schedule = Schedule(None, pathlib.Path(folder) / "results.json", {})
            schedule.say = lambda text: None
            cells = [Cell("empty", "tidemill", breaks), Cell("space", "tidemill", lambda _: ({"worst": 1}, "x"), once=True)]
            for repetition in range(2):
                schedule.run(cells, repetition)
            kept = [(one["row"], "failed" in one) for one in schedule.results["samples"]]
            self.assertEqual(kept, [("empty", True), ("space", False), ("empty", True)])
            self.assertTrue((pathlib.Path(folder) / "results.json").exists())

    def test_a_server_and_what_it_started_end(self):
        with tempfile.TemporaryDirectory() as folder:
            server = process.Server(["sh", "-c", "sleep 1000 & sleep 1000"], pathlib.Path(folder) / "log")
            while len(family := process.descendants(server.pid)) < 2:
                pass
            server.stop()
            self.assertEqual([pid for pid in family if process.is_running(pid)], [])


class Emulators(unittest.TestCase):
    def test_every_load_is_a_row_with_a_cell_of_ours_and_of_each_emulator(self):
        for name in ("kinesalite", "kinesis-local"):
            rows = {cell.row for cell in kinesis_cells.peer_cells(None, name)}
            self.assertEqual(rows, {*kinesis_cells.LOADS, "empty"})
        self.assertEqual([cell.row for cell in kinesis_cells.own_cells()], list(kinesis_cells.LOADS))
        self.assertLessEqual(set(kinesis_cells.LOADS), set(BY_KEY))

    def test_requests_are_signed(self):
        self.assertIn("--sign", kinesis_cells.words([]))

    def test_without_npm_they_are_missing_by_name(self):
        path = os.environ["PATH"]
        with tempfile.TemporaryDirectory() as folder:
            os.environ["PATH"] = folder
            try:
                bench = types.SimpleNamespace(program=pathlib.Path(folder) / "tidemill")
                for system in peers.chosen("kinesalite,kinesis-local"):
                    self.assertEqual(peers.missing(bench, system), "npm or its registry cannot be reached")
            finally:
                os.environ["PATH"] = path
        self.assertEqual(peers.chosen("kinesalite,kinesis-local"), ["kinesalite", "kinesis-local"])


if __name__ == "__main__":
    sys.argv[1:] = []  # the test runner gives the program's path
    unittest.main()
