#!/usr/bin/env python3
"""Encryption at rest against a real broker: encryption_test.py PROGRAM.

Nothing of what was put may be found in any file of the data directory, in any state of the broker; with the key all of it
is there, without it the broker refuses to start."""
import json
import os
import pathlib
import select
import signal
import subprocess
import sys
import tempfile

program = os.path.abspath(sys.argv[1])
SECRET = "MARKEDPLAINTEXT"      # in data and in partition keys


class Broker:
    def __init__(self, data, config):
        self.process = subprocess.Popen(
            [program, "serve", "--data", str(data), "--listen", "127.0.0.1:0", "--cores", "2", "--config", str(config)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        ready, _, _ = select.select([self.process.stdout], [], [], 60)
        line = self.process.stdout.readline() if ready else ""
        if not line.startswith("listening on "):
            self.process.kill()
            raise RuntimeError(self.process.communicate()[1])
        self.address = line.split()[-1]

    def end(self, how):
        self.process.send_signal(how)
        code = self.process.wait(timeout=60)
        assert code == (0 if how == signal.SIGTERM else -how), code
        return self.process.stderr.read()


def run(*words, code=0, text=None):
    done = subprocess.run([program, *words], input=text, capture_output=True, text=True, timeout=120)
    assert done.returncode == code, f"{words} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout if code == 0 else done.stderr


def refused(data, config):
    try:
        Broker(data, config).end(signal.SIGKILL)
    except RuntimeError as error:
        return str(error)
    raise AssertionError("the broker started")


def shows_secret(data):
    return [str(path) for path in sorted(data.rglob("*")) if path.is_file() and SECRET.encode() in path.read_bytes()]


def write_config(path, *lines, default="on"):
    path.write_text("[encryption]\n" + "\n".join(lines) + f'\ndefault = "{default}"\n')
    return path


def texts(address, stream):
    out = run("tail", stream, "--from", "oldest", "-e", "--connect", address)
    return sorted(json.loads(line)["data"] for line in out.splitlines())


with tempfile.TemporaryDirectory() as folder:
    folder = pathlib.Path(folder)
    data, key, other = folder / "data", folder / "master.key", folder / "other.key"
    fingerprint = run("keys", "make", str(key)).strip()
    assert run("keys", "show", str(key)).strip() == fingerprint and len(fingerprint) == 16
    assert "already" in run("keys", "make", str(key), code=1)
    new_fingerprint = run("keys", "make", str(other)).strip()
    config = write_config(folder / "t.toml", f'master_key_file = "{key}"')

    os.chmod(key, 0o644)
    assert "chmod 600" in refused(data, config)
    os.chmod(key, 0o600)

    broker = Broker(data, config)
    here = ["--connect", broker.address]
    rows = [json.dumps({"sensor": f"{SECRET}-{i % 3}", "value": i, "note": f"{SECRET} note {i}"}) for i in range(3000)]
    run("stream", "create", "readings", "--shards", "3", *here)
    run("stream", "create", "totals", *here)
    run("stream", "create", "bare", "--no-encrypt", *here)
    described = json.loads(run("stream", "describe", "readings", "-o", "json", *here))
    assert described["encryption"] == {"on": True, "key": 1, "keys": 1, "key_name": "", "master_key": fingerprint}
    assert not json.loads(run("stream", "describe", "bare", "-o", "json", *here))["encryption"]["on"]
    assert "AES-256-GCM" in run("stream", "describe", "readings", "-o", "human", *here)

    # The search finds plain text where there is some: it is able to fail.
    run("put", "bare", *here, text=f"{SECRET}\n")
    assert shows_secret(data)
    run("stream", "delete", "bare", *here)

    run("put", "readings", "-k", f"{SECRET}-key", *here, text="\n".join(rows[:1000]) + "\n")
    run("put", "readings", *here, text="\n".join(rows[1000:2000]) + "\n")
    assert texts(broker.address, "readings") == sorted(rows[:2000])
    broker.end(signal.SIGKILL)
    # The deleted stream's records stood there plain; its segment may still hold them. From here on a new directory.
    data = folder / "second"

    broker = Broker(data, config)
    here = ["--connect", broker.address]
    run("stream", "create", "readings", "--shards", "3", *here)
    run("put", "readings", "-k", f"{SECRET}-key", *here, text="\n".join(rows[:1000]) + "\n")
    run("stream", "encrypt", "readings", "--rotate", *here)
    run("put", "readings", *here, text="\n".join(rows[1000:2000]) + "\n")
    assert texts(broker.address, "readings") == sorted(rows[:2000])
    broker.end(signal.SIGKILL)
    assert not shows_secret(data), shows_secret(data)
    assert "sound" in run("log", "verify", str(data), "-o", "json")   # no key needed

    # Without the key, and with another one, the broker does not start and says what it needs.
    bare = write_config(folder / "bare.toml", default="off")
    wrong = write_config(folder / "wrong.toml", f'master_key_file = "{other}"')
    for words in (refused(data, bare), refused(data, wrong)):
        assert fingerprint in words and "readings" in words, words
    assert new_fingerprint in refused(data, wrong)
    assert "needs encryption.master_key" in refused(
        data, write_config(folder / "t2.toml", f'previous_master_key_file = "{key}"', default="off"))

    # From a command; the master key is replaced; the old one is needed no more.
    command = write_config(folder / "command.toml", f'master_key_command = ["cat", "{key}"]')
    broker = Broker(data, command)
    assert texts(broker.address, "readings") == sorted(rows[:2000])
    broker.end(signal.SIGTERM)
    both = write_config(folder / "both.toml", f'master_key_file = "{other}"', f'previous_master_key_file = "{key}"')
    broker = Broker(data, both)
    assert texts(broker.address, "readings") == sorted(rows[:2000])
    assert "keys_rewrapped=3" in broker.end(signal.SIGKILL)
    assert new_fingerprint in refused(data, config)
    broker = Broker(data, wrong)
    here = ["--connect", broker.address]
    described = json.loads(run("stream", "describe", "readings", "-o", "json", *here))["encryption"]
    assert (described["key"], described["keys"], described["master_key"]) == (2, 2, new_fingerprint), described

    # Off, and on again: old records stay readable, new ones are as they were asked for.
    run("put", "readings", *here, text="\n".join(rows[2000:]) + "\n")
    assert not shows_secret(data), shows_secret(data)
    run("stream", "encrypt", "readings", "--off", *here)
    run("put", "readings", *here, text=f"{SECRET} plain\n")
    assert shows_secret(data)
    run("stream", "encrypt", "readings", "--key-name", "alias/mine", *here)
    assert texts(broker.address, "readings") == sorted(rows + [f"{SECRET} plain"])
    assert "unsupported" not in run("stream", "describe", "readings", "-o", "human", *here)
    run("stream", "encrypt", "nothing", *here, code=1)
    run("stream", "encrypt", "readings", "--off", "--rotate", *here, code=2)
    broker.end(signal.SIGTERM)

    # A directory has a key of its own where none is configured; another one takes its place.
    third = folder / "third"
    broker = Broker(third, bare)
    here = ("--connect", broker.address)
    own = third / "own-master.key"
    assert own.stat().st_mode & 0o777 == 0o600
    run("stream", "create", "s", "--encrypt", *here)
    run("put", "s", *here, text=f"{SECRET} own\n")
    broker.end(signal.SIGKILL)
    assert not shows_secret(third)
    broker = Broker(third, bare)
    assert texts(broker.address, "s") == [f"{SECRET} own"]
    described = json.loads(run("stream", "describe", "s", "--connect", broker.address))["encryption"]
    assert described["master_key"] == run("keys", "show", str(own)).strip()
    broker.end(signal.SIGTERM)
    Broker(third, config).end(signal.SIGTERM)
    own.unlink()
    assert f"{fingerprint} is needed" in refused(third, bare)
    assert not own.exists()
    broker = Broker(third, config)
    assert texts(broker.address, "s") == [f"{SECRET} own"]
    broker.end(signal.SIGTERM)
print("ok")
