"""The command line of `./run bench`."""
import argparse
import json
import pathlib
import shutil
import signal
import sys
import time

from . import cells, fan_out, figures, footprint, kinesis_cells, machine, peer_cells, peers, process, recovery, report, tidemill
from .bench import Bench
from .goals import BY_KEY
from .roofline import Instruments
from .schedule import Schedule

DESCRIPTION = """Measures the built broker on this machine, row by row of the goals for the log, beside a roofline broker.
Starts everything on loopback with free ports and a scratch directory beside the build, repeats and interleaves, and
writes report.md, results.json and pictures. What the numbers mean and leave out: bench/README.md."""

FREE_BYTES = 25e9  # four seconds at three gigabytes a second, and what stays beside it
SWEEPS = "sweeps"  # what only the pictures need


def parse(words, repository):
    parser = argparse.ArgumentParser(prog="./run bench", description=DESCRIPTION)
    parser.add_argument("program", help=argparse.SUPPRESS)
    parser.add_argument("--short", action="store_true", help="every row once, for a moment, and no sweeps: does it work at all")
    parser.add_argument("--rows", help="only these, by key and comma: " + ", ".join([*BY_KEY, SWEEPS]))
    parser.add_argument("--peers", default="none", metavar="none|all|NAME,...",
                        help="other brokers beside it: redis, nats, rabbitmq, kafka, kinesalite, kinesis-local (default: none)")
    parser.add_argument("--no-sweeps", action="store_true", help="leave out the measurements that only the pictures need")
    parser.add_argument("--repeat", type=int, default=3, help="repetitions (default: 3)")
    parser.add_argument("--seconds", type=float, default=4, help="of each load (default: 4)")
    parser.add_argument("--fill", type=float, default=6, metavar="GB", help="data for catch-up reads (default: 6)")
    parser.add_argument("--out", type=pathlib.Path, default=repository / "bench" / "report", help="default: bench/report")
    parser.add_argument("--instruments", type=pathlib.Path, default=repository.parent / "shared" / "limits", metavar="DIR",
                        help="where refbroker.cpp and peerbench.cpp are (default: ../shared/limits)")
    options = parser.parse_args(words)
    if options.short:
        options.repeat, options.seconds, options.fill, options.no_sweeps = 1, 0.3, 0.3, True
    names = {system.split()[0] for system in peers.SYSTEMS} | {"none", "all"}
    strangers = set(options.peers.split(",")) - names
    if strangers:
        parser.error(f"no peer {', '.join(sorted(strangers))}; there are {', '.join(sorted(names))}")
    unknown = set((options.rows or "").split(",")) - set(BY_KEY) - {"", SWEEPS}
    if unknown:
        parser.error(f"no row {', '.join(sorted(unknown))}; there are {', '.join(BY_KEY)}")
    return options


def measure(bench, schedule, options):
    """Repetitions outside, systems inside; the sweeps once, at the end."""
    rows = row_set(options)
    usable = [cell for cell in cells.plain_cells() + kinesis_cells.own_cells() + fan_out.own_cells() + footprint.cells() + recovery.cells() + cells.sweep_cells()
              if bench.instruments.is_present or cell.system == "tidemill"]
    own = [cell for cell in usable if cell.row in BY_KEY and (rows is None or cell.row in rows)]
    sweeps = [cell for cell in usable if cell.row not in BY_KEY and not options.no_sweeps and (rows is None or SWEEPS in rows)]
    schedule.expect(sum(1 if cell.once else options.repeat for cell in own) + len(sweeps))
    others = peer_cells.Rounds(schedule, usable_peers(schedule, options, bench), options.repeat, rows)
    for number in range(options.repeat):
        schedule.run(own, number)
        if others.systems:
            bench.drop_refs()
            others.run(number)
    schedule.run(sweeps, 0)


def row_set(options):
    return set(filter(None, (options.rows or "").split(","))) or None


def usable_peers(schedule, options, bench):
    systems = peers.chosen(options.peers)
    for system in list(systems):
        if reason := peers.missing(bench, system):
            schedule.skip(system, reason)
            systems.remove(system)
        else:
            schedule.results["versions"][system.split()[0]] = peers.SYSTEMS[system][0].version()
    return systems


def main(words, repository):
    options = parse(words, repository)
    process.adopt_orphans()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    program = pathlib.Path(options.program).resolve()
    build = program.parent
    scratch = process.fresh_directory(build / "bench-data")
    options.out.mkdir(parents=True, exist_ok=True)
    instruments = Instruments(options.instruments, build / "bench-instruments")
    bench = Bench(program, scratch, instruments, options.seconds, options.fill * 1e9)
    schedule = Schedule(bench, options.out / "results.json", machine.describe(repository, scratch))
    schedule.results["options"] = {key: value for key, value in vars(options).items()
                                   if key in ("short", "rows", "repeat", "seconds", "fill")}
    schedule.results["versions"]["tidemill"] = tidemill.version(program)
    if not instruments.is_present:
        schedule.skip("roofline", instruments.reason)
    if not options.short and (free := shutil.disk_usage(scratch).free) < FREE_BYTES:
        schedule.say(f"only {free / 1e9:.0f} GB free beside the build; rows may fail for want of space")
    try:
        measure(bench, schedule, options)
    except KeyboardInterrupt:
        schedule.skip("the rest", "interrupted")
    finally:
        bench.drop_refs()
        process.stop_all()
        shutil.rmtree(scratch, ignore_errors=True)
    schedule.results["machine"]["minutes"] = round((time.monotonic() - schedule.started) / 60, 1)
    schedule.write()
    return finish(schedule.results, options.out)


def finish(results, out):
    pictures = figures.draw(results, out)
    (out / "report.md").write_text(report.compose(results, pictures))
    print(report.terminal(results))
    print(f"written: {out / 'report.md'}")
    bad = [sample for sample in results["samples"] if "failed" in sample or sample["values"].get("lost")]
    return 1 if bad else 0


def redraw(directory):
    """Composes the report again from a results.json, without measuring."""
    return finish(json.loads((directory / "results.json").read_text()), directory)
