"""The loop: ablations an hour; and with `--nights N`, N unattended nights in a workspace with ten mis-set modules.

A night is `cws nightly` in a clone of the committed checkout, with the certificates that are committed there, or with
fresh ones where those are stale. What ships is then run on fresh draws of the planted markets: a patch that gains
nothing there is null, whatever the gate said.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from ablations.ablate import ablate, certificate_for, certify
from ablations.executors.local import LocalPool
from ablations.patch import Patch, propose
from ablations.suite import default_suite, load_suite, version_of
from benchmarks.common import Row, report
from benchmarks.misset import FAULTS, Judge, Truth, drawn, mis_set
from modules.datastore import DataStore
from modules.registry import load_module
from modules.workspace import CHECKOUT, Workspace
from traces.events import Event
from traces.ledger import Ledger

WORKERS = 2
SUITES = ("fast", "slow", "broad")
COUNTED = 6
"""Ablations of each suite that are timed, after one that is not."""

PUBLISHED_A_WEEK = 800.0
PUBLISHED_ACCEPTANCE = 0.31
MINUTES = 20.0
TRIALS = 60


@dataclass(frozen=True)
class Night:
    """What one night came to."""

    seed: int
    seconds: float
    judged: int
    truths: tuple[Truth, ...]

    @property
    def repaired(self) -> int:
        """Mis-set modules with a shipped patch that brings back what was lost."""
        return len({t.module for t in self.truths if t.repairs})


# --- ablations an hour -----------------------------------------------------------------------------


def throughput() -> list[Row]:
    """Ablations through the real gate, record and ledger included, each a patch that was not tried before."""
    rows, spent, made = [], 0.0, 0
    with tempfile.TemporaryDirectory() as folder, LocalPool(WORKERS) as pool:
        workspace = Workspace(CHECKOUT, Path(folder))
        with Ledger(workspace.ledger, workspace.checkpoints) as ledger:

            def emit(event: Event) -> None:
                ledger.append(event)

            for name in SUITES:
                suite = load_suite(name)
                version_of(suite, DataStore(workspace.data))
                patches = [_patch(0.005 + 0.001 * at) for at in range(COUNTED + 1)]
                ablate(patches[0], suite, workspace, emit, executor=pool)
                clock = time.perf_counter()
                for patch in patches[1:]:
                    ablate(patch, suite, workspace, emit, executor=pool)
                seconds = time.perf_counter() - clock
                spent, made = spent + seconds, made + COUNTED
                rows.append(Row(f"one ablation on {name}, {len(suite.tasks)} tasks", seconds / COUNTED, "s"))
    hourly = Row(
        "ablations an hour, two processes",
        3600.0 * made / spent,
        "1/h",
        "a published desk, in a week",
        PUBLISHED_A_WEEK,
        goal=800.0,
        sense="at_least",
    )
    return [hourly, *rows]


def _patch(band: float) -> Patch:
    return propose(load_module("size", "rank_neutral"), {"no_trade_band": round(band, 6)})


# --- nights ----------------------------------------------------------------------------------------


def nights(count: int, minutes: float, home: Path, first: int = 0) -> list[Night]:
    """`count` nights, each from its own seed, one after the other."""
    certificates = _certificates(home)
    judge = Judge(home / "fresh")
    return [night(first + at, minutes, home, certificates, judge) for at in range(count)]


def night(seed: int, minutes: float, home: Path, certificates: Path, judge: Judge) -> Night:
    """One night in a clone of HEAD with ten mis-set modules, and the truth of what it shipped."""
    faults = drawn(seed)
    clone = home / f"night-{seed}"
    shutil.rmtree(clone, ignore_errors=True)
    _git(home, "clone", "--quiet", str(CHECKOUT), str(clone))
    mis_set(clone, faults)
    _git(clone, "-c", "user.name=bench", "-c", "user.email=bench@localhost", "commit", "-qam", "Ten modules mis-set")
    shutil.copytree(certificates, clone / ".cws" / "certificates")
    command = [
        "-m",
        "cli.main",
        "nightly",
        "--minutes",
        f"{minutes:g}",
        "--ablations",
        str(TRIALS),
        "--no-track",
        "--json",
    ]
    clock = time.monotonic()
    done = subprocess.run(
        [sys.executable, *command, "--seed", str(seed), "--workers", str(WORKERS)],
        cwd=clone,
        env=_environment(clone),
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.monotonic() - clock
    if done.returncode != 0:
        raise RuntimeError(f"the night of seed {seed} ended with {done.returncode}: {done.stderr[-2000:]}")
    told = json.loads(done.stdout)
    (home / f"night-{seed}.json").write_text(done.stdout)
    truths = tuple(
        judge.truth(v["module"], {name: c["new"] for name, c in v["patch"].items()}, faults)
        for v in told["verdicts"]
        if v["verdict"] == "SHIP" and not v["standing"]
    )
    found = Night(seed, seconds, told["judged"], truths)
    (home / f"night-{seed}.truth.json").write_text(json.dumps(asdict(found), indent=1))
    say(found)
    return found


def _certificates(home: Path) -> Path:
    """A folder with a certificate of every suite that may judge, where the committed one does not hold."""
    workspace = Workspace(CHECKOUT, home / "certify")
    workspace.certificates.mkdir(parents=True, exist_ok=True)
    for name in sorted({default_suite(module) for module in FAULTS} | {"broad"}):
        suite = load_suite(name)
        version_of(suite, DataStore(workspace.data))
        if certificate_for(suite, workspace).state != "CURRENT":
            sys.stderr.write(f"suite {name}: making a certificate\n")
            with LocalPool(WORKERS) as pool:
                certify(suite, workspace, lambda event: None, executor=pool)
    return workspace.certificates


def _environment(clone: Path) -> dict[str, str]:
    """Of a stranger's machine, but for machine code and calendars, which take minutes to make."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("CWS_", "GIT_"))}
    ours = Workspace.here().home
    return {
        **kept,
        "PYTHONPATH": str(clone),
        "NUMBA_CACHE_DIR": os.environ.get("NUMBA_CACHE_DIR", str(ours / "kernels")),
        "CWS_CALENDARS": os.environ.get("CWS_CALENDARS", str(ours / "calendars")),
    }


def _git(root: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True)


def say(found: Night) -> None:
    """One night in words, on stderr."""
    out = sys.stderr.write
    out(f"night {found.seed}: {found.seconds:.0f} s, {found.judged} judged, {len(found.truths)} shipped, ")
    out(f"{found.repaired} of {len(FAULTS)} repaired\n")
    for truth in found.truths:
        word = "repairs" if truth.repairs else "NULL" if truth.null else "improves" if truth.known else "unknown"
        cost = "" if truth.cost is None else f" of {truth.cost:+.2f}"
        out(f"  {word:<9}{truth.module} {dict(truth.changes)}: {truth.gain:+.2f}{cost} Sharpe on fresh markets\n")


def rows_of(found: list[Night]) -> list[Row]:
    """Goals: seven repairs in each night, one in twenty of all that shipped null."""
    shipped = [t for n in found for t in n.truths]
    judged = sum(n.judged for n in found)
    rows = [
        Row(f"night of seed {n.seed}: repaired of {len(FAULTS)}", n.repaired, "modules", goal=7.0, sense="at_least")
        for n in found
    ]
    rows += [Row(f"night of seed {n.seed}", n.seconds, "s", goal=60.0 * MINUTES + 60.0) for n in found]
    known = [t for t in shipped if t.known]
    null = sum(t.null for t in known) / len(known) if known else 0.0
    rows.append(Row("shipped", len(shipped), "patches"))
    rows.append(Row("shipped on planted markets, where the truth is known", len(known), "patches"))
    rows.append(Row("of those null on fresh markets", null, "share", goal=0.05))
    accepted = len(shipped) / judged if judged else 0.0
    rows.append(Row("shipped of judged", accepted, "share", "a published desk", PUBLISHED_ACCEPTANCE))
    return rows


def measure(count: int, minutes: float, home: Path | None, first: int) -> list[Row]:
    """Ablations an hour; or, with a count, nights."""
    if count == 0:
        return throughput()
    if home is not None:
        home.mkdir(parents=True, exist_ok=True)
        return rows_of(nights(count, minutes, home.resolve(), first))
    with tempfile.TemporaryDirectory() as folder:
        return rows_of(nights(count, minutes, Path(folder), first))


def main() -> int:
    """Exit code 1 where a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, add_help=False)
    parser.add_argument("--nights", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=MINUTES)
    parser.add_argument("--first", type=int, default=0, help="seed of the first night")
    parser.add_argument("--home", type=Path, help="keep everything here")
    options, rest = parser.parse_known_args()
    sys.argv[1:] = rest
    return report(lambda: measure(options.nights, options.minutes, options.home, options.first), __doc__ or "")


if __name__ == "__main__":
    sys.exit(main())
