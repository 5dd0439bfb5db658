"""A process that runs `cws` commands and is killed in the middle: `python -P crashing.py`, in a checkout of its own.

It imports the engine once and forks for each command, so that a command costs its work and not its imports; what
threads the libraries have begun by then sleep and hold nothing. Orders come as JSON lines, answers go back as such. A
command is killed with all its children at the `at`-th event of a kind, `delay_s` later:

    ledger    the log is opened to append: before, between and after its line, its sync and its signature
    artifact  an artifact, or what is known of a stage, is renamed into place
    record    a file of a verdict's record is opened to be written
    git       git is called to write: objects, trees, commits, branches
    time      at once, `delay_s` after the command began

`at` 0: not at all; the answer then says how many events of each kind there were.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

HEAVY = (
    "numpy",
    "numba",
    "polars",
    "duckdb",
    "scipy.stats",
    "arch.bootstrap",
    "online_fdr.p_values",
    "git",
    "optuna",
    "matplotlib.figure",
    "matplotlib.backends.backend_agg",
    "dataframely",
    "exchange_calendars",
    "cli.main",
    "cli.loop",
    "cli.session",
    "cli.present_loop",
    "cli.commands.supervise",
    "cli.commands.ablate",
    "supervisor.loop",
    "supervisor.byhand",
    "modules.registry",
)
KINDS = ("ledger", "artifact", "record", "git")
_GIT_WRITES = ("hash-object", "update-index", "write-tree", "commit-tree", "update-ref")

counts = dict.fromkeys(KINDS, 0)


def kind_of(event: str, args: tuple[object, ...]) -> str | None:
    """Which kind of moment an audit event is."""
    if (
        event == "open"
        and isinstance(args[0], str)
        and isinstance(args[2], int)
        and args[2] & (os.O_WRONLY | os.O_RDWR)
    ):
        if args[0].endswith("/events.jsonl"):
            return "ledger"
        return "record" if "/ablations/" in args[0] and args[0].startswith(os.environ["CWS_HOME"]) else None
    if event == "os.rename" and "/artifacts/" in str(args[1]):
        return "artifact"
    if event == "subprocess.Popen" and isinstance(args[1], list | tuple):
        words = [str(word) for word in args[1]]
        return "git" if words[0] == "git" and any(word in _GIT_WRITES for word in words) else None
    return None


def kill_all(delay_s: float) -> None:
    """The whole group, git and workers included: as a power cut ends them."""

    def end() -> None:
        time.sleep(delay_s)
        os.killpg(0, signal.SIGKILL)

    if delay_s > 0:
        threading.Thread(target=end, daemon=True).start()
    else:
        end()


def arm(kind: str, at: int, delay_s: float) -> None:
    """Set the trap."""

    def seen(event: str, args: tuple[object, ...]) -> None:
        if event not in ("open", "os.rename", "subprocess.Popen"):
            return
        found = kind_of(event, args)
        if found is None:
            return
        counts[found] += 1
        if found == kind and counts[found] == at:
            kill_all(delay_s)

    sys.addaudithook(seen)
    if kind == "time" and at:
        kill_all(delay_s)


def child(order: dict[str, object]) -> None:
    """Run one command and exit with its code."""
    os.setsid()
    folder = Path(str(order["folder"]))
    out = os.open(folder / "out", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    errors = os.open(folder / "errors", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(out, 1)
    os.dup2(errors, 2)
    os.environ["CWS_HOME"] = str(order["home"])
    argv = order["argv"]
    assert isinstance(argv, list)
    arm(str(order["kind"]), int(str(order["at"])), float(str(order["delay_s"])))
    from cli.main import main

    sys.argv = ["cws", *argv]
    try:
        code = main()
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 1
    (folder / "counts").write_text(json.dumps(counts))
    sys.stdout.flush()
    os._exit(int(code or 0))


def serve() -> None:
    """One command after the other."""
    for name in HEAVY:
        importlib.import_module(name)
    tasks = len(os.listdir("/proc/self/task"))  # noqa: PTH208
    print(json.dumps({"threads": tasks}), flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            child(order)
        _, status = os.waitpid(pid, 0)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)  # what the command may have left running
        print(json.dumps({"status": os.waitstatus_to_exitcode(status)}), flush=True)


if __name__ == "__main__":
    serve()
