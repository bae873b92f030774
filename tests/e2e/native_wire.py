"""The native protocol as bytes (docs/formats/native_protocol.md), for tests that send what no client library would."""
import socket
import struct

HELLO, PING, PRODUCE, FETCH, SUBSCRIBE, CREDIT, UNSUBSCRIBE, TAIL = 1, 2, 3, 4, 5, 6, 7, 21
REPLY, ERROR, ATTACHMENT, END = 1, 2, 4, 8
# HelloRequest as a FlatBuffers table: version 1 and nothing else.
HELLO_MESSAGE = struct.pack("<IHHHHiI", 12, 6, 8, 4, 0, 8, 1)


def _crc_table():
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return table


_TABLE = _crc_table()


def crc32c(data, crc=0):
    crc ^= 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ _TABLE[(crc ^ byte) & 255]
    return crc ^ 0xFFFFFFFF


def frame(kind, request_id, envelope=b"", attachment=None):
    words, flags = 0, 0
    if attachment is not None:
        envelope += bytes(-len(envelope) % 8)
        words, flags = len(envelope) // 8, ATTACHMENT
    size = 16 + len(envelope) + len(attachment or b"")
    head = struct.pack("<IBBHI", size, kind, flags, words, request_id)
    return head + struct.pack("<I", crc32c(head + envelope)) + envelope + (attachment or b"")


def batch(codec, record_count, payload):
    """A record batch with checksums that match, whatever is in it."""
    head = struct.pack("<4sIIBBHQI", b"TMB1", 64 + len(payload), record_count, codec, 0, 0, 0, 0)
    return head + struct.pack("<I", crc32c(head + payload)) + bytes(32) + payload


class Connection:
    """A greeted native connection; frames come back as (kind, flags, request id, envelope, attachment)."""

    def __init__(self, address, receive_buffer=None):
        host, port = address.rsplit(":", 1)
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(60)
        self.socket.connect((host, int(port)))
        self.socket.sendall(b"TMN1" + frame(HELLO, 1, HELLO_MESSAGE))
        kind, flags, *_ = self.receive()
        assert kind == HELLO and flags & REPLY and not flags & ERROR

    def send(self, *frames):
        self.socket.sendall(b"".join(frames))

    def _exactly(self, count):
        data = bytearray()
        while len(data) < count:
            more = self.socket.recv(count - len(data))
            if not more:
                raise EOFError("the broker closed the connection")
            data += more
        return bytes(data)

    def receive(self):
        size, kind, flags, words, request_id, crc = struct.unpack("<IBBHII", self._exactly(16))
        rest = self._exactly(size - 16)
        envelope = rest[:8 * words] if flags & ATTACHMENT else rest
        assert crc == crc32c(struct.pack("<IBBHI", size, kind, flags, words, request_id) + envelope)
        return kind, flags, request_id, envelope, rest[len(envelope):]

    def produce(self, request_id, shard_uid, record_batch):
        self.send(frame(PRODUCE, request_id, struct.pack("<II", shard_uid, 0), record_batch))
        kind, flags, answered, envelope, _ = self.receive()
        assert kind == PRODUCE and answered == request_id
        return flags, envelope

    def newest_shard(self):
        """The uid of the shard made last: they are counted."""
        uid = 0
        while True:
            self.send(frame(TAIL, 1, struct.pack("<II", uid + 1, 0)))
            if self.receive()[1] & ERROR:
                return uid
            uid += 1

    def close(self):
        self.socket.close()
