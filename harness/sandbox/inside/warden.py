"""The warden of one jail: builds it, watches it, ends it, brings its results out. A process of its own.

It reads one order on its standard input, writes one answer on its standard output, and ends everything when whoever
gave the order is gone. Nothing of it is visible from the jail.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from collections.abc import Callable, Mapping

from harness.sandbox.inside import kernel, memory
from harness.sandbox.inside.collect import collect
from harness.sandbox.inside.confine import SET_OUT
from harness.sandbox.inside.enter import start
from harness.sandbox.inside.order import Answer, Bounds, Order, answer_text, read_order, receive, send
from harness.sandbox.inside.stage import build

LARGEST_ORDER = 5 << 30
LOOK_EVERY_S = 0.01
ENDED_WITHIN_S = 20.0
SET_OUT_WITHIN_S = 30.0
SHARED_AT_MOST = 3  # pages that processes share may count this often before nobody looks closer
CHUNK = 1 << 16
STDIN, STDOUT, STDERR = "/stdin", "/stdout", "/stderr"  # never the name of a job's file, which is relative


class Watch:
    """What has been seen of the program so far."""

    def __init__(self, bounds: Bounds, outputs: tuple[int, ...]) -> None:
        self.bounds = bounds
        self.set_out = 0.0  # 0 until the program has
        self.deadline = time.monotonic() + SET_OUT_WITHIN_S
        self.peak = 0
        self.reason = ""
        self.printed = {fd: bytearray() for fd in outputs}


def main() -> None:
    os.umask(0o022)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        text, bodies = receive(sys.stdin.buffer, LARGEST_ORDER)
        answer, files = _serve(read_order(text), bodies)
    except OSError as error:
        answer, files = Answer(failed=str(error)), {}
    send(out, answer_text(answer), files)


def _serve(order: Order, bodies: Mapping[str, bytes]) -> tuple[Answer, dict[str, bytes]]:
    kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER, 1)
    given = {name: body for name, body in bodies.items() if name != STDIN}
    work = build(order, given)
    ends = [os.pipe() for _ in range(4)]
    (in_read, in_write), (out_read, out_write), (err_read, err_write), (set_read, set_write) = ends
    watch = Watch(order.bounds, (out_read, err_read))
    child = start(order, in_read, out_write, err_write, set_write)
    for end in (in_read, out_write, err_write, set_write):
        os.close(end)
    status, cpu_s = _stand_by(child, watch, set_read, in_write, bodies.get(STDIN, b""))
    ended = time.monotonic()
    stdout, stderr = bytes(watch.printed[out_read]), bytes(watch.printed[err_read])
    if not watch.set_out:
        why = stderr.decode("utf-8", "replace").strip()[-500:] or watch.reason
        return Answer(failed=f"the jail could not be made ({order.how}): {why}"), {}
    wall_s = ended - watch.set_out
    found = collect(work, given, order.bounds.collected_files, order.bounds.collected_bytes)
    files = found.files | {STDOUT: stdout, STDERR: stderr}
    reason = watch.reason or _reason(status, cpu_s, order.bounds)
    return Answer("", status, reason, wall_s, cpu_s, watch.peak, found.report()), files


def _reason(status: int, cpu_s: float, bounds: Bounds) -> str:
    if status == 128 + signal.SIGXCPU or (status == 128 + signal.SIGKILL and cpu_s >= bounds.cpu_s):
        return "cpu"
    return "killed" if status > 128 else "exited"


def _stand_by(child: int, watch: Watch, setting_out: int, stdin: int, given: bytes) -> tuple[int, float]:
    """Until the program and everything that it started are gone: its exit status, processor seconds of all."""
    ended = os.pidfd_open(child)
    poll = select.poll()
    for fd in (*watch.printed, ended, setting_out):
        poll.register(fd, select.POLLIN)
    poll.register(0, 0)  # our own input hangs up when whoever ordered this is gone
    feed = _feeder(stdin, given, poll)
    looked = 0.0
    while not watch.reason:
        ready = {fd for fd, _ in poll.poll(LOOK_EVERY_S * 1000)}
        feed(ready)
        for fd in ready & set(watch.printed):
            _read(fd, watch, poll)
        if setting_out in ready:
            _note(setting_out, watch)
            poll.unregister(setting_out)
        if ended in ready:
            break
        now = time.monotonic()
        if 0 in ready or now > watch.deadline:
            watch.reason = "timeout"
        if now - looked >= LOOK_EVERY_S:
            looked = now
            _weigh(child, watch)
    status, cpu_s = _end(child)
    for fd in watch.printed:
        _drain(fd, watch)
    return status, cpu_s


def _note(setting_out: int, watch: Watch) -> None:
    """When the program set out, from which its time counts. Nothing is told where the jail could not be made."""
    told = os.read(setting_out, SET_OUT.size)
    if told:
        (watch.set_out,) = SET_OUT.unpack(told)
        watch.deadline = watch.set_out + watch.bounds.timeout_s


def _feeder(stdin: int, given: bytes, poll: select.poll) -> Callable[[set[int]], None]:
    """Gives the program its input as it takes it; a program that takes none must not stop us."""
    rest = memoryview(given)
    os.set_blocking(stdin, False)
    poll.register(stdin, select.POLLOUT)
    is_open = True

    def feed(ready: set[int]) -> None:
        nonlocal rest, is_open
        if not is_open or stdin not in ready:
            return
        try:
            rest = rest[os.write(stdin, rest[:CHUNK]) :] if rest else rest
        except BlockingIOError:
            return
        except OSError:
            rest = rest[:0]  # nobody reads
        if not rest:
            poll.unregister(stdin)
            os.close(stdin)
            is_open = False

    return feed


def _read(fd: int, watch: Watch, poll: select.poll) -> None:
    body = os.read(fd, CHUNK)
    if not body:
        poll.unregister(fd)
    _keep(fd, body, watch)


def _keep(fd: int, body: bytes, watch: Watch) -> None:
    kept = watch.printed[fd]
    kept += body[: watch.bounds.output_bytes - len(kept)]
    if len(body) and len(kept) >= watch.bounds.output_bytes:
        watch.reason = watch.reason or "output"


def _drain(fd: int, watch: Watch) -> None:
    """What was printed and not read yet; nobody writes any more."""
    os.set_blocking(fd, False)
    while True:
        try:
            body = os.read(fd, CHUNK)
        except BlockingIOError:
            return
        if not body:
            return
        _keep(fd, body, watch)


def _weigh(child: int, watch: Watch) -> None:
    """The memory of all processes together; nothing in the kernel limits it."""
    pids = memory.tree(child)
    held, most = memory.held(pids), watch.bounds.memory_bytes
    if held > most:
        held = held if held > SHARED_AT_MOST * most else memory.held_fairly(pids)
    watch.peak = max(watch.peak, held)
    if held > most:
        watch.reason = "memory"


def _end(child: int) -> tuple[int, float]:
    """Ends whatever is left. Without this being done nothing is collected: OSError after `ENDED_WITHIN_S`."""
    status, deadline = 128 + signal.SIGKILL, time.monotonic() + ENDED_WITHIN_S
    while time.monotonic() < deadline:
        for pid in memory.children(os.getpid()):  # a child's number stays taken until we wait for it
            os.kill(pid, signal.SIGKILL)
        try:
            pid, raw = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            used = os.times()
            return status, used.children_user + used.children_system
        if pid == child:
            status = os.WEXITSTATUS(raw) if os.WIFEXITED(raw) else 128 + os.WTERMSIG(raw)
        elif pid == 0:
            time.sleep(0.001)
    raise OSError(f"processes of the program were alive {ENDED_WITHIN_S} s after they were killed")
