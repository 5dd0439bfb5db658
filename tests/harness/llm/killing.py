"""A model's answers in processes that are killed before or after each write of tape and ledger.

    python -m tests.harness.llm.killing FOLDER STEP

prints a line of JSON for each STEP-th moment: what the process that went on found. It imports once and forks two
processes a moment, before any kernel has threads.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.drafters.model.drafter import ModelDrafter
from harness.drafters.opening import vouched
from harness.llm.choice import Opened
from harness.llm.port import Reply, Request
from harness.llm.recorder import Recorded, reconcile, settle_price
from harness.llm.tape import Tape, tape_path
from tests.harness.llm.answers import FREE, TEXT, calls, candidates, reading
from traces.events import ExchangeRecorded
from traces.ledger import Ledger
from traces.reader import read

RESEARCH = "research-1"
FIELDS = frozenset({"close", "volume"})


class Answering:
    """A model that answers by what it is asked, and keeps count in a file that survives the process."""

    name = FREE.name

    def __init__(self, count: Path) -> None:
        self.count = count

    def complete(self, request: Request) -> Reply:
        with self.count.open("a") as file:
            file.write(request.label + "\n")
        if request.label.startswith("specify"):
            return reading()
        if request.messages[-1].role == "tool":
            return candidates("rank(-returns(close, 5))", "rank(open)")
        if len(request.messages) > 3:
            return candidates("rank(-returns(close, 5))", "rank(-delta(close, 5) / ts_std(close, 20))")
        return calls("read_skill", '{"name": "momentum"}')


def watched(kill_at: int | None) -> Callable[[], int]:
    """Kill the process at one of its moments; returns how many there were."""
    seen = [0]

    def moment() -> None:
        if seen[0] == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        seen[0] += 1

    for owner in (Tape, Ledger):
        name = "record" if owner is Tape else "append"
        original = getattr(owner, name)

        def around(*args: Any, original: Any = original, **options: Any) -> Any:
            moment()
            done = original(*args, **options)
            moment()
            return done

        setattr(owner, name, around)
    return lambda: seen[0]


def work(home: Path, kill_at: int | None) -> dict[str, object]:
    """Read and draft, on the tape of one research; go on where an earlier process was killed."""
    moments = watched(kill_at)
    with Ledger(home / "ledger", home / "checkpoints") as ledger:

        def emit(event: ExchangeRecorded) -> None:
            ledger.append(event)

        tape = Tape(tape_path(home, RESEARCH))
        reconcile(tape, RESEARCH, vouched(RESEARCH, home / "ledger"), emit)
        price = settle_price(tape, tape, RESEARCH, emit, FREE.name, lambda: FREE)
        model = Recorded(Answering(home / "asked.txt"), price, tape, RESEARCH, emit)
        drafter = ModelDrafter(Opened(model, price, None))
        claim = drafter.specify(TEXT, seed=0).reading
        assert claim is not None
        draft = drafter.draft(claim, fields=FIELDS, others=(), k=2, seed=0)
    events = [e.event for e in read(home / "ledger")]
    return {
        "draft": draft.model_dump(mode="json", exclude={"spent": {"seconds"}}),
        "asked": (home / "asked.txt").read_text().split(),
        "labels": [e.label for e in events if isinstance(e, ExchangeRecorded)],
        "moments": moments(),
    }


def forked(home: Path, kill_at: int | None) -> dict[str, object] | None:
    """`work` in a process of its own; None where it was killed."""
    home.mkdir(parents=True, exist_ok=True)
    out = home / "out.json"
    out.unlink(missing_ok=True)
    pid = os.fork()
    if pid == 0:
        try:
            out.write_text(json.dumps(work(home, kill_at)))
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    return json.loads(out.read_text()) if out.exists() else None


def main() -> None:
    """The moments, after one run that nobody kills."""
    folder = Path(sys.argv[1])
    whole = forked(folder / "whole", None)
    assert whole is not None
    print(json.dumps(whole))
    for kill_at in range(0, int(str(whole["moments"])), int(sys.argv[2])):
        home = folder / f"at-{kill_at}"
        first = forked(home, kill_at)
        found = forked(home, None) if first is None else None
        print(json.dumps({"kill_at": kill_at, "killed": first is None, "found": found}))


if __name__ == "__main__":
    main()
