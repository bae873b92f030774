"""Writes report.md from results: the table of goals, the other systems, every command, the pictures."""
from .goals import ROWS
from .stats import human, human_range
from .tables import Medians, furthest_from_stretch, roofline_ratio, row_verdict, verdict

MARKS = {"stretch": "**stretch**", "reached": "reached", "missed": "**missed**", "not measured": "not measured", "": ""}
OWN = ("tidemill", "roofline", "null")


def table(head, lines):
    return ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)] + ["| " + " | ".join(line) + " |" for line in lines]


def cell_text(medians, row, measure, system, point=""):
    value = medians.get(row, measure.key, system, point)
    if value is None:
        return "-"
    text = human(value, measure.unit)
    if spread := medians.spread(row, measure.key, system, point):
        text = f"{text} {human_range(*spread, measure.unit, value)}".strip()
    return text + (" †" if medians.is_noisy(row, system, point) else "")


def best_peer(medians, row, measure):
    """The system with the best figure beside Tidemill and the roofline, durable or not."""
    found = []
    for system in medians.systems(row.key):
        if system in OWN:
            continue
        point = medians.best_point(row.key, system)
        value = medians.get(row.key, measure.key, system, point)
        if value is not None:
            found.append((value, system))
    if not found:
        return "-"
    value, system = (max if measure.better == "higher" else min)(found)
    return f"{human(value, measure.unit)} {system}"


def rows_of(results):
    """All rows, or those that were asked for."""
    asked = results.get("options", {}).get("rows")
    return [row for row in ROWS if not asked or row.key in asked.split(",")]


def goal_lines(rows, medians, missing):
    for row in rows:
        for number, measure in enumerate(row.measures):
            ratio = roofline_ratio(row.key, measure, medians)
            limit = medians.get(row.key, measure.key, "roofline")
            yield [
                row.title if number == 0 else "",
                measure.label,
                human(measure.must, measure.unit) if measure.must is not None else "",
                human(measure.stretch, measure.unit) if measure.stretch is not None else "",
                cell_text(medians, row.key, measure, "tidemill"),
                human(limit, measure.unit) if limit is not None else (missing or "-"),
                f"{ratio:.2f}" if ratio else "",
                best_peer(medians, row, measure),
                MARKS[verdict(row.key, measure, medians)],
            ]


def peer_sections(medians):
    """Every row in which another system was measured, all systems, cells that lose included."""
    out = []
    for row in ROWS:
        others = [system for system in medians.systems(row.key) if system not in OWN]
        if not others and "null" not in medians.systems(row.key):
            continue
        lines = []
        for system in ["tidemill", *[s for s in ("roofline", "null") if s in medians.systems(row.key)], *others]:
            for point in sorted(medians.points(row.key, system)) or [""]:
                lines.append([system, point, *[cell_text(medians, row.key, m, system, point) for m in row.measures]])
        out += ["", f"### {row.title}", ""]
        out += table(["system", "setting", *[m.label for m in row.measures]], lines)
    return out


def command_lines(medians):
    for (row, system, point), command in sorted(medians.commands.items()):
        if not row.startswith("sweep_"):
            noise = medians.noise[(row, system, point)]
            yield [row, system + (f", {point}" if point else ""), f"`{command}`", f"{noise * 100:.0f} %"]


def summary(rows, medians):
    verdicts = [row_verdict(row, medians) for row in rows]
    text = (f"Of {len(rows)} rows {sum(v in ('reached', 'stretch') for v in verdicts)} are reached, "
            f"{verdicts.count('stretch')} of them to the stretch goal; {verdicts.count('missed')} are missed, "
            f"{verdicts.count('not measured')} not measured.")
    if worst := furthest_from_stretch(medians):
        row, measure, factor = worst
        text += f" Furthest from its stretch goal: {row.title}, {measure.label}, by a factor of {factor:.2f}."
    return text


def compose(results, pictures):
    """The report as Markdown. `pictures`: (file name, caption)."""
    medians, machine = Medians(results["samples"]), results["machine"]
    skipped, rows = results["skipped"], rows_of(results)
    out = ["# Measured: the log at the speed of the disk", "", summary(rows, medians), ""]
    if results.get("options", {}).get("short"):
        out += ["**The short form: every row for a moment, to see that it works. Not figures to be quoted.**", ""]
    out += table(["what", "value"], [[key.replace("_", " "), str(value)] for key, value in machine.items()])
    versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    out += ["", f"Versions: {versions}." if versions else "", ""]
    out += [
        "Client and server share the machine; the broker has one core (`--cores 1`), 8 shards unless a row says otherwise, "
        "durability `disk` unless it says `memory`. Figures are medians over the repetitions with the spread in brackets. "
        "R is the ratio to the roofline broker measured beside it. † : other programs took more than 12 % of a core while "
        "it was measured, and still did when it was tried again.", "", "## Goals", ""]
    out += table(["what", "measure", "must", "stretch", "Tidemill", "roofline", "R", "best peer", ""],
                 list(goal_lines(rows, medians, skipped.get("roofline"))))
    for row in rows:
        if row.note:
            out += ["", f"{row.title}: {row.note}"]
    if pictures:
        out += ["", "## Pictures"]
        for name, caption in pictures:
            out += ["", f"![{caption}]({name})", "", caption]
    sections = peer_sections(medians)
    if sections:
        out += ["", "## All systems", "", "Each with its own best client settings, cells that lose included. Only Tidemill, "
                "the roofline, `redis always` and `kafka fsync` acknowledge after the data is on stable storage."] + sections
    if skipped:
        out += ["", "## Not measured", ""] + table(["what", "why"], [[k, v] for k, v in sorted(skipped.items())])
    if medians.failures:
        out += ["", "## Failed", ""]
        out += table(["row", "system", "what it said"],
                     [[row, f"{system} {point}".strip(), text.replace("|", "/")]
                      for (row, system, point), text in sorted(medians.failures.items())])
    out += ["", "## Commands", "", "`foreign` is the most processor time of other programs in any repetition, of one core.", ""]
    out += table(["row", "system", "command", "foreign"], list(command_lines(medians)))
    return "\n".join(out) + "\n"


def terminal(results):
    """The goals as lines for a terminal."""
    medians, out = Medians(results["samples"]), []
    for row in rows_of(results):
        out.append(row.title)
        for measure in row.measures:
            goal = f"must {human(measure.must, measure.unit)}" if measure.must is not None else ""
            if measure.stretch is not None:
                goal += f", stretch {human(measure.stretch, measure.unit)}"
            found = verdict(row.key, measure, medians)
            out.append(f"    {measure.label:32} {cell_text(medians, row.key, measure, 'tidemill'):36} {goal:52} {found}".rstrip())
    return "\n".join(out)
