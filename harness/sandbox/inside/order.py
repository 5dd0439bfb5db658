"""What the warden of a jail is told, and what it answers: one message each way, a JSON header and bodies.

Tuples with names: a warden starts for every job, and the machinery of dataclasses would take a third of that.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from typing import IO, Literal, NamedTuple

_LENGTH = struct.Struct("=Q")
LARGEST_HEADER = 64 << 20

How = Literal["bubblewrap", "namespaces"]


class Seen(NamedTuple):
    """A file or folder of this machine, read-only, at a path in the jail; `source` "" is an empty folder."""

    source: str
    path: str
    executable: bool = True


class Bounds(NamedTuple):
    """The limits of a job, in what the kernel calls them."""

    timeout_s: float
    cpu_s: int
    cpus: int
    memory_bytes: int
    processes: int
    scratch_bytes: int
    scratch_files: int
    file_bytes: int
    open_files: int
    output_bytes: int
    collected_files: int
    collected_bytes: int


class Order(NamedTuple):
    """One job for a warden. `user` is the id under which the program runs, on this machine's side."""

    how: How
    bubblewrap: str
    user: int
    seen: tuple[Seen, ...]
    links: tuple[tuple[str, str], ...]  # target, path
    texts: tuple[tuple[str, str], ...]  # path, text
    interpreter: str
    argv: tuple[str, ...]
    environment: dict[str, str]
    bounds: Bounds


class Answer(NamedTuple):
    """What came of it; `failed` is set where the jail itself could not be made."""

    failed: str = ""
    exit_code: int = 0
    reason: str = "exited"
    wall_s: float = 0.0
    cpu_s: float = 0.0
    peak_memory_bytes: int = 0
    left_out: tuple[tuple[str, str], ...] = ()


def order_text(order: Order) -> str:
    return json.dumps(order)


def read_order(text: str) -> Order:
    order = Order(*json.loads(text))
    return order._replace(seen=tuple(Seen(*s) for s in order.seen), bounds=Bounds(*order.bounds))


def answer_text(answer: Answer) -> str:
    return json.dumps(answer)


def read_answer(text: str) -> Answer:
    answer = Answer(*json.loads(text))
    return answer._replace(left_out=tuple((str(path), str(why)) for path, why in answer.left_out))


def send(stream: IO[bytes], text: str, bodies: Mapping[str, bytes]) -> None:
    """One message: `text`, and bodies by name."""
    header = json.dumps([text, [[name, len(body)] for name, body in bodies.items()]]).encode()
    stream.write(_LENGTH.pack(len(header)) + header)
    for body in bodies.values():
        stream.write(body)
    stream.flush()


def receive(stream: IO[bytes], largest: int) -> tuple[str, dict[str, bytes]]:
    """The message that `send` wrote. ValueError where it is cut off or its bodies exceed `largest` bytes."""
    (size,) = _LENGTH.unpack(_exactly(stream, _LENGTH.size))
    if size > LARGEST_HEADER:
        raise ValueError(f"a header of {size} bytes; {LARGEST_HEADER} is the most")
    text, entries = json.loads(_exactly(stream, size))
    if sum(length for _, length in entries) > largest:
        raise ValueError(f"bodies of more than {largest} bytes")
    return text, {name: _exactly(stream, length) for name, length in _entries(entries)}


def _entries(raw: Sequence[Sequence[object]]) -> list[tuple[str, int]]:
    return [(str(name), int(str(length))) for name, length in raw]


def _exactly(stream: IO[bytes], size: int) -> bytes:
    body = stream.read(size)
    if len(body) != size:
        raise ValueError(f"{len(body)} of {size} bytes came")
    return body
