"""CBOR (RFC 8949) as far as the Kinesis protocol goes, independent of the broker's own: encode(value), decode(bytes)."""
import struct


class Time(float):
    """Milliseconds under tag 1."""


def head(major, argument):
    for info, size, form in [(24, 1 << 8, ">B"), (25, 1 << 16, ">H"), (26, 1 << 32, ">I"), (27, 1 << 64, ">Q")]:
        if argument < 24:
            return bytes([major << 5 | argument])
        if argument < size:
            return bytes([major << 5 | info]) + struct.pack(form, argument)
    raise OverflowError(argument)


def encode(value, indefinite=True):
    """Containers of indefinite length as Jackson writes them, or of definite length."""
    if value is None:
        return b"\xf6"
    if isinstance(value, bool):
        return b"\xf5" if value else b"\xf4"
    if isinstance(value, Time):
        return b"\xc1" + (encode(int(value)) if value == int(value) else encode(float(value)))
    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, ~value)
    if isinstance(value, float):
        return b"\xfb" + struct.pack(">d", value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        text = value.encode()
        return head(3, len(text)) + text
    items = [encode(item, indefinite) for item in
             (value if isinstance(value, list) else [part for pair in value.items() for part in pair])]
    major, count = (4, len(items)) if isinstance(value, list) else (5, len(items) // 2)
    if indefinite:
        return bytes([major << 5 | 31]) + b"".join(items) + b"\xff"
    return head(major, count) + b"".join(items)


def decode(data):
    """The one item that `data` is; fails on anything else."""
    value, rest = _item(data)
    assert rest == b"", f"{len(rest)} bytes behind the end"
    return value


_BREAK = object()


def _item(data):
    major, info = data[0] >> 5, data[0] & 31
    data = data[1:]
    argument = info
    if 24 <= info <= 27:
        size = 1 << (info - 24)
        argument, data = int.from_bytes(data[:size], "big"), data[size:]
    if major == 7:
        if info == 27:
            return struct.unpack(">d", argument.to_bytes(8, "big"))[0], data
        return {20: False, 21: True, 22: None, 31: _BREAK}[info], data
    if major == 0:
        return argument, data
    if major == 1:
        return ~argument, data
    if major in (2, 3):
        assert info != 31, "strings of the broker's come in one piece"
        text, data = data[:argument], data[argument:]
        assert len(text) == argument
        return (text if major == 2 else text.decode()), data
    if major == 6:
        value, data = _item(data)
        return (Time(value) if argument == 1 else value), data
    items = []
    count = None if info == 31 else argument * (2 if major == 5 else 1)
    while count is None or len(items) < count:
        value, data = _item(data)
        if value is _BREAK:
            assert count is None
            break
        items.append(value)
    return (items if major == 4 else dict(zip(items[::2], items[1::2]))), data
