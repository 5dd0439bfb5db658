"""What a worker process does: one job at a time, until the line ends."""

from __future__ import annotations

import os
import pickle
import signal
import traceback
from multiprocessing.connection import Connection
from pathlib import Path

from ablations.executors.machine import VISIBLE
from ablations.executors.port import ExecutorError, refuse_other_ground


def serve(line: Connection, ground: str) -> None:
    """Answer each `(function, job, cpus, cards)` with `(True, result)` or `(False, error)`.

    When the process at the other end is gone, so is this one after its job. Ctrl-C is that process's affair.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    share = os.environ.get("CWS_THREADS", "1")
    while True:
        try:
            function, job, cpus, cards = line.recv()
        except (EOFError, OSError):
            return
        os.environ["CWS_THREADS"] = str(max(cpus, int(share))) if share.isdigit() else share
        os.environ[VISIBLE] = ",".join(cards)
        answer: tuple[bool, object]
        try:
            refuse_other_ground(ground)
            answer = (True, function(job))
        except Exception as error:  # noqa: BLE001 - whatever a job raises is the answer, and is raised where it was asked
            answer = (False, told(error))
        try:
            line.send(answer)
        except (BrokenPipeError, ConnectionResetError):
            return
        except Exception as error:  # noqa: BLE001 - pickling runs code of the result's own
            line.send((False, ExecutorError(f"the result is no plain data and cannot be sent back: {error}")))


def told(error: Exception) -> Exception:
    """The error as it can be sent: with the place in this process, which does not travel; in words where it cannot."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"in a worker process, {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "in a worker"
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - its own bytes: does it survive the way?
    except Exception:  # noqa: BLE001 - an error's own code may raise anything
        return ExecutorError(f"{type(error).__name__}: {error} ({place})")
    error.add_note(place)
    return error
