"""Days of trading looked at again: by today's code, or by that of a candidate in a tree and a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import msgspec

from harness.repository import Repository
from modules.canonical import canonical_json
from modules.live.runner.programmes import InForce, in_force
from modules.live.runner.replay import Difference, Replayed, compare, replay
from modules.live.runner.resume import SUFFIX, tapes
from modules.live.runner.taped import Began, Decided
from modules.live.runner.ticks import replay_ticks
from modules.workspace import Workspace

RUN_SECONDS = 3_600.0
"""How long a candidate may take for a day."""


class DayError(RuntimeError):
    """A day cannot be made again; says why and the remedy."""


@dataclass(frozen=True)
class DayReplayed:
    """A day and what differs. `candidate`: the commit that decided, None = this checkout."""

    day: str
    began: Began
    bars: int
    orders: int
    differences: tuple[Difference, ...]
    edited: tuple[str, ...]
    candidate: str | None = None
    events: int = 0


def tape_of(folder: Path, day: str) -> Path | None:
    """The tape of a day, `last` = the newest; None where there is none."""
    if day == "last":
        found = tapes(folder)
        return found[-1] if found else None
    path = folder / f"{day}{SUFFIX}"
    return path if path in tapes(folder) else None


def replayed(workspace: Workspace, path: Path, candidate: str | None = None) -> DayReplayed:
    """Make a day again. Raises TapeError, RegistryError, RepositoryError, DayError."""
    made = replay(path)
    if candidate is None:
        return _day(path, made, made.differences, made.edited, None)
    commit = Repository(workspace.root).resolve(candidate)
    if commit is None:
        raise DayError(f"{candidate} names no commit; `cws review list` shows the branches")
    found = _by(workspace, commit, path, in_force(made.began))
    return _day(path, made, compare(made.recorded, found[: len(made.recorded)]), (), commit)


def _day(
    path: Path, made: Replayed, differences: list[Difference], edited: tuple[str, ...], candidate: str | None
) -> DayReplayed:
    bars, orders = len(made.recorded), made.orders
    ticks = replay_ticks(path, len(made.began.symbols))
    if ticks.difference is not None:
        differences = [*differences, Difference(0, "market events", ticks.difference, "")]
    return DayReplayed(path.stem, made.began, bars, orders, tuple(differences), edited, candidate, ticks.events)


def _by(workspace: Workspace, commit: str, path: Path, here: InForce) -> list[Decided]:
    """What another commit decides on a tape: by its tree in a scratch folder, and the settings that it changes."""
    with tempfile.TemporaryDirectory(prefix="cws-day-") as scratch:
        folder = Path(scratch)
        Repository(workspace.root).export(commit, folder / "code")
        base = folder / "base.json"
        base.write_text(canonical_json(here), encoding="utf-8")
        environment = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "PYTHONPATH": str(folder / "code"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "HOME": scratch,
            "CWS_HOME": str(folder / "home"),
            "NUMBA_CACHE_DIR": os.environ.get("NUMBA_CACHE_DIR", str(workspace.home / "kernels")),
        }
        command = [sys.executable, "-P", "-s", "-m", "modules.live.runner.replay", str(path.resolve()), str(base)]
        try:
            done = subprocess.run(
                command, cwd=folder / "code", env=environment, capture_output=True, text=True, timeout=RUN_SECONDS,
                check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise DayError(f"commit {commit[:12]} took longer than {RUN_SECONDS:.0f} s for {path.stem}") from error
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:] or ["no word"]
        raise DayError(f"commit {commit[:12]} does not decide {path.stem}: {last[0]}")
    return [msgspec.json.decode(line, type=Decided) for line in done.stdout.splitlines()]
