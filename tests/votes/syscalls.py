"""Reading a trace of system calls: what was written, what was made durable, what was acknowledged, in which order."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

TRACED = "pwrite64,fsync,fdatasync,write,writev,sendto,sendmsg,read,recvfrom,recvmsg"
LOG = "panel.sqlite-wal"
ACKNOWLEDGED = "HTTP/1.1 303"
ASKED = "POST /motions"

_CALL = re.compile(r"(?P<pid>\d+) +(?P<name>\w+)\((?P<rest>.*)")
_RESUMED = re.compile(r"(?P<pid>\d+) +<\.\.\. (?P<name>\w+) resumed>(?P<rest>.*)")


@dataclass(frozen=True)
class Call:
    """A system call: its name, its arguments as traced, the lines of the trace at which it began and returned."""

    name: str
    arguments: str
    began: int
    returned: int


def calls(lines: Iterable[str]) -> list[Call]:
    """Return the calls of a trace by strace -f -y, in the order in which they returned."""
    begun: dict[str, tuple[int, str]] = {}
    found: list[Call] = []
    for at, line in enumerate(lines):
        if resumed := _RESUMED.match(line):
            began, arguments = begun.pop(resumed["pid"], (at, ""))
            found.append(Call(resumed["name"], arguments + resumed["rest"], began, at))
        elif call := _CALL.match(line):
            if call["rest"].rstrip().endswith("<unfinished ...>"):
                begun[call["pid"]] = at, call["rest"]
            else:
                found.append(Call(call["name"], call["rest"], at, at))
    return found


def early(found: Iterable[Call]) -> list[Call]:
    """Return the acknowledgements that left before an fsync of the log that began after its last write had returned."""
    wrote, durable, wrong = -1, True, []
    for call in sorted(found, key=lambda call: call.returned):
        if call.name == "pwrite64" and LOG in call.arguments:
            wrote, durable = call.returned, False
        elif call.name in ("fsync", "fdatasync") and LOG in call.arguments and call.arguments.rstrip().endswith("= 0"):
            durable = durable or call.began > wrote
        elif ACKNOWLEDGED in call.arguments and not durable:
            wrong.append(call)
    return wrong


def early_in_a_crowd(found: Iterable[Call]) -> list[Call]:
    """Return the acknowledgements that no whole commit stands before: written after their request had come, and synced.

    For acts that share commits, where the last write may be another's. A connection has one request at a time.
    """
    asked: dict[str, int] = {}
    written: list[int] = []
    durable, wrong = -1, []
    for call in sorted(found, key=lambda call: call.returned):
        connection = call.arguments.partition(">")[0]
        if call.name == "pwrite64" and LOG in call.arguments:
            written.append(call.began)
        elif call.name in ("fsync", "fdatasync") and LOG in call.arguments and call.arguments.rstrip().endswith("= 0"):
            durable = max([durable, *(began for began in written if began < call.began)])
        elif ASKED in call.arguments:
            asked[connection] = call.returned
        elif ACKNOWLEDGED in call.arguments and durable <= asked.pop(connection):
            wrong.append(call)
    return wrong


def synced(found: Iterable[Call]) -> int:
    """Return how often the log was made durable."""
    return sum(call.name in ("fsync", "fdatasync") and LOG in call.arguments for call in found)


def acknowledged(found: Iterable[Call]) -> int:
    """Return how many acknowledgements left."""
    return sum(ACKNOWLEDGED in call.arguments for call in found)
