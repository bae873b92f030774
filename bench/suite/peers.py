"""Other brokers, most from Debian's packages: started on loopback with persistence, on free ports and a scratch directory."""
import os
import pathlib
import re
import shutil
import socket
import subprocess

from . import kinesis_peers
from .kafka import Kafka, fetch
from .process import Server, free_port, fresh_directory


class Peer(Server):
    """A server that peerbench speaks to."""
    settings = {}

    def measure(self, bench, mode, **keys):
        """One load to its end: (values, command)."""
        return bench.instruments.client(self.protocol, mode, self.port, self, **keys, **self.settings)


class Redis(Peer):
    """Redis Streams; `policy` is appendfsync: "always" is durable before the answer, "everysec" may lose a second."""
    program, protocol = "redis-server", "redis"

    def __init__(self, bench, directory, policy):
        self.port, self.directory = free_port(), directory
        super().__init__(["redis-server", "--bind", "127.0.0.1", "--port", self.port, "--dir", directory, "--save", "",
                          "--appendonly", "yes", "--appendfsync", policy, "--auto-aof-rewrite-percentage", "0",
                          "--stream-node-max-entries", "400", "--loglevel", "warning"], directory.parent / "redis.log")
        self.wait_for_port(self.port)
        self.ask("PING", b"+PONG")
        self.start_seconds = self.age()

    def ask(self, command, answer):
        """Until the answer to one command begins so: while the log is read it is an error."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=120) as connection:
            while True:
                connection.sendall(command.encode() + b"\r\n")
                if connection.recv(4096).startswith(answer):
                    return

    def create_streams(self, count):
        with socket.create_connection(("127.0.0.1", self.port), timeout=120) as connection:
            connection.sendall(b"".join(b"XADD s%d * d x\r\n" % number for number in range(count)))
            seen = 0
            while seen < 2 * count:  # a length and an id for each
                seen += connection.recv(1 << 16).count(b"\r\n")

    def make_stream(self, bench):
        pass

    @staticmethod
    def version():
        return re.search(r"v=(\S+)", subprocess.run(["redis-server", "--version"], capture_output=True, text=True).stdout)[1]


class Nats(Peer):
    """NATS JetStream with file storage; synced every two minutes as it comes."""
    program, protocol = "nats-server", "nats"

    def __init__(self, bench, directory, _):
        self.bench, self.port, self.directory = bench, free_port(), directory
        super().__init__(["nats-server", "-a", "127.0.0.1", "-p", self.port, "-js", "-sd", directory],
                         directory.parent / "nats.log")
        self.start_seconds = self.wait_for_port(self.port, 120)

    def create_streams(self, count):
        self.bench.instruments.prepare(self.protocol, "create", self.port, streams=count)

    def make_stream(self, bench):
        self.create_streams(1)

    @staticmethod
    def version():
        return subprocess.run(["nats-server", "--version"], capture_output=True, text=True).stdout.split()[-1].lstrip("v")


class Rabbit(Peer):
    """RabbitMQ with only the stream plugin; answers from the page cache."""
    program, protocol = "rabbitmq-server", "rstream"
    script = "/usr/lib/rabbitmq/bin/rabbitmq-server"

    def __init__(self, bench, directory, batched):
        self.bench, self.port, self.directory = bench, free_port(), directory
        self.settings = {"sub": 1} if batched else {}
        home = directory.parent / "rabbitmq"
        home.mkdir(parents=True, exist_ok=True)
        (home / "plugins").write_text("[rabbitmq_stream].\n")
        (home / "rabbitmq.conf").write_text(f"listeners.tcp.1 = 127.0.0.1:{free_port()}\n"
                                            f"stream.listeners.tcp.1 = 127.0.0.1:{self.port}\n"
                                            "log.console = true\nlog.console.level = warning\nlog.file = false\n")
        names = free_port()
        environment = os.environ | {
            "HOME": str(home), "ERL_EPMD_PORT": str(names), "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": "bench@localhost", "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_CONFIG_FILE": str(home / "rabbitmq.conf"), "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "plugins"),
            "RABBITMQ_MNESIA_BASE": str(directory), "RABBITMQ_LOG_BASE": str(home),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}"}
        # Its own name service, which would otherwise stay behind as a daemon.
        self.names = Server(["epmd", "-port", names, "-address", "127.0.0.1"], home / "epmd.log", env=environment)
        self.names.wait_for_port(names)
        super().__init__([self.script], home / "server.log", env=environment)
        self.start_seconds = self.wait_for_port(self.port, 120)

    def stop(self, *arguments, **named):
        super().stop(*arguments, **named)
        self.names.stop()

    def create_streams(self, count):
        self.bench.instruments.prepare(self.protocol, "create", self.port, streams=count)

    def make_stream(self, bench):
        self.create_streams(1)

    @staticmethod
    def version():
        return subprocess.run(["dpkg-query", "-W", "-f=${Version}", "rabbitmq-server"], capture_output=True,
                              text=True).stdout.split("-")[0]


# system: its class, what distinguishes it
SYSTEMS = {"redis always": (Redis, "always"), "redis everysec": (Redis, "everysec"), "nats": (Nats, None),
           "rabbitmq": (Rabbit, False), "rabbitmq batched": (Rabbit, True), "kafka": (Kafka, False), "kafka fsync": (Kafka, True),
           **kinesis_peers.SYSTEMS}


def chosen(wanted):
    """System names for `--peers none|all|redis,nats,...`."""
    if wanted in ("", "none"):
        return []
    names = wanted.split(",")
    return [system for system in SYSTEMS if wanted == "all" or system.split()[0] in names]


def missing(bench, system):
    """Why a system cannot be measured, None when it can."""
    kind = SYSTEMS[system][0]
    if system in kinesis_peers.SYSTEMS:
        return kind.reason(bench.program.parent)
    if kind is Kafka:
        return None if fetch(bench.program.parent) else "Maven or its repository cannot be reached"
    if not (pathlib.Path(Rabbit.script).exists() if kind is Rabbit else shutil.which(kind.program)):
        return "not installed"
    return bench.instruments.reason and f"its client is {bench.instruments.reason}"


def start(bench, system, keep_data=False):
    kind, variant = SYSTEMS[system]
    directory = bench.scratch / "peer" / "data"
    if not keep_data:
        fresh_directory(directory)
    return kind(bench, directory, variant)
