"""The last steps before the program: its limits, Landlock, the filter of system calls, and exec.

Run in the jail's first process by fork (namespaces) or as a program of its own (bubblewrap):
`python -I -S -c STEP PACKAGES BOUNDS ARGV...`.
"""

from __future__ import annotations

import json
import os
import resource
import struct
import sys
import time
from collections.abc import Sequence

from harness.sandbox.inside import kernel, seccomp
from harness.sandbox.inside.order import Bounds
from harness.sandbox.inside.places import WORK

STEP = "import sys; sys.path.insert(0, sys.argv.pop(1)); from harness.sandbox.inside.confine import main; main()"
CANNOT_START = 127
READY = 3  # the descriptor on which the time of setting out is told
SET_OUT = struct.Struct("=d")
# Address space that is only reserved costs nothing, and allocators of several threads reserve much.
RESERVED_BYTES = 16 << 30

# linux/landlock.h: execute, read a file, read a folder; and all rights of its versions 1 (13), 2, 3 and 5.
_READ = 1 << 0 | 1 << 2 | 1 << 3
_ALL = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1, 5: (1 << 16) - 1}
_WRITE_FILE, _MAKE_DEVICES = 1 << 1, 1 << 6 | 1 << 11
_NETWORK, _SCOPES = 3, 3  # bind and connect (from 4); abstract sockets and signals (from 6)


def confine(bounds: Bounds, argv: tuple[str, ...]) -> None:
    """Becomes the program. Returns never; the exit code is 127 where it cannot be started."""
    _limit(bounds)
    _landlock()
    seccomp.install(seccomp.program(os.uname().machine))
    os.set_inheritable(READY, False)
    os.write(READY, SET_OUT.pack(time.monotonic()))
    try:
        os.execvp(argv[0], argv)
    except OSError as error:
        os.write(2, f"{argv[0]}: {error.strerror}\n".encode())
    os._exit(CANNOT_START)


def _limit(bounds: Bounds) -> None:
    """What one process may use. Hard limits: without capabilities none can be raised again."""
    os.umask(0o022)
    os.nice(5)
    for what, soft, hard in (
        (resource.RLIMIT_CPU, bounds.cpu_s, bounds.cpu_s + 1),
        (resource.RLIMIT_DATA, bounds.memory_bytes, bounds.memory_bytes),
        (resource.RLIMIT_AS, bounds.memory_bytes + RESERVED_BYTES, bounds.memory_bytes + RESERVED_BYTES),
        (resource.RLIMIT_FSIZE, bounds.file_bytes, bounds.file_bytes),
        (resource.RLIMIT_NOFILE, bounds.open_files, bounds.open_files),
        (resource.RLIMIT_NPROC, bounds.processes, bounds.processes),
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_MEMLOCK, 0, 0),
        (resource.RLIMIT_MSGQUEUE, 0, 0),
        (resource.RLIMIT_SIGPENDING, 256, 256),
    ):
        ours = resource.getrlimit(what)[1]  # what binds us cannot be raised for it
        most = hard if ours == resource.RLIM_INFINITY else min(hard, ours)
        resource.setrlimit(what, (min(soft, most), most))


def _landlock() -> None:
    """A second fence around the files, where the kernel has it: reading everywhere that is shown, writing in /work."""
    version = kernel.landlock_version()
    if version == 0:
        return
    everything = _ALL[min(version, 5)]
    attributes = struct.pack("=Q", everything)
    if version >= 4:
        attributes += struct.pack("=Q", _NETWORK)
    if version >= 6:
        attributes += struct.pack("=Q", _SCOPES)
    kernel.landlock(attributes, (("/", _READ), (WORK, everything & ~_MAKE_DEVICES), ("/dev/null", _WRITE_FILE)))


def command(order_interpreter: str, packages: str, bounds: Bounds, argv: Sequence[str]) -> list[str]:
    """How to run this file as a program."""
    return [order_interpreter, "-I", "-S", "-c", STEP, packages, json.dumps(bounds), *argv]


def main() -> None:
    confine(Bounds(*json.loads(sys.argv[1])), tuple(sys.argv[2:]))
