"""`tidemill sql` as a person uses it: over files, and over the streams of a real broker."""
import json
import os
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "interop"))
from broker import Broker  # noqa: E402

PROGRAM = sys.argv[1]
SECONDS = 60
ROWS = "time,value\n2024-01-01 00:00:00,1\n2024-01-01 00:00:30,2\n2024-01-01 00:01:10,\n2024-01-01 00:01:20,40\n"
SUMS = """CREATE STREAM "DESTINATION_SQL_STREAM" ("total" BIGINT);
CREATE PUMP "P" AS INSERT INTO "DESTINATION_SQL_STREAM"
SELECT STREAM SUM("value") FROM "SOURCE_SQL_STREAM_001"
GROUP BY STEP("SOURCE_SQL_STREAM_001".ROWTIME BY INTERVAL '60' SECOND);
"""


def run(*arguments, expect=0, stdin=""):
    done = subprocess.run([PROGRAM, *arguments], input=stdin, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == expect, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def over_files(directory):
    rows, sql = os.path.join(directory, "rows.csv"), os.path.join(directory, "sums.sql")
    with open(rows, "w") as file:
        file.write(ROWS)
    with open(sql, "w") as file:
        file.write(SUMS)
    local = ["sql", "--local", "--bind", f"SOURCE_SQL_STREAM_001={rows}", "--rowtime", "time"]
    done = run(*local, "-f", sql, "--print", "DESTINATION_SQL_STREAM", "--format", "csv")
    assert done.stdout.split() == ["total", "3", "40"], done.stdout
    select = 'SELECT STREAM "value" FROM "SOURCE_SQL_STREAM_001" WHERE "value" > 1;'
    done = run(*local, "-c", select, "--format", "jsonl")
    assert [json.loads(line)["value"] for line in done.stdout.splitlines()] == [2, 40], done.stdout
    done = run(*local, "--format", "csv", stdin=select)
    assert done.stdout.split() == ["value", "2", "40"], done.stdout

    done = run(*local, "-c", 'SELECT STREAM\n "valu" FROM "SOURCE_SQL_STREAM_001";', expect=1)
    assert "line 2, column 2" in done.stderr and "^" in done.stderr, done.stderr
    run(*local, "-f", "no/such/file", expect=1)
    run("sql", "--local", "--bind", "nonsense", "-c", select, expect=2)
    run("sql", "--local", "--format", "xml", "-c", select, expect=2)


def over_streams(broker):
    address = broker.url.removeprefix("http://")
    run("stream", "create", "numbers", "--shards", "2", "--connect", address)
    lines = "".join(json.dumps({"n": n}) + "\n" for n in range(10))
    run("put", "numbers", "--connect", address, stdin=lines)
    query = [PROGRAM, "sql", "--connect", address, "--bind", "S=numbers", "--from", "oldest", "--format", "jsonl",
             "-c", 'SELECT STREAM "n" FROM "S" WHERE "n" >= 5;']
    with subprocess.Popen(query, stdout=subprocess.PIPE, text=True) as process:
        seen = sorted(json.loads(process.stdout.readline())["n"] for _ in range(5))
        assert seen == [5, 6, 7, 8, 9], seen
        run("put", "numbers", "--connect", address, stdin='{"n":100}\n')
        assert json.loads(process.stdout.readline()) == {"n": 100}
        process.send_signal(signal.SIGINT)
        assert process.wait(SECONDS) == 0
    done = run("sql", "--connect", address, "--bind", "S=numbers", "--from", "oldest",
               "-c", 'SELECT STREAM "m" FROM "S";', expect=1)
    assert "line 1, column 15" in done.stderr, done.stderr
    run("sql", "--connect", address, "--bind", "S=nothing", "-c", 'SELECT STREAM * FROM "S";', expect=1)


with tempfile.TemporaryDirectory(prefix="tidemill-sql-") as place:
    over_files(place)
with Broker(PROGRAM) as real:
    over_streams(real)
print("ok")
