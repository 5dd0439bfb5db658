"""More memory than is allowed: by one, by many, and where nobody counts it."""

from __future__ import annotations

import ctypes
import mmap
import os
import threading
import time

from payloads.attempt import Outside, call, escaped, payload

STEP = 8 << 20
MOST = 1_500 << 20  # of all processes together: as much as any payload ever asks for


def _touch(size: int) -> bytearray:
    body = bytearray(size)
    body[::4096] = b"x" * len(body[::4096])
    return body


@payload()
def by_one(out: Outside) -> None:
    held = []
    for _ in range(MOST // STEP):
        held.append(_touch(STEP))
    escaped(f"{len(held) * STEP} bytes in one process")


@payload(reasons=("memory",))
def by_many_children(out: Outside) -> None:
    """Each is within the limit of a process; together they are not."""
    each = out.memory_bytes // 3
    for _ in range(MOST // each):
        if os.fork() == 0:
            held = _touch(each)
            time.sleep(20)
            os._exit(len(held) & 0)
    time.sleep(5)
    while os.waitpid(-1, os.WNOHANG)[0]:
        pass
    escaped("an end of the loop: the limit on all together ends the program")


@payload(reasons=("memory",))
def shared_by_children(out: Outside) -> None:
    """Memory that no one process holds alone."""
    maps = []
    for _ in range(MOST // (out.memory_bytes // 2)):
        region = mmap.mmap(-1, out.memory_bytes // 2)
        for at in range(0, len(region), 4096):
            region[at] = 1
        maps.append(region)
        if os.fork():
            time.sleep(20)
            os._exit(0)
    escaped("shared memory beyond the limit")


@payload(timeout_s=15)
def threads_with_stacks(out: Outside) -> None:
    threading.stack_size(64 << 20)
    held = []
    for _ in range(8):
        thread = threading.Thread(target=lambda: held.append(_touch(out.memory_bytes // 4)) or time.sleep(10))
        thread.start()
    for _ in range(50):
        time.sleep(0.1)
        if sum(map(len, held)) > 2 * out.memory_bytes:
            escaped("memory of threads")
            os._exit(0)


@payload()
def file_without_a_name(out: Outside) -> None:
    """memfd: memory that belongs to no address space."""
    call("memfd_create", 319, 279, b"x", 0)
    call("memfd_secret", 447, 447, 0)


@payload()
def system_v_and_queues(out: Outside) -> None:
    call("shmget", 29, 194, 0, 1 << 20, 0o1600)
    call("semget", 64, 190, 0, 1, 0o1600)
    call("msgget", 68, 186, 0, 0o1600)
    call("mq_open", 240, 180, b"x", 0o102, 0o600, 0)


@payload()
def locks_of_ranges(out: Outside) -> None:
    """Each lock is a record in the kernel, and nothing counts how many a file has."""
    import fcntl

    made = 0
    with open("locked", "w") as file:
        for at in range(0, 20_000, 2):
            try:
                fcntl.lockf(file, fcntl.LOCK_EX, 1, at)
            except OSError:
                break
            made += 1
    if made > 5_000:
        escaped(f"{made} locks")


@payload()
def in_pipes(out: Outside) -> None:
    """Bytes that lie in the kernel, between two ends that nobody reads."""
    total = 0
    for _ in range(2000):
        try:
            _, write = os.pipe()
        except OSError:
            break
        os.set_blocking(write, False)
        try:
            while total < MOST:
                total += os.write(write, b"x" * 65536)
        except OSError:
            continue
    if total > out.memory_bytes:
        escaped(f"{total} bytes in pipes")


@payload()
def locked(out: Outside) -> None:
    call("mlockall", 151, 230, 3)
    call("mlock", 149, 228, ctypes.create_string_buffer(1 << 20), 1 << 20)
    call("mlock2", 325, 284, ctypes.create_string_buffer(1 << 20), 1 << 20, 1)


@payload()
def page_tables(out: Outside) -> None:
    """One page touched in every two megabytes: the tables cost as much as the pages."""
    held = []
    for _ in range(12):
        try:
            region = mmap.mmap(-1, 8 << 30, flags=mmap.MAP_SHARED | 0x4000)  # MAP_NORESERVE
        except (OSError, ValueError):
            break
        for at in range(0, len(region), 2 << 20):
            region[at] = 1
        held.append(region)
    if len(held) * (8 << 30) // (2 << 20) * 8192 > 2 * out.memory_bytes:
        escaped("page tables")


@payload()
def recursion(out: Outside) -> None:
    """The C stack, which is no heap."""
    import sys

    sys.setrecursionlimit(10**8)

    def down(deep: object) -> str:
        return repr([deep])

    nested: object = []
    for _ in range(200_000):
        nested = [nested]
    down(nested)
