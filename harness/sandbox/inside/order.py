"""What the warden of a jail is told, and what it answers: one message each way, a JSON header and bodies."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import IO, Literal

_LENGTH = struct.Struct("=Q")
LARGEST_HEADER = 64 << 20

How = Literal["bubblewrap", "namespaces"]


@dataclass(frozen=True)
class Seen:
    """A file or folder of this machine, read-only, at a path in the jail; `source` "" is an empty folder."""

    source: str
    path: str
    executable: bool = True


@dataclass(frozen=True)
class Bounds:
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


@dataclass(frozen=True)
class Order:
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


@dataclass(frozen=True)
class Answer:
    """What came of it; `failed` is set where the jail itself could not be made."""

    failed: str = ""
    exit_code: int = 0
    reason: str = "exited"
    wall_s: float = 0.0
    cpu_s: float = 0.0
    peak_memory_bytes: int = 0
    left_out: tuple[tuple[str, str], ...] = ()


def order_text(order: Order) -> str:
    return json.dumps(asdict(order))


def read_order(text: str) -> Order:
    raw = json.loads(text)
    return Order(
        **raw
        | {
            "seen": tuple(Seen(**s) for s in raw["seen"]),
            "links": tuple((a, b) for a, b in raw["links"]),
            "texts": tuple((a, b) for a, b in raw["texts"]),
            "argv": tuple(raw["argv"]),
            "bounds": Bounds(**raw["bounds"]),
        }
    )


def answer_text(answer: Answer) -> str:
    return json.dumps(asdict(answer))


def read_answer(text: str) -> Answer:
    raw = json.loads(text)
    return Answer(**raw | {"left_out": tuple((a, b) for a, b in raw["left_out"])})


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
