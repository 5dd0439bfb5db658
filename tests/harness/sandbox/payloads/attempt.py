"""What payloads share: how an attempt is stated, and what they were told of the outside.

A payload prints ESCAPED and what it reached. It prints whatever it could read: the test looks for the canary's token in
it, which no payload is told.
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long
Any = object
Function = TypeVar("Function", bound=Callable[..., None])
NUMBERS = {"x86_64": 1, "aarch64": 2}


@dataclass(frozen=True)
class Outside:
    """Things of the machine around the sandbox."""

    secret: str  # a file that every user may read
    note: str  # a file that every user may write
    folder: str  # where these are; every user may write
    port: int  # TCP and UDP, on 127.0.0.1 and ::1
    path_socket: str
    abstract_socket: str
    victim: int  # a process
    processes: int  # limits of this sandbox
    memory_bytes: int
    scratch_bytes: int


def outside() -> Outside:
    return Outside(**json.loads(sys.argv[1]))


def escaped(what: str) -> None:
    print("ESCAPED", what, flush=True)


def refused(what: str, call: Callable[[], object]) -> None:
    """The call must fail."""
    try:
        got = call()
    except (OSError, ValueError, OverflowError, AttributeError, ImportError):
        return
    escaped(f"{what}: {got!r}")


def syscall(number: int, *arguments: object) -> int:
    """A system call by its number; OSError where it fails."""
    words = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    result = int(_libc.syscall(ctypes.c_long(number), *words))
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def call(what: str, x86_64: int, aarch64: int | None, *arguments: object) -> None:
    """A system call that must fail, where this machine has it."""
    number = x86_64 if platform.machine() == "x86_64" else aarch64
    if number is not None:
        refused(what, lambda: syscall(number, *arguments))


def payload(
    *, reasons: tuple[str, ...] = (), timeout_s: float = 10, machines: tuple[str, ...] = ("x86_64", "aarch64")
) -> Callable[[Function], Function]:
    """Marks a function. `reasons`: how the job must end, where it must end in one way."""

    def mark(function: Function) -> Function:
        function.__dict__.update(payload=True, reasons=reasons, timeout_s=timeout_s, machines=machines)
        return function

    return mark
