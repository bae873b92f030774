"""Every operation's request, member by member, against the service model: shapes_test.py PROGRAM

Each probe is a request that satisfies the model but for one member, which has a wrong type, is missing, or violates one
constraint; it must be refused in AWS's words, in JSON and in CBOR alike, before anything else is looked at."""
import base64
import copy
import sys

import model
from broker import Broker
from wire import CBOR, JSON, Wire

LARGE = 2_000_000  # lengths beyond are for other tests
# Members that mean nothing to the broker: StreamId is "reserved" in the model.
IGNORED = {"StreamId"}


def lower(name):
    return name[0].lower() + name[1:]


def wrong_types(kind):
    """(value, what AWS says of it)"""
    a_list, a_map = "Start of list found where not expected", "Start of structure or map found where not expected."
    if kind.name == "string":
        return [(5, "class java.lang.Integer can not be converted to an String"),
                (True, "class java.lang.Boolean can not be converted to an String"), ([], a_list), ({}, a_map)]
    if kind.name == "integer":
        return [("x", "class java.lang.String can not be converted to an Integer"),
                (True, "class java.lang.Boolean can not be converted to an Integer"), ([], a_list), ({}, a_map)]
    if kind.name == "boolean":
        return [("x", "'x' can not be converted to an Boolean"),
                (1, "class java.lang.Integer can not be converted to an Boolean"), ([], a_list), ({}, a_map)]
    if kind.name == "blob":
        return [("x", "'x' can not be converted to a Blob: Base64 encoded length is expected a multiple of 4 bytes but "
                      "found: 1"),
                (5, "class java.lang.Integer can not be converted to a Blob"), ([], a_list), ({}, a_map)]
    if kind.name == "timestamp":
        return [("x", "class java.lang.String can not be converted to milliseconds since epoch"), ([], a_list),
                ({}, a_map)]
    if kind.name == "list":
        return [("x", "Expected list or null"), ({}, a_map)]
    return [("x", "Expected map or null"), ([], a_list)]


def violations(kind):
    """(value, constraint it violates)"""
    found = []
    if kind.enumeration:
        found.append(("nonsense", f"Member must satisfy enum value set: [{', '.join(kind.enumeration)}]"))
    if kind.pattern in model.VIOLATING:
        found.append((model.VIOLATING[kind.pattern], "Member must satisfy regular expression pattern: "))
    of_length = {"string": lambda n: (model.FITTING.get(kind.pattern, "x") + "x" * n)[:n] if n else "",
                 "blob": lambda n: base64.b64encode(bytes(n)).decode(),
                 "list": lambda n: [model.example(kind.element)] * n,
                 "map": lambda n: {f"k{i}": "v" for i in range(n)}}
    what = "value" if kind.name == "integer" else "length"
    make = (lambda n: n) if kind.name == "integer" else of_length.get(kind.name)
    if make is None:
        return found
    if kind.minimum is not None and (kind.name == "integer" or kind.minimum > 0):
        found.append((make(kind.minimum - 1), f"Member must have {what} greater than or equal to {kind.minimum}"))
    if kind.maximum is not None and kind.maximum < LARGE:
        found.append((make(kind.maximum + 1), f"Member must have {what} less than or equal to {kind.maximum}"))
    # Of elements AWS speaks in a list of its own.
    if kind.name == "list" and kind.element.name == "string":
        found += [([value], "Member must satisfy constraint: [") for value, _ in violations(kind.element)]
    if kind.name == "map":
        found += [({value: "v"}, "Map keys must satisfy constraint: [") for value, _ in violations(kind.key)]
        found += [({"k": value}, "Map value must satisfy constraint: [") for value, _ in violations(kind.element)]
    return found


def probes(members, request, path, place):
    """(request, error type, text within its message) for each member; `place` finds the structure within a request."""
    for name, (kind, is_required) in members.items():
        if name in IGNORED:
            continue
        at = path + lower(name)

        def with_value(value):
            changed = copy.deepcopy(request)
            place(changed)[name] = value
            return changed

        if is_required:
            yield (with_value(None), "ValidationException",
                   f"Value null at '{at}' failed to satisfy constraint: Member must not be null")
        for value, words in wrong_types(kind):
            yield with_value(value), "SerializationException", words
        for value, words in violations(kind):
            yield with_value(value), "ValidationException", f"at '{at}' failed to satisfy constraint: {words}"
        inner = kind.element if kind.name == "list" else kind
        if inner.name == "structure":
            nested = with_value(model.example(kind))
            is_list = kind.name == "list"
            yield from probes(model.STRUCTURES[inner.structure], nested, f"{at}.{'1.member.' if is_list else ''}",
                              lambda r, n=name, i=is_list: place(r)[n][0] if i else place(r)[n])


def main(program):
    failures, count, unserved = [], 0, []
    with Broker(program) as broker:
        wire = Wire(broker)
        for operation in model.OPERATIONS.values():
            if operation.name in model.CHANNELS:
                continue  # refused before their requests are looked at
            request = model.request(operation.members)
            kind, message = "", ""
            answer = wire.post(operation.name, request)
            if answer.status != 200:
                kind, message = answer.error()
            if kind == "UnknownOperationException":
                unserved.append(operation.name)
                continue
            if kind in ("SerializationException", "ValidationException"):
                failures.append(f"{operation.name} {request}: refused with {kind}: {message}")
            for changed, kind, words in probes(operation.members, request, "", lambda r: r):
                for encoding in (JSON, CBOR):
                    count += 1
                    answer = wire.post(operation.name, changed, encoding)
                    got = (200, "") if answer.status == 200 else answer.error()
                    if answer.status != 400 or got[0] != kind or words not in (got[1] or ""):
                        shown = {k: v if len(str(v)) < 60 else "..." for k, v in changed.items()}
                        failures.append(f"{operation.name} {shown} {encoding}:\n    expected {kind}: {words}\n"
                                        f"    got      {answer.status} {got[0]}: {str(got[1])[:300]}")
    for failure in failures:
        print(failure)
    for name in unserved:
        print(f"not served: {name}")
    print(f"shapes: {count} probes, {len(failures)} answered otherwise")
    sys.exit(1 if failures or unserved else 0)


if __name__ == "__main__":
    main(sys.argv[1])
