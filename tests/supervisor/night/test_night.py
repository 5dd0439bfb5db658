"""A night on real data: real suites, real gate, real git, a real ledger.

Invariants:
1. A night that dies after any event goes on from there: the same verdict, one trial, one payment a pull, one branch.
2. Everything is in the ledger: equal ledgers give the choice that is recorded there, again.
3. A second supervisor in the same workspace is refused while the first one works.
4. What one arm raises is recorded, and the night goes on. A spent budget begins nothing.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ablations.patch import Change, Patch
from modules.datastore import DataStore
from modules.registry import read_settings
from supervisor.alone import BusyError, alone
from supervisor.finding import Finding, Lever
from supervisor.mined import Mined
from supervisor.night.bandit import Arm, draw, tallies
from supervisor.night.memory import replay
from supervisor.night.night import nightly
from supervisor.night.page import write_page
from supervisor.night.plan import Plan
from supervisor.night.result import NightResult
from supervisor.proposers.port import Desk, Proposal
from tests.supervisor.conftest import SIZE, certify, git
from tests.supervisor.conftest import Desk as Checkout
from traces.events import AblationFinished, ArmPaid, ArmPulled, Event, NightFinished, NightStarted, TrialRecorded
from traces.reader import read
from traces.verify import verify

SUITE = "fast"


class Killed(BaseException):
    """As sudden as a signal: no handler of errors sees it."""


@dataclass(frozen=True)
class Costly:
    """A miner that always sees the same."""

    name: str = "costly"
    reads: frozenset[str] = frozenset({"run.finished"})
    turn: int = 1

    def mine(self, traces: Mined) -> list[Finding]:
        return [Finding(self.name, SIZE, "p", "s", 1.0, "u", 1, ("r",), (Lever("no_trade_band", "raise"),))]


@dataclass(frozen=True)
class Step:
    """A proposer of one candidate, which ships on this suite."""

    name: str = "rules"

    def propose(self, module: str, findings: Sequence[Finding], desk: Desk) -> Proposal | None:
        old = read_settings("size", "rank_neutral").model_dump()["no_trade_band"]
        return Proposal(
            module, tuple(findings), (Patch(module=SIZE, changes={"no_trade_band": Change(old=old, new=0.02)}),)
        )


@dataclass(frozen=True)
class Broken:
    """A proposer with a defect."""

    name: str = "search"

    def propose(self, module: str, findings: Sequence[Finding], desk: Desk) -> Proposal | None:
        raise RuntimeError("a defect")


@dataclass
class Fatal:
    """Appends, and dies once an event of `kind` is durable."""

    desk: Checkout
    kind: str = ""
    seen: list[str] = field(default_factory=list)

    def __call__(self, events: Sequence[Event]) -> None:
        self.desk.emit(*events)
        self.seen += [e.kind for e in events]
        if any(e.kind == self.kind for e in events):
            raise Killed(self.kind)


def one_night(desk: Checkout, *, dies_after: str = "", plan: Plan | None = None, **more: object) -> NightResult:
    fatal = Fatal(desk, dies_after)
    return nightly(
        desk.workspace,
        lambda event: fatal([event]),
        plan or Plan(seconds=900.0, ablations=1, seed=3, suite=SUITE, again=False),
        proposers=(Step(),),
        miners=(Costly(),),
        emit_all=fatal,
        **more,  # type: ignore[arg-type]
    )


def of(desk: Checkout, kind: type) -> list[Event]:
    return [e for e in desk.events() if isinstance(e, kind)]


@pytest.mark.slow
def test_1_2_a_night_that_dies_goes_on(desk: Checkout) -> None:
    desk.emit()
    points = ("night.started", "arm.pulled", "patch.proposed", "patch.screened", "ablation.started", "trial.recorded")
    DataStore(desk.workspace.data).current("us20")
    certify(desk.workspace.certificates, SUITE, DataStore(desk.workspace.data).current("us20").digest)
    for point in (*points, "ablation.finished", "review.opened", "arm.paid"):
        try:
            result = one_night(desk, dies_after=point)
        except Killed:
            continue
        assert point in ("trial.recorded", "patch.screened"), f"{point} was never written"
        break
    result = one_night(desk)
    assert result.resumed and result.reason == "ablations" and result.shipped == result.judged == 1
    [line] = result.verdicts
    assert line.verdict == "SHIP" and line.branch == f"supervisor/{line.ablation_id}"
    assert desk.repo.tip(line.branch) is not None
    assert len(of(desk, NightStarted)) == len(of(desk, NightFinished)) == len(of(desk, ArmPaid)) == 1
    [paid] = of(desk, ArmPaid)
    assert isinstance(paid, ArmPaid) and (paid.outcome, paid.ablation_id) == ("ship", line.ablation_id)
    assert paid.gain == line.delta and paid.seconds > 0.0
    tests = [e for e in of(desk, TrialRecorded) if isinstance(e, TrialRecorded) and e.family == "ablation"]
    assert len(tests) == 1 and len({e.ablation_id for e in desk.events() if isinstance(e, AblationFinished)}) == 1
    assert verify(desk.workspace.ledger, desk.workspace.checkpoints).ok
    git(desk.root, "fsck", "--strict")
    assert git(desk.root, "status", "--porcelain") == "" and not list((desk.root / ".git").rglob("*.lock"))
    _choices_follow_from_the_ledger(desk)
    page = write_page(desk.workspace, result)
    assert line.branch in page.read_text() and json.loads(page.with_suffix(".json").read_text())["shipped"] == 1
    assert write_page(desk.workspace, result).read_bytes() == page.read_bytes()


def _choices_follow_from_the_ledger(desk: Checkout) -> None:
    lines = list(read(desk.workspace.ledger))
    for at, line in enumerate(lines):
        if isinstance(line.event, ArmPulled):
            memory = replay(lines[:at])
            assert memory.tonight is not None
            night, arm = memory.tonight.started, Arm(line.event.module, line.event.proposer)
            again = draw([arm], tallies(memory.pulls, night.number), night.seed, night.number, line.event.pull)
            assert (again[0].arm, again[0].score) == (arm, line.event.score)


@pytest.mark.slow
def test_4_what_raises_is_recorded(desk: Checkout) -> None:
    plan = Plan(seconds=60.0, ablations=5, suite=SUITE, again=False)
    result = nightly(desk.workspace, desk.emit, plan, proposers=(Broken(),), miners=(Costly(),))
    assert [(p.outcome, p.note) for p in result.pulls] == [("failed", "RuntimeError: a defect")]
    assert result.reason == "nothing is left to try" and not result.verdicts
    second = nightly(desk.workspace, desk.emit, Plan(1e-3, suite=SUITE), proposers=(Broken(),), miners=(Costly(),))
    assert (second.number, second.reason, second.pulls) == (1, "time", ())


@pytest.mark.slow
def test_1_a_night_may_be_begun_anew(desk: Checkout) -> None:
    plan = Plan(1e-3, suite=SUITE)
    with pytest.raises(Killed):
        one_night(desk, dies_after="night.started", plan=plan)
    result = one_night(desk, plan=plan, anew=True)
    assert (result.number, result.resumed) == (1, False)
    assert [e.reason for e in of(desk, NightFinished) if isinstance(e, NightFinished)] == ["cut off", "time"]


def test_3_one_at_a_time(desk: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("supervisor.alone.WAIT_S", 0.15)
    with alone(desk.workspace):
        with pytest.raises(BusyError, match="another supervisor"), alone(desk.workspace):
            pass
        with pytest.raises(BusyError):
            one_night(desk)
    assert of(desk, NightStarted) == []
    with alone(desk.workspace):
        pass


def test_3_the_dead_hold_nothing(desk: Checkout, tmp_path: Path) -> None:
    code = (
        "import os,signal,sys;from pathlib import Path;from modules.workspace import Workspace;"
        "from supervisor.alone import alone;w=Workspace(Path(sys.argv[1]),Path(sys.argv[1]));"
        "c=alone(w);c.__enter__();os.kill(os.getpid(),signal.SIGKILL)"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[3])}
    command = [sys.executable, "-c", code, str(desk.workspace.home)]
    done = subprocess.run(command, check=False, env=environment, timeout=600)
    assert done.returncode == -9
    with alone(desk.workspace):
        pass
