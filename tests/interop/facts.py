"""What a client has shown of the API in a test: operations with the members of requests that succeeded, and the errors
it was given under their own types.

The facts of each client stand in facts/<client>.txt, where compatibility.py reads them; a test that shows other facts than
those fails, and with TIDEMILL_RECORD=1 it writes them down instead."""
import os
import threading

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "facts")


def members_of(document, prefix=""):
    """Dotted names of all members, those of lists' elements included."""
    names = set()
    for name, value in document.items():
        names.add(prefix + name)
        for inner in value if isinstance(value, (list, tuple)) else [value]:
            if isinstance(inner, dict) and name != "Tags":
                names |= members_of(inner, f"{prefix}{name}.")
    return names


def read(client):
    """{operation: (set of members, set of errors)}"""
    facts = {}
    with open(os.path.join(FOLDER, client + ".txt")) as file:
        for line in file:
            operation, *words = line.split()
            facts[operation] = ({w for w in words if not w.startswith("!")}, {w[1:] for w in words if w.startswith("!")})
    return facts


def clients():
    return sorted(name.removesuffix(".txt") for name in os.listdir(FOLDER))


class Facts:
    def __init__(self, client):
        self.client = client
        self.seen = {}
        self.lock = threading.Lock()

    def add(self, operation, members=(), error=None):
        with self.lock:
            known, errors = self.seen.setdefault(operation, (set(), set()))
            if error is None:
                known.add("ok")
                known.update(members)
            else:
                errors.add(error)

    def parse(self, output):
        """Takes the lines `fact: Operation Member...` or `fact: Operation !Error` of a client's program."""
        for line in output.splitlines():
            if line.startswith("fact: "):
                operation, *words = line.split()[1:]
                error = next((w[1:] for w in words if w.startswith("!")), None)
                self.add(operation, words, error)

    def join(self, other):
        for operation, (members, errors) in other.seen.items():
            known = self.seen.setdefault(operation, (set(), set()))
            known[0].update(members)
            known[1].update(errors)

    def settle(self):
        text = "".join(f"{operation} {' '.join(sorted(members) + ['!' + e for e in sorted(errors)])}\n"
                       for operation, (members, errors) in sorted(self.seen.items()))
        path = os.path.join(FOLDER, self.client + ".txt")
        if os.environ.get("TIDEMILL_RECORD"):
            os.makedirs(FOLDER, exist_ok=True)
            with open(path, "w") as file:
                file.write(text)
            return
        with open(path) as file:
            written = file.read()
        assert written == text, (
            f"{self.client} has shown other facts than facts/{self.client}.txt says; if rightly so, run this test with "
            f"TIDEMILL_RECORD=1 and then compatibility.py:\n" +
            "\n".join(f"- {line}" for line in written.splitlines() if line not in text.splitlines()) + "\n" +
            "\n".join(f"+ {line}" for line in text.splitlines() if line not in written.splitlines()))
