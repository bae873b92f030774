"""Kafka in KRaft mode, one node, fetched through Maven; its own performance tools are the clients."""
import os
import re
import shutil
import subprocess

from .process import Server, free_port, run

VERSION = "3.9.1"
REQUEST_BYTES = 900_000  # a producer's requests stay under a megabyte by default
PATIENCE = 120
POM = """<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>bench</groupId><artifactId>kafka</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>{version}</version></dependency>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>{version}</version></dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-nop</artifactId><version>1.7.36</version></dependency>
  </dependencies>
</project>
"""
PROPERTIES = """process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
log.dirs={directory}
num.partitions=8
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
"""


def fetch(build):
    """The directory of its jars; None when Maven or its repository cannot be reached."""
    place = build / "bench-kafka"
    if (place / "complete").exists():
        return place / "lib"
    if not shutil.which("mvn") or not shutil.which("java"):
        return None
    place.mkdir(parents=True, exist_ok=True)
    (place / "pom.xml").write_text(POM.format(version=VERSION))
    try:
        done = subprocess.run(["mvn", "-q", "-B", "dependency:copy-dependencies", f"-DoutputDirectory={place / 'lib'}"],
                              cwd=place, capture_output=True, timeout=300)
    except subprocess.TimeoutExpired:
        return None
    if done.returncode != 0:
        return None
    (place / "complete").touch()
    return place / "lib"


def java(bench, main, *words, memory="1g"):
    return ["java", f"-Xmx{memory}", "-cp", f"{bench.program.parent / 'bench-kafka' / 'lib'}/*", main, *map(str, words)]


def parse_produce(text):
    """The last line of ProducerPerformance."""
    found = re.findall(r"(\d+) records sent, ([\d.]+) records/sec.*?([\d.]+) ms 50th, [\d.]+ ms 95th, ([\d.]+) ms 99th, "
                       r"([\d.]+) ms 99\.9th", text)
    if not found:
        raise ValueError(f"no result in {text[-200:]!r}")
    records, rate, p50, p99, p999 = found[-1]
    return {"records": int(records), "rate": float(rate), "ack_p50": float(p50) / 1e3, "ack_p99": float(p99) / 1e3,
            "ack_p999": float(p999) / 1e3}


def parse_consume(text):
    """The last line of ConsumerPerformance: records, and records a second while it fetched."""
    fields = text.strip().splitlines()[-1].split(",")
    return {"records": int(fields[4]), "rate": float(fields[9])}


class Kafka(Server):
    """`fsync`: every message set is flushed before it is acknowledged; else from the page cache, as it comes."""
    program = "java"

    def __init__(self, bench, directory, fsync):
        self.port, self.directory = free_port(), directory
        file = directory.parent / "kafka.properties"
        text = PROPERTIES.format(port=self.port, controller=free_port(), directory=directory)
        file.write_text(text + ("log.flush.interval.messages=1\n" if fsync else ""))
        if not (directory / "meta.properties").exists():
            run(java(bench, "kafka.tools.StorageTool", "format", "-t", "dGlkZW1pbGwtYmVuY2gtMQ", "-c", file))
        super().__init__(java(bench, "kafka.Kafka", file), directory.parent / "kafka.log",
                         env=os.environ | {"LOG_DIR": str(directory.parent)})
        self.start_seconds = self.wait_for_port(self.port, 120)

    def make_stream(self, bench):
        """Topics are made by their first use."""

    def measure(self, bench, mode, size, n, batch=500, conns=1, **_):
        topic, before = f"bench{size}", self.cpu_seconds()
        if mode == "produce":
            words = ["--topic", topic, "--num-records", n, "--record-size", size, "--throughput", -1, "--producer-props",
                     f"bootstrap.servers=127.0.0.1:{self.port}", "acks=all", f"batch.size={min(batch * size, REQUEST_BYTES)}", "linger.ms=5",
                     "buffer.memory=67108864"]
            values = parse_produce(run(java(bench, "org.apache.kafka.tools.ProducerPerformance", *words), PATIENCE))
        else:
            words = ["--bootstrap-server", f"127.0.0.1:{self.port}", "--topic", topic, "--messages", n, "--timeout", 20000]
            values = parse_consume(run(java(bench, "org.apache.kafka.tools.ConsumerPerformance", *words), PATIENCE))
        values |= {"flow": values["rate"] * size, "cpu": (self.cpu_seconds() - before) / max(1, values["records"])}
        shown = " ".join(str(word).replace(f":{self.port}", ":PORT") for word in words)
        return values, f"{'ProducerPerformance' if mode == 'produce' else 'ConsumerPerformance'} {shown}"

    @staticmethod
    def version():
        return VERSION
