"""The local jail: namespaces, an empty root, no capability, a filter of system calls, limits, a warden that ends it.

Made by bubblewrap, or where that is missing by the same steps taken here. The work is done by a warden, a process that
imports nothing but the standard library (`harness/sandbox/inside/`); this file tells it what to do.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from harness.sandbox.inside import kernel, warden
from harness.sandbox.inside.enter import PACKAGES
from harness.sandbox.inside.order import Answer, Bounds, How, Order, Seen, order_text, read_answer, receive, send
from harness.sandbox.inside.seccomp import AUDIT_ARCH
from harness.sandbox.port import MIB, Job, LeftOut, Limits, Outcome, Reason, SandboxError, Usage
from harness.sandbox.view import INTERPRETER, environment, interpreter_view, shown, system_view

_CHECKOUT = Path(__file__).resolve().parents[2]
_START = "import sys; sys.path.insert(0, sys.argv.pop(1)); from harness.sandbox.inside.warden import main; main()"
# Beyond the job's own time: building, ending, collecting. Then the warden itself is taken to be stuck.
PATIENCE_S = 60.0
# Ids that belong to nobody by convention; different jobs get different ones, so that they cannot touch each other.
_FIRST_USER, _USERS = 60578, 600


@dataclass(frozen=True)
class Jail:
    """A jail made in the way `how`. Every method raises SandboxError where this machine does not allow it."""

    how: How

    @property
    def name(self) -> str:
        return f"jail ({self.how})"

    @property
    def gives(self) -> str:
        landlock = kernel.landlock_version()
        fence = f"Landlock {landlock}" if landlock else "no Landlock in this kernel"
        user = "another user" if os.geteuid() == 0 else "your user, mapped to one without rights"
        return (
            f"namespaces, an empty read-only root, no network, {user}, no capability, our list of system calls,"
            f" {fence}; limits of each process, and a warden for memory of all together"
        )

    def run(self, job: Job) -> Outcome:
        began = time.monotonic()
        bodies = {warden.STDIN: job.stdin, **job.files}
        answer, files = _ask(order_text(self._order(job)), bodies, job.limits)
        if answer.failed:
            raise SandboxError(f"{self.name}: {answer.failed}")
        stdout, stderr = files.pop(warden.STDOUT), files.pop(warden.STDERR)
        start_s = time.monotonic() - began - answer.wall_s
        return Outcome(
            exit_code=answer.exit_code,
            stdout=stdout,
            stderr=stderr,
            files=files,
            left_out=tuple(LeftOut(path, why) for path, why in answer.left_out),
            reason=Reason(answer.reason),
            usage=Usage(answer.wall_s, start_s, answer.cpu_s, answer.peak_memory_bytes),
        )

    def _order(self, job: Job) -> Order:
        mine, system = interpreter_view(), system_view()
        inside = (_CHECKOUT / "harness" / "sandbox" / "inside", f"{PACKAGES}/harness/sandbox/inside")
        trees = [Seen(str(source), path) for source, path in (*system.trees, *mine.trees, inside)]
        trees += [Seen("", path) for path in mine.empty]
        trees += [Seen(str(source), path, executable=False) for source, path in shown(job)]
        return Order(
            how=self.how,
            bubblewrap=self._bubblewrap(),
            user=_user(),
            seen=tuple(trees),
            links=system.links + mine.links,
            texts=mine.texts,
            interpreter=INTERPRETER,
            argv=job.argv,
            environment=environment(job),
            bounds=Bounds(**asdict(job.limits)),
        )

    def _bubblewrap(self) -> str:
        if sys.platform != "linux" or platform.machine() not in AUDIT_ARCH:
            raise SandboxError(f"{self.name}: needs Linux on {' or '.join(AUDIT_ARCH)}, this is {platform.platform()}")
        if self.how == "namespaces":
            return ""
        found = shutil.which("bwrap")
        if found is None:
            raise SandboxError(f"{self.name}: bubblewrap is missing; install the package bubblewrap")
        return found


def _user() -> int:
    """Under root, an id without rights; else our own, the only one there is."""
    return os.geteuid() or _FIRST_USER + (os.getpid() + time.monotonic_ns()) % _USERS


def _ask(order: str, bodies: dict[str, bytes], limits: Limits) -> tuple[Answer, dict[str, bytes]]:
    """Starts a warden, gives it the order, waits for its answer."""
    interpreter = str(getattr(sys, "_base_executable", sys.executable))
    process = subprocess.Popen(
        [interpreter, "-I", "-S", "-c", _START, str(_CHECKOUT)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={},
        start_new_session=True,
    )
    assert process.stdin is not None and process.stdout is not None and process.stderr is not None
    stuck = threading.Timer(limits.timeout_s + PATIENCE_S, process.kill)
    stuck.start()
    try:
        send(process.stdin, order, bodies)
        text, files = receive(process.stdout, limits.collected_bytes + 2 * limits.output_bytes + MIB)
        return read_answer(text), files
    except (OSError, ValueError) as error:
        process.kill()
        said = process.stderr.read(20_000).decode("utf-8", "replace").strip().splitlines()
        raise SandboxError(f"the jail's warden gave no answer ({error}): {' '.join(said[-3:])}") from error
    finally:
        stuck.cancel()
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            stream.close()
