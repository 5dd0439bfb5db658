"""Research in processes that are killed at a chosen moment: each effect (an event, a checkpoint, a manifest, a commit)
is a moment before it and a moment after it. Run as a script, it imports once and forks a process a case.

    python -m tests.harness.killing CHECKOUT HOME MOMENT|none [--resume]

prints the result as JSON, or is dead. Forking before anything is computed keeps the threads of the libraries out of it.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from langgraph.checkpoint.sqlite import SqliteSaver

from harness.repository import Repository
from harness.research import Company, research, resume
from harness.result import ResearchResult
from modules.manifest import ManifestStore
from modules.workspace import Workspace
from traces.ledger import Ledger

TEXT = "Stocks that fell the most last week rebound"
EFFECTS: tuple[tuple[type, str], ...] = (
    (Ledger, "append"),
    (SqliteSaver, "put"),
    (SqliteSaver, "put_writes"),
    (ManifestStore, "save"),
    (Repository, "commit_files"),
)


@dataclass
class Moments:
    """Counts the moments, and kills the process at one of them."""

    kill_at: int | None
    seen: int = 0

    def pass_one(self) -> None:
        if self.seen == self.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        self.seen += 1

    def watch(self, owner: type, name: str) -> None:
        original: Callable[..., Any] = getattr(owner, name)

        def watched(*args: Any, **options: Any) -> Any:
            self.pass_one()
            done = original(*args, **options)
            self.pass_one()
            return done

        setattr(owner, name, watched)


def once(workspace: Workspace, kill_at: int | None, *, again: bool) -> tuple[ResearchResult, int]:
    """The research, or its resumption; and how many moments it had."""
    moments = Moments(kill_at)
    for owner, name in EFFECTS:
        moments.watch(owner, name)
    with Ledger(workspace.ledger, workspace.checkpoints) as ledger:

        def emit(event: Any) -> None:
            ledger.append(event)

        if again:
            result = resume("last", Company(workspace, emit))
        else:
            result = research(TEXT, workspace=workspace, emit=emit, data="planted", k=2)
    return result, moments.seen


def in_a_process(workspace: Workspace, kill_at: int | None, *, again: bool = False) -> dict[str, Any] | None:
    """What `once` gives, from a process of its own; None where that was killed."""
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "answer.json"  # no pipe: what a killed process had begun may hold its end open
        child = os.fork()
        if child == 0:
            code = 1
            try:
                result, moments = once(workspace, kill_at, again=again)
                answer.write_text(json.dumps({"result": result.model_dump(mode="json"), "moments": moments}))
                code = 0
            except BaseException:  # noqa: BLE001 - the parent is told, and this process ends here
                traceback.print_exc()
            finally:
                os._exit(code)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            return None
        assert os.waitstatus_to_exitcode(status) == 0, "the research failed; see its traceback above"
        return dict(json.loads(answer.read_text()))


def main() -> None:
    """One line of JSON for each moment named: what the resumed research says, and the ledger it left."""
    import shutil

    from modules.datastore import DataStore
    from modules.ingest.adding import add_files
    from tests.harness.planted import small_checkout

    folder, wanted = Path(sys.argv[1]), sys.argv[2]
    csv = folder / "planted.csv"

    def fresh(name: str) -> Workspace:
        root = small_checkout(folder / name / "checkout")
        return Workspace(root=root, home=folder / name / "home")

    def prepare(workspace: Workspace) -> None:
        child = os.fork()
        if child == 0:
            add_files(DataStore(workspace.data), "planted", [csv])
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0

    whole = fresh("whole")
    prepare(whole)
    base = in_a_process(whole, None)
    assert base is not None
    print(json.dumps({"moment": None, "of": base["moments"], "home": str(whole.home), **base}), flush=True)
    every = range(base["moments"])
    for moment in every if wanted == "all" else [m for m in map(int, wanted.split(",")) if m in every]:
        workspace = fresh(f"m{moment}")
        prepare(workspace)
        assert in_a_process(workspace, moment) is None, f"nothing was killed at moment {moment}"
        again = in_a_process(workspace, None, again=True)
        assert again is not None
        print(
            json.dumps({"moment": moment, "home": str(workspace.home), "root": str(workspace.root), **again}),
            flush=True,
        )
        shutil.rmtree(workspace.root / "modules")  # large, and no longer needed; the git objects stay


if __name__ == "__main__":
    main()
