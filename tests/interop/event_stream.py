"""Frames of vnd.amazon.eventstream, read strictly: events(response, content_type) of a SubscribeToShard answer."""
import json
import struct
import zlib

import cbor


def frame(read):
    """(headers, payload) of the next frame; None at the end. `read(n)` gives n bytes, or fewer at the end."""
    prelude = read(12)
    if prelude == b"":
        return None
    total, header_size, crc = struct.unpack(">III", prelude)
    assert zlib.crc32(prelude[:8]) == crc, "the prelude's checksum"
    rest = read(total - 12)
    assert len(rest) == total - 12, "half a frame"
    assert zlib.crc32(prelude + rest[:-4]) == struct.unpack(">I", rest[-4:])[0], "the frame's checksum"
    headers, at = {}, 0
    while at < header_size:
        size = rest[at]
        name = rest[at + 1:at + 1 + size].decode()
        at += 1 + size
        assert rest[at] == 7, "headers are strings"
        length = struct.unpack(">H", rest[at + 1:at + 3])[0]
        headers[name] = rest[at + 3:at + 3 + length].decode()
        at += 3 + length
    assert at == header_size
    return headers, rest[header_size:-4]


def events(response):
    """(kind, document) for each frame of an http.client response."""
    while True:
        got = frame(response.read)
        if got is None:
            return
        headers, payload = got
        kind = headers.get(":event-type") or headers[":exception-type"]
        is_cbor = headers[":content-type"] == "application/x-amz-cbor-1.1"
        assert is_cbor or headers[":content-type"] == "application/x-amz-json-1.1", headers
        yield kind, cbor.decode(payload) if is_cbor else json.loads(payload)
