#!/usr/bin/env python3
"""The demo as a person without a terminal sees it: demo_test.py PROGRAM. Exit code 77 skips what is not there."""
import pathlib
import re
import subprocess
import sys
import tempfile

program = sys.argv[1]


def demo(*arguments):
    done = subprocess.run([program, "demo", *arguments], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"demo {arguments} ended with {done.returncode}: {done.stderr}"
    return done.stdout


def count(text, pattern):
    found = re.search(pattern, text)
    assert found, f"no {pattern!r} in:\n{text}"
    return found


# The machine's own metrics: stops by itself, has scored more rows than the forest needs to learn.
live = demo("--seconds", "10")
figures = count(live, r"(\d+) rows in, (\d+) scored")
assert int(figures[2]) > 128, live
assert "highest scores" in live, live

with tempfile.TemporaryDirectory() as folder:
    # A file of JSON lines with one plain outlier: every row is scored, the outlier highest; a row that is no JSON is refused.
    path = pathlib.Path(folder) / "series.jsonl"
    rows = [f'{{"n":{i},"load":{50 + i % 7},"note":"row {i}"}}' for i in range(1000)]
    rows[800] = '{"n":800,"load":5000,"note":"outlier"}'
    rows.insert(500, "this is no JSON")
    path.write_text("\n".join(rows) + "\n")
    out = demo("--input", str(path), "--rowtime", "n")
    figures = count(out, r"([\d.]+ ?k?) rows in, ([\d.]+ ?k?) scored .* (\d+) refused")
    assert figures[3] == "1", out
    top = out[out.index("highest scores"):].splitlines()[1]
    assert top.split()[-1] == "800", out
    # What cannot work says why and fails.
    for arguments, words in ((["--rowtime", "time"], "no column"), ([], None)):
        text = path if words else pathlib.Path(folder) / "words.csv"
        if not words:
            text.write_text("a,b\nx,y\n")
            words = "no numeric column"
        done = subprocess.run([program, "demo", "--input", str(text), *arguments], capture_output=True, text=True, timeout=60)
        assert done.returncode == 1 and words in done.stderr, (done.returncode, done.stderr)

taxi = pathlib.Path("../shared/data/nab/data/realKnownCause/nyc_taxi.csv")
if taxi.exists():
    out = demo("--input", str(taxi), "--rowtime", "timestamp")
    hits = int(count(out, r"(\d) of 5 labelled windows have their peak in the top 1 %")[1])
    assert hits >= 4, out
    print(f"taxi series: {hits} of 5 labelled windows")
else:
    print("skipped: the taxi series is not there")
print("demo: passed")
