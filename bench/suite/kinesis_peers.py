"""Emulators of Kinesis from npm, fetched beside the build: they keep what they have in memory, in one process of Node.js."""
import json
import os
import shutil
import subprocess

from .process import Server, free_port

VERSIONS = {"kinesalite": "3.3.3", "kinesis-local": "0.6.2"}


def fetch(build, name):
    """The directory of its package; None when npm or its registry cannot be reached."""
    place = build / "bench-npm" / f"{name}-{VERSIONS[name]}"
    if not (place / "complete").exists():
        if not shutil.which("npm") or not shutil.which("node"):
            return None
        place.mkdir(parents=True, exist_ok=True)
        try:
            done = subprocess.run(["npm", "install", "--no-save", "--no-audit", "--no-fund", "--prefix", place,
                                   f"{name}@{VERSIONS[name]}"], cwd=place, capture_output=True, timeout=120)
        except subprocess.TimeoutExpired:
            return None
        if done.returncode != 0:
            return None
        (place / "complete").touch()
    return place / "node_modules" / name


class Emulator(Server):
    name = ""

    def __init__(self, bench, directory, arguments, environment):
        self.directory, self.address = directory, f"127.0.0.1:{self.port}"
        package = fetch(bench.program.parent, self.name)
        script = json.loads((package / "package.json").read_text())["bin"]
        super().__init__(["node", package / (script if isinstance(script, str) else script[self.name]), *arguments],
                         directory.parent / f"{self.name}.log", env=os.environ | environment, cwd=package)
        self.start_seconds = self.wait_for_port(self.port)

    def make_stream(self, bench):
        """The load makes its own."""

    @classmethod
    def reason(cls, build):
        """Why it cannot be measured, None when it can."""
        return None if fetch(build, cls.name) else "npm or its registry cannot be reached"

    @classmethod
    def version(cls):
        return VERSIONS[cls.name]


class Kinesalite(Emulator):
    name = "kinesalite"

    def __init__(self, bench, directory, _):
        self.port = free_port()
        super().__init__(bench, directory, ["--port", str(self.port)], {})


class KinesisLocal(Emulator):
    name = "kinesis-local"

    def __init__(self, bench, directory, _):
        self.port = free_port()
        super().__init__(bench, directory, [], {"KINESIS_MOCK_PLAIN_PORT": str(self.port), "LOG_LEVEL": "ERROR",
                                                "KINESIS_MOCK_TLS_PORT": str(free_port())})


SYSTEMS = {"kinesalite": (Kinesalite, None), "kinesis-local": (KinesisLocal, None)}
