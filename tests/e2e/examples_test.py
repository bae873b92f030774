#!/usr/bin/env python3
"""Runs the programs of examples/ against a real broker: examples_test.py PROGRAM."""
import importlib.util
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

program = pathlib.Path(os.path.abspath(sys.argv[1]))
with tempfile.TemporaryDirectory() as data:
    broker = subprocess.Popen([program, "serve", "--data", data, "--listen", "127.0.0.1:0"],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        address = broker.stdout.readline().split()[-1]
        out = subprocess.run([program.parent / "examples" / "example_put_and_read", address], capture_output=True,
                             text=True, timeout=60, check=True).stdout
        assert sorted(line.split(" ", 2)[2] for line in out.splitlines()) == [f"hello {i}" for i in range(10)], out
        if importlib.util.find_spec("boto3"):
            out = subprocess.run([sys.executable, "examples/boto3_quickstart.py", f"http://{address}"],
                                 capture_output=True, text=True, timeout=60, check=True).stdout
            assert "failed: 0" in out and all(f"hello {i}" in out for i in range(10)), out
        else:
            print("skipped: boto3 is not there")
    finally:
        broker.send_signal(signal.SIGTERM)
        assert broker.wait(timeout=60) == 0

    series = pathlib.Path(data) / "series.csv"
    rows = ["timestamp,value"] + [f"2026-01-01 00:{i // 60:02}:{i % 60:02},{10 + i % 3}" for i in range(600)]
    rows[500] = rows[500].rsplit(",", 1)[0] + ",1000"
    series.write_text("\n".join(rows) + "\n")
    out = subprocess.run([program, "sql", "--local", "-f", "examples/taxi_anomalies.sql", "--bind",
                          f"SOURCE_SQL_STREAM_001={series}", "--rowtime", "timestamp", "--print",
                          "DESTINATION_SQL_STREAM", "--format", "csv"], capture_output=True, text=True, timeout=60,
                         check=True).stdout.splitlines()
    assert out[0] == "timestamp,value,ANOMALY_SCORE" and len(out) == 601, out[:3]
    highest = max(out[1:], key=lambda row: float(row.rsplit(",", 1)[1]))
    assert highest.split(",")[1] == "1000", highest
print("examples: passed")
