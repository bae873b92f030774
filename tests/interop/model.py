"""kinesis_model.txt as objects: OPERATIONS by name, and `example` values that satisfy a member's constraints."""
import dataclasses
import os


@dataclasses.dataclass
class Kind:
    name: str  # string, integer, boolean, blob, timestamp, list, map, structure
    minimum: int = None
    maximum: int = None
    pattern: str = None
    enumeration: tuple = ()
    element: "Kind" = None  # of a list; of a map: of its values
    key: "Kind" = None
    structure: str = None


@dataclasses.dataclass
class Operation:
    name: str
    members: dict  # name -> (Kind, is_required)
    answers: list
    errors: list


def parse_kind(text):
    word, _, rest = text.partition(" ")
    kind = Kind(word)
    if word == "structure":
        kind.structure = rest
        return kind
    bounds, _, more = rest.partition(" ")
    if ".." in bounds and not bounds.startswith(("~", "=")):
        low, _, high = bounds.partition("..")
        kind.minimum = int(low) if low else None
        kind.maximum = int(high) if high else None
        rest = more
    if rest.startswith("~"):
        kind.pattern = rest[1:]
    elif rest.startswith("="):
        kind.enumeration = tuple(rest[1:].split("|"))
    elif rest.startswith("of "):
        element = rest[3:]
        if word == "map":
            key, _, element = element.partition(" to ")
            kind.key = parse_kind(key)
        kind.element = parse_kind(element)
    return kind


def load():
    operations, structures = {}, {}
    with open(os.path.join(os.path.dirname(__file__), "kinesis_model.txt")) as file:
        for line in file.read().splitlines():
            if not line or line.startswith("#"):
                continue
            word, _, rest = line.strip().partition(" ")
            if not line.startswith(" "):
                members = {}
                if word == "operation":
                    operations[rest] = Operation(rest, members, [], [])
                    current = operations[rest]
                else:
                    structures[rest] = members
            elif word == "->":
                current.answers = rest.split()
            elif word == "!":
                current.errors = rest.split()
            else:
                members[word.rstrip("*")] = (parse_kind(rest), word.endswith("*"))
    return operations, structures


OPERATIONS, STRUCTURES = load()
CHANNELS = [name for name in OPERATIONS if "Channel" in name]

# One text for each pattern of the model.
FITTING = {
    r"[a-zA-Z0-9_.-]+": "none",
    r"arn:aws.*:kinesis:.*:\d{12}:stream/\S+": "arn:aws:kinesis:eu-west-1:000000000000:stream/none",
    r"arn:aws.*:kinesis:.*:\d{12}:.*(stream|channel|queue)/\S+": "arn:aws:kinesis:eu-west-1:000000000000:stream/none",
    r"arn:aws.*:kinesis:.*:\d{12}:channel/\S+": "arn:aws:kinesis:eu-west-1:000000000000:channel/none",
    r"^(arn):aws.*:kinesis:.*:\d{12}:.*stream\/[a-zA-Z0-9_.-]+\/consumer\/[a-zA-Z0-9_.-]+:[0-9]+":
        "arn:aws:kinesis:eu-west-1:000000000000:stream/none/consumer/none:1700000000",
    r"^(0|([1-9]\d{0,38}))$": "7",
    r"^(0|([1-9]\d{0,128}))$": "7",
    r"[a-z0-9]{20}-[a-z0-9]{3}": "a" * 20 + "-aaa",
    # Of channels.
    r"arn:aws[-a-z0-9]*:iam::\d{12}:role/[a-zA-Z_0-9+=,.@\-_/]+": "arn:aws:iam::000000000000:role/none",
    r"arn:aws[-a-z0-9]*:glue:[-a-z0-9]+:\d{12}:schema/[-a-zA-Z0-9_$#.]+/[-a-zA-Z0-9_$#.]+":
        "arn:aws:glue:eu-west-1:000000000000:schema/none/none",
    r"arn:aws[-a-z0-9]*:s3:::[a-z0-9._-]{3,63}": "arn:aws:s3:::none",
    r"arn:aws[-a-z0-9]*:s3tables:[-a-z0-9]+:\d{12}:bucket/[a-z0-9_-]{3,63}":
        "arn:aws:s3tables:eu-west-1:000000000000:bucket/none",
    r"\d{12}": "000000000000",
    r"[0-9A-Za-z!\-_'.*()\/]+": "none/",
    r"[0-9A-Za-z!\-_'.*()\/=:{}]+": "none/",
    r"[0-9a-z_]+": "none",
    r"[\.\-_/#A-Za-z0-9]+": "none",
    r"[^:*]*": "none",
    r"[a-zA-Z0-9\.\_]+": "none",
}
# And one that violates nothing else.
VIOLATING = {pattern: "a b" for pattern in FITTING}


def example(kind):
    """A value that satisfies the constraints of its kind, for JSON."""
    if kind.name == "string":
        if kind.enumeration:
            return kind.enumeration[0]
        return FITTING[kind.pattern] if kind.pattern else "x" * max(1, kind.minimum or 1)
    if kind.name == "integer":
        return kind.minimum or 1
    if kind.name == "timestamp":
        return 1700000000
    if kind.name == "list":
        return [example(kind.element)]
    if kind.name == "map":
        return {"key": "value"}
    if kind.name == "structure":
        return request(STRUCTURES[kind.structure])
    return {"boolean": True, "blob": "aGk="}[kind.name]


def request(members):
    """The required members, and the stream's name where a stream is named."""
    wanted = [name for name, (_, is_required) in members.items() if is_required]
    if "StreamName" in members and "StreamName" not in wanted:
        wanted.append("StreamName")
    if wanted == [] and "StreamARN" in members:
        wanted.append("StreamARN")
    if "PartitionKey" in members and "PartitionKey" not in wanted:
        wanted.append("PartitionKey")  # required of all streams that distribute records by it
    return {name: example(members[name][0]) for name in wanted}
