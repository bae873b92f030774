#!/usr/bin/env python3
"""The broker on ext4, xfs, btrfs, overlayfs and tmpfs, with io_uring and with threads, with and without direct I/O:
filesystems_test.py PROGRAM. Each time: put, SIGKILL, start again, read everything back, verify. Needs root, loop devices and mkfs;
what is missing is skipped by name."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

program = os.path.abspath(sys.argv[1])
folder = pathlib.Path(tempfile.mkdtemp(prefix="tidemill-fs-"))
mounted, skipped, passed = [], [], []
IMAGE_BYTES = 400 << 20


def sh(*words, check=True):
    done = subprocess.run([str(w) for w in words], capture_output=True, text=True)
    if check and done.returncode != 0:
        raise OSError(f"{' '.join(map(str, words))}: {done.stderr.strip()}")
    return done


def mount(name, *words):
    place = folder / name
    place.mkdir(exist_ok=True)
    sh("mount", *words, place)
    mounted.append(place)
    return place


def image(kind, *options):
    tool = shutil.which(f"mkfs.{kind}") or shutil.which(f"mkfs.{kind}", path="/sbin:/usr/sbin")
    if tool is None:
        raise OSError(f"no mkfs.{kind}")
    file = folder / f"{kind}.img"
    with open(file, "wb") as out:
        out.truncate(IMAGE_BYTES)
    sh(tool, *options, file)
    return mount(kind, "-o", "loop", file)


def overlay():
    base = mount("overlay-base", "-t", "tmpfs", "-o", "size=400m", "tmpfs")
    for part in ("lower", "upper", "work"):
        (base / part).mkdir()
    return mount("overlay", "-t", "overlay", "-o",
                 f"lowerdir={base}/lower,upperdir={base}/upper,workdir={base}/work", "overlay")


def install(*packages):
    """Tools that only this test needs; without a reachable archive the file system is skipped."""
    if shutil.which("apt-get"):
        sh("apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages, check=False)


class Broker:
    def __init__(self, data, *more):
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen([program, "serve", "--data", str(data), "--listen", "127.0.0.1:0", "--cores", "1",
                                         "--segment-bytes", "16MiB", *more],
                                        stdout=subprocess.PIPE, stderr=self.errors, text=True)
        line = self.process.stdout.readline()
        if not line.startswith("listening on "):
            self.process.wait(timeout=30)
            raise OSError(self.said().strip().splitlines()[-1:])
        self.address = line.split()[-1]

    def said(self):
        self.errors.seek(0)
        return self.errors.read()

    def end(self, how):
        self.process.send_signal(how)
        return self.process.wait(timeout=60)


def run(*words, text=None):
    done = subprocess.run([program, *words], input=text, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    return done.stdout


def exercise(name, place, io, buffered):
    data = place / f"data-{io}-{'buffered' if buffered else 'direct'}"
    options = ["--io", io] + (["--buffered"] if buffered else [])
    try:
        broker = Broker(data, *options)
    except OSError as error:
        if io == "uring" and "io_uring" in str(error):
            skipped.append(f"{name} with io_uring: this kernel refuses it")
            return
        raise
    said = broker.said()
    chosen = "threads with pwritev2" if io == "threads" else "io_uring" if io == "uring" else ""
    assert chosen in said and ("buffered" in said or "O_DIRECT" in said), said
    assert not buffered or "buffered" in said, said
    wanted = []
    run("stream", "create", "s", "--shards", "4", "--connect", broker.address)
    for round_number in range(3):
        new = [f"{round_number}/{i} {'x' * 200}" for i in range(8000)]
        run("put", "s", "--connect", broker.address, text="\n".join(new) + "\n")
        wanted += new
        assert broker.end(signal.SIGKILL) == -signal.SIGKILL
        assert json.loads(run("log", "verify", str(data), "-o", "json"))["sound"]
        broker = Broker(data, *options)
    seen = [json.loads(line)["data"] for line in run("tail", "s", "--from", "oldest", "-e", "--connect",
                                                     broker.address).splitlines()]
    assert sorted(seen) == sorted(wanted), f"{len(seen)} of {len(wanted)}"
    assert broker.end(signal.SIGTERM) == 0
    assert json.loads(run("log", "verify", str(data), "-o", "json"))["sound"]
    line = next((text for text in said.splitlines() if "server_started" in text), "")
    passed.append(f"{name} --io {io}{' --buffered' if buffered else ''}: {line[line.find('io='):] if 'io=' in line else line[-100:]}")
    shutil.rmtree(data)


if os.geteuid() != 0:
    print("skipped: file systems can be mounted by root only")
    sys.exit(77)
try:
    if not shutil.which("mkfs.xfs", path="/sbin:/usr/sbin:" + os.environ.get("PATH", "")):
        install("xfsprogs")
    if not shutil.which("mkfs.btrfs", path="/sbin:/usr/sbin:" + os.environ.get("PATH", "")):
        install("btrfs-progs")
    makers = {"ext4": lambda: image("ext4", "-q"), "xfs": lambda: image("xfs", "-q"), "btrfs": lambda: image("btrfs", "-q"),
              "overlayfs": overlay, "tmpfs": lambda: mount("tmpfs", "-t", "tmpfs", "-o", "size=400m", "tmpfs")}
    for name, make in makers.items():
        try:
            place = make()
        except OSError as error:
            skipped.append(f"{name}: {error}")
            continue
        ways = [("auto", False), ("threads", False), ("auto", True)]
        if name == "ext4":
            ways += [("uring", False), ("threads", True)]
        for io, buffered in ways:
            exercise(name, place, io, buffered)
finally:
    for place in reversed(mounted):
        if sh("umount", place, check=False).returncode != 0:
            sh("umount", "-l", place, check=False)
    shutil.rmtree(folder, ignore_errors=True)
for text in passed:
    print("passed", text)
for text in skipped:
    print("skipped", text)
sys.exit(0 if passed else 77)
