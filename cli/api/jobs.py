"""Pipeline runs that were asked for: each is `cws run` in a process of its own, one after the other."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Literal

from modules.workspace import Workspace

State = Literal["waiting", "running", "done", "failed"]
MOST_WAITING = 16
MOST_KEPT = 256
MOST_SECONDS = 3_600.0
MOST_WORDS = 2_000


class TooManyJobsError(Exception):
    """As many runs are waiting as may; ask again later."""


@dataclass(frozen=True)
class Job:
    """One run that was asked for. `argv`: what follows `cws run`. `words`: why it failed."""

    job_id: str
    argv: tuple[str, ...]
    by: str
    asked_ns: int
    state: State = "waiting"
    run_id: str | None = None
    words: str | None = None
    ended_ns: int | None = None


class Jobs:
    """A queue and one worker. Jobs are forgotten with the server, or beyond `MOST_KEPT`; their runs are not."""

    def __init__(self, workspace: Workspace, most_seconds: float = MOST_SECONDS) -> None:
        self._workspace, self._most_seconds = workspace, most_seconds
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._queue: queue.Queue[str | None] = queue.Queue(MOST_WAITING)
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._ended = False
        self._thread = threading.Thread(target=self._work, name="cws-jobs", daemon=True)
        self._thread.start()

    def ask(self, argv: tuple[str, ...], by: str) -> Job:
        """Put a run in the queue. Raises TooManyJobsError."""
        job = Job(secrets.token_hex(8), argv, by, time.time_ns())
        with self._lock:
            self._jobs[job.job_id] = job
            try:
                self._queue.put_nowait(job.job_id)
            except queue.Full as error:
                del self._jobs[job.job_id]
                raise TooManyJobsError(f"{MOST_WAITING} runs are waiting") from error
            for old in [k for k, j in self._jobs.items() if j.state in ("done", "failed")][: -MOST_KEPT or None]:
                del self._jobs[old]
        return job

    def find(self, job_id: str) -> Job | None:
        """The job, as it stands."""
        with self._lock:
            return self._jobs.get(job_id)

    def every(self) -> list[Job]:
        """All that are remembered, the newest first."""
        with self._lock:
            return list(reversed(self._jobs.values()))

    def close(self) -> None:
        """End the worker and what it runs."""
        self._ended = True
        with self._lock:
            process = self._process
        if process is not None and process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        with contextlib.suppress(queue.Full):  # then it looks at `_ended` after the one that it runs
            self._queue.put_nowait(None)
        self._thread.join(timeout=10.0)

    def _work(self) -> None:
        while not self._ended:
            job_id = self._queue.get()
            if job_id is None or self._ended:
                return
            self._set(job_id, state="running")
            run_id, words = self._run(self._jobs[job_id].argv)
            self._set(job_id, state="done" if run_id else "failed", run_id=run_id, words=words, ended_ns=time.time_ns())

    def _run(self, argv: tuple[str, ...]) -> tuple[str | None, str | None]:
        command = [sys.executable, "-m", "cli.main", "run", "--json", *argv]
        environment = {**os.environ, "CWS_HOME": str(self._workspace.home), "NO_COLOR": "1"}
        with self._lock:
            self._process = process = subprocess.Popen(
                command,
                cwd=self._workspace.root,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
        try:
            out, err = process.communicate(timeout=self._most_seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            return None, f"it was ended after {self._most_seconds:g} s"
        try:
            said = json.loads(out)
        except json.JSONDecodeError:
            return None, err.strip()[-MOST_WORDS:] or f"it ended with {process.returncode}"
        if process.returncode == 0:
            return str(said["run_id"]), None
        return None, str(said.get("error", {}).get("message", err.strip()))[:MOST_WORDS]

    def _set(
        self,
        job_id: str,
        *,
        state: State,
        run_id: str | None = None,
        words: str | None = None,
        ended_ns: int | None = None,
    ) -> None:
        with self._lock:
            self._jobs[job_id] = replace(self._jobs[job_id], state=state, run_id=run_id, words=words, ended_ns=ended_ns)
