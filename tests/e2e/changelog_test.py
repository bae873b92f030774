"""Groups that change, as an application of a broker that is killed: changelog_test.py PROGRAM SEED.

What the changes have come to must be what the clicks say, however often the broker was killed between them, and the
rank of each page as well."""
import collections
import json
import os
import random
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "interop"))
from broker import Broker  # noqa: E402

PROGRAM = sys.argv[1]
SEED = int(sys.argv[2]) if len(sys.argv) > 2 else 1
SECONDS = 60
KILLS = 3
SQL = """CREATE STREAM CLICKS ("page" VARCHAR(16), "user" INTEGER) WITH (source = 'clicks', start = earliest);
CREATE STREAM TOTALS (page VARCHAR(16), clicks BIGINT, users BIGINT);
CREATE PUMP p AS INSERT INTO TOTALS
SELECT STREAM "page", COUNT(*), COUNT(DISTINCT "user") FROM CLICKS GROUP BY "page" EMIT CHANGES;
CREATE STREAM RANKS (rank_number BIGINT, page VARCHAR(16), clicks BIGINT);
CREATE PUMP r AS INSERT INTO RANKS
SELECT STREAM n, page, clicks FROM (
  SELECT page, clicks, ROW_NUMBER() OVER (ORDER BY clicks DESC) AS n FROM (
    SELECT "page" AS page, COUNT(*) AS clicks FROM CLICKS GROUP BY "page" EMIT CHANGES)) WHERE n <= 3;
"""


def run(here, *arguments, stdin=""):
    done = subprocess.run([PROGRAM, *arguments, *here], input=stdin, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def address(broker):
    return ["--connect", broker.url.removeprefix("http://")]


def table(here, stream, key):
    """The last row of each key."""
    rows = {}
    for line in run(here, "tail", stream, "--from", "oldest", "--no-follow", "-o", "raw").splitlines():
        row = json.loads(line)
        rows[row[key]] = row
    return rows


def await_table(here, stream, key, expected):
    for _ in range(400):
        found = table(here, stream, key)
        if found == expected:
            return
        time.sleep(0.05)
    raise AssertionError(f"{stream} came to {found}, not {expected}")


def check(here, clicks):
    counts = collections.Counter(page for page, _ in clicks)
    users = {page: len({user for p, user in clicks if p == page}) for page in counts}
    await_table(here, "totals", "PAGE",
                {page: {"PAGE": page, "CLICKS": counts[page], "USERS": users[page]} for page in counts})
    ranked = sorted(counts, key=lambda page: (-counts[page], page))[:3]
    await_table(here, "ranks", "RANK_NUMBER",
                {n + 1: {"RANK_NUMBER": n + 1, "PAGE": page, "CLICKS": counts[page]} for n, page in enumerate(ranked)})


print(f"seed {SEED}")
chance = random.Random(SEED)
with Broker(PROGRAM) as broker:
    here = address(broker)
    for stream in ("clicks", "totals", "ranks"):
        run(here, "stream", "create", stream)
    run(here, "app", "create", "pages", "-c", SQL, "--output", "TOTALS=totals", "--output", "RANKS=ranks")
    clicks = []
    for round_number in range(KILLS + 1):
        fresh = [(f"/{chance.randrange(8)}", chance.randrange(20)) for _ in range(chance.randrange(50, 400))]
        clicks += fresh
        run(here, "put", "clicks", "--no-progress",
            stdin="".join(json.dumps({"page": page, "user": user}) + "\n" for page, user in fresh))
        if chance.random() < 0.5:
            check(here, clicks)
        if round_number < KILLS:
            broker.process.kill()
            broker.process.wait()
            broker.start()
            here = address(broker)
    check(here, clicks)
    [state] = json.loads(run(here, "app", "status", "pages", "-o", "json"))
    assert state["status"] == "running" and state["errors"] == 0, state
print("ok")
