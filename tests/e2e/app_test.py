"""`tidemill app` and what `tidemill sql` shows of a broker, as a person uses them: app_test.py PROGRAM."""
import json
import os
import pty
import re
import select
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "interop"))
from broker import Broker  # noqa: E402

PROGRAM = sys.argv[1]
SECONDS = 60
ALERTS = """CREATE STREAM "HIGH" ("ticker" VARCHAR(4), "price" DOUBLE);
CREATE PUMP "P" AS INSERT INTO "HIGH"
SELECT STREAM "ticker", "price" FROM "SOURCE_SQL_STREAM_001" WHERE "price" > 10;
"""


def run(*arguments, expect=0, stdin=""):
    done = subprocess.run([PROGRAM, *arguments], input=stdin, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == expect, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def refused(*arguments, code=1):
    return run(*arguments, expect=code).stderr


def await_rows(name, rows, here):
    for _ in range(600):
        [state] = json.loads(run("app", "status", name, "-o", "json", *here).stdout)
        if state["rows_out"] == rows:
            return state
        assert state["rows_out"] < rows and state["status"] != "failed", state
        time.sleep(0.05)
    raise AssertionError(state)


def applications(here, folder):
    for stream in ("trades", "alerts"):
        run("stream", "create", stream, *here)
    assert "no SQL applications" in run("app", "list", "-o", "human", *here).stdout
    file = os.path.join(folder, "alerts.sql")
    with open(file, "w") as out:
        out.write(ALERTS)
    bind = ["--input", "SOURCE_SQL_STREAM_001=trades", "--output", "HIGH=alerts:ticker", "--from", "earliest"]
    run("put", "trades", *here, stdin='{"ticker":"AAAA","price":11.5}\n{"ticker":"BBBB","price":2}\n')
    # What is wrong is said before anything is kept.
    wrong = refused("app", "create", "alerts", "-c", ALERTS.replace('"price" >', '"prise" >'), *bind, *here)
    assert "line 3, column" in wrong and '^^^^^^^' in wrong and 'Did you mean "price"?' in wrong, wrong
    assert "stream create" in refused("app", "create", "a", "-f", file, "--input", "SOURCE_SQL_STREAM_001=nope", *here)
    assert "cannot read" in refused("app", "create", "a", "-f", file + "x", *here)
    refused("app", "create", "a", "-f", file, "--input", "nonsense", *here, code=2)
    refused("app", "create", "a", *here, code=2)
    refused("app", "frobnicate", code=2)

    made = run("app", "create", "alerts", "-f", file, *bind, "-o", "human", *here).stdout
    assert "tidemill app status alerts --watch" in made and "tidemill tail alerts" in made, made
    assert "app delete alerts" in refused("app", "create", "alerts", "-f", file, *bind, *here)
    state = await_rows("alerts", 1, here)
    assert state["rows_in"] == 2 and state["errors"] == 0 and state["status"] == "running", state
    assert "Did you mean alerts?" in refused("app", "status", "alert", *here)
    table = run("app", "status", "-o", "human", *here).stdout
    assert re.search(r"^alerts +running +2 +1 ", table, re.M), table

    told = run("app", "replace", "alerts", "-f", file, *here, "-o", "human").stdout
    assert re.match(r"alerts is (starting|running)\n", told) and ": state kept" in told, told
    assert "Did you mean alerts?" in refused("app", "replace", "alert", "-f", file, *here)
    await_rows("alerts", 1, here)
    described = json.loads(run("app", "describe", "alerts", *here).stdout)
    assert described["sql"] == ALERTS and described["outputs"] == [{"name": "HIGH", "stream": "alerts"}], described
    steps = {step["operator"]: step for step in described["operators"]}
    assert steps["Filter"]["rows_in"] == 2 and steps["Filter"]["rows_out"] == 1, steps
    text = run("app", "describe", "alerts", "-o", "human", *here).stdout
    assert "Insert into HIGH" in text and "rows in" in text and ALERTS in text, text
    explained = run("sql", "-c", "EXPLAIN APPLICATION alerts", *here).stdout
    assert re.search(r"Filter .* 2 +1 +0 ", explained), explained
    assert "no SQL application" in run("sql", "-c", "EXPLAIN APPLICATION nope", *here, expect=1).stdout

    run("app", "stop", "alerts", *here)
    assert "app start alerts" in run("app", "status", "alerts", "-o", "human", *here).stdout
    run("put", "trades", *here, stdin='{"ticker":"CCCC","price":99}\n')
    assert "is not" not in run("app", "start", "alerts", *here).stdout
    assert await_rows("alerts", 2, here)["rows_in"] == 3
    assert run("app", "delete", "alerts", "-o", "human", *here).stdout == "alerts and its checkpoint are gone\n"
    assert "there is no SQL application" in refused("app", "start", "alerts", *here)


def queries(here):
    """Streams are read by their own names; LIMIT ends a query; several statements run one after the other."""
    rows = run("sql", "-c", 'SELECT "price" FROM "trades" LIMIT 2', "--from", "earliest", *here).stdout
    assert rows.split() == ["price", "11.5", "2"], rows
    rows = run("sql", "--format", "json", "--from", "oldest", *here,
               stdin='SELECT "price" FROM trades LIMIT 1; EXPLAIN SELECT "price" FROM trades WHERE "price" > 3;').stdout
    first, *plan = rows.splitlines()
    assert json.loads(first) == {"price": 11.5} and "Scan TRADES" in plan[-1] and "Filter" in "".join(plan), rows
    assert "Did you mean" in refused("sql", "-c", 'SELECT "prize" FROM "trades" LIMIT 1', "--from", "earliest", *here)
    assert "Expected the number of rows" in refused("sql", "-c", 'SELECT 1 FROM "trades" LIMIT x', *here)


class Terminal:
    """The shell on a terminal of 60 columns, with a person who waits for what is shown."""

    def __init__(self, home, *arguments):
        self.process, self.side = pty.fork()
        if self.process == 0:
            os.environ.update(HOME=home, TERM="xterm", COLUMNS="60")
            os.execv(PROGRAM, [PROGRAM, "sql", *arguments])
        import fcntl
        import struct
        import termios
        fcntl.ioctl(self.side, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 60, 0, 0))
        self.seen = ""

    def type(self, text):
        os.write(self.side, text.encode())

    def wait_for(self, text, again=""):
        """Types `again` for each second that nothing happens: a signal between prompt and read is not seen."""
        deadline = time.monotonic() + SECONDS
        while text not in self.seen:
            assert time.monotonic() < deadline, f"waited for {text!r} in {self.seen!r}"
            if select.select([self.side], [], [], 1)[0]:
                self.seen += os.read(self.side, 65536).decode(errors="replace")
            elif again:
                self.type(again)
        before, self.seen = self.seen.split(text, 1)
        return before


def terminal(here, folder):
    shell = Terminal(folder, "--from", "earliest", *here)
    shell.wait_for("tidemill> ")
    shell.type("\\d\r")
    assert "1 open shard" in shell.wait_for("tidemill> ")
    shell.type("SEL\t")  # completed
    shell.wait_for("ECT ")
    shell.type('"ticker", "price"\r')
    shell.wait_for("-> ")
    shell.type('FROM "tra\t')
    shell.type(";\r")
    shell.wait_for("AAAA")
    shell.wait_for("rows/s")  # live
    shell.type("\x03")
    shell.wait_for("(3 rows)")
    shell.wait_for("tidemill> ")
    shell.type("SELECT 'half\r")
    shell.wait_for("'> ")
    shell.type("\x03")
    shell.wait_for("tidemill> ", again="\x03")
    shell.type("\\q\r")
    assert os.waitpid(shell.process, 0)[1] == 0
    with open(os.path.join(folder, ".tidemill_history")) as history:
        assert "\\d" in history.read().replace("\\134", "\\")


with tempfile.TemporaryDirectory(prefix="tidemill-app-") as place, Broker(PROGRAM) as broker:
    connect = ["--connect", broker.url.removeprefix("http://")]
    applications(connect, place)
    queries(connect)
    terminal(connect, place)
print("ok")
