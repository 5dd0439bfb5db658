"""Promotion: what the gate asks, when the lockbox opens, what a decision leaves behind.

1. A figure that nobody measured never passes; a limit is met or it is not; loose gates are refused when they are read.
2. The lockbox opens only where everything else holds and a human said so; then once, and the event comes first.
3. A look leaves figures: no artifact, manifest, known stage or event with what lies there.
4. A promotion counts once a human merged its record; an edited record, another gate or a refusal counts for nothing.
5. Micro and scale need live figures, of which there are none: refused, never a pass.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from harness.repository import Identity, Repository
from harness.validation.limits import judge
from harness.validation.report import Trials, ValidationReport, Verdict, Window
from harness.validation.store import ValidationStore
from modules.artifacts import ArtifactStore
from modules.datastore import DataStore
from modules.ingest.adding import add_files
from modules.lockbox import LockboxSpentError, strategy_of
from modules.manifest import Manifest, ManifestStore
from modules.pipeline import execute
from modules.promotion import PaperGate, PromotionSpec
from modules.sources import source_of
from modules.task import load_modules, load_pipeline, make_task
from modules.workspace import Workspace
from supervisor.promotion.criteria import Answer, Finding, evaluate
from supervisor.promotion.decide import Assessment, Decision, PromotionError, assess, promote
from supervisor.promotion.record import PromotionRecordError, promoted_to, read_record
from supervisor.review import ReviewError, approve
from tests.harness.planted import git, reversal_panel, small_checkout, wide_csv
from traces.events import Event, LockboxOpened, PromotionDecided
from traces.ledger import Ledger
from traces.reader import read

ADA = Identity("Ada", "ada@example.org")
SIGNAL = "rank(-returns(delay(close, 1), 5))"
SPEC = PromotionSpec()

# --- 1 --------------------------------------------------------------------------------------------

ASKED = frozenset({"research", "lockbox"})


@pytest.mark.parametrize(
    ("name", "figure", "answer"),
    [
        ("min_windows", 3.0, Answer.HOLDS),
        ("min_windows", 2.0, Answer.FAILS),
        ("min_windows", None, Answer.NO_EVIDENCE),
        ("max_permutation_p", 0.05, Answer.HOLDS),
        ("max_permutation_p", 0.0501, Answer.FAILS),
        ("max_drawdown", 0.1999, Answer.HOLDS),
        ("max_drawdown", 0.2, Answer.FAILS),
        ("min_sharpe_at_three_times_cost", -0.01, Answer.FAILS),
        ("min_sharpe_at_three_times_cost", 0.0, Answer.HOLDS),
        ("min_deflated_sharpe", 0.94, Answer.FAILS),
        ("max_overfitting", None, Answer.NO_EVIDENCE),
        ("min_lockbox_sharpe", 0.3, Answer.HOLDS),
        ("max_lockbox_drawdown", 0.2, Answer.FAILS),
        ("max_lockbox_exposed_share", 0.11, Answer.FAILS),
    ],
)  # fmt: skip
def test_1_each_criterion(name: str, figure: float | None, answer: Answer) -> None:
    found = {c.name: c for c in evaluate(SPEC.paper, {name: Finding(figure=figure)}, ASKED)}
    assert found[name].answer is answer
    others = {c.answer for c in found.values() if c.name != name}
    assert others == {Answer.NO_EVIDENCE}


def test_1_the_lockbox_is_not_asked_before() -> None:
    found = evaluate(SPEC.paper, {"min_lockbox_sharpe": Finding(figure=9.0)}, frozenset({"research"}))
    assert {c.name for c in found if c.answer is Answer.NOT_ASKED} == {
        "min_lockbox_sharpe", "min_lockbox_probability", "max_lockbox_drawdown",
    }  # fmt: skip


@pytest.mark.parametrize(
    "gate",
    [
        {"min_windows": 2}, {"max_permutation_p": 0.2}, {"max_drawdown": 0.6}, {"min_deflated_sharpe": 0.4},
        {"min_lockbox_sharpe": -1.0}, {"max_drawdown": float("nan")}, {"min_window": 3},
        {"min_lockbox_probability": 1.0},
    ],
    ids=str,
)  # fmt: skip
def test_1_a_gate_that_is_none_is_refused(gate: dict[str, float], tmp_path: Path) -> None:
    with pytest.raises(ValidationError):
        PaperGate.model_validate(gate)


def test_1_the_gates_in_force_are_those_written_down() -> None:
    spec = load_pipeline(Path(__file__).resolve().parents[2] / "pipeline.yaml")
    assert spec.promotion == PromotionSpec()


# --- a run that deserves it -------------------------------------------------------------------------


@dataclasses.dataclass
class Bench:
    """A checkout with git, a workspace with its ledger, and one run on planted data."""

    workspace: Workspace
    ledger: Ledger
    manifest: Manifest

    def emit(self, event: Event) -> None:
        self.ledger.append(event)

    @property
    def events(self) -> list[Event]:
        return [e.event for e in read(self.workspace.ledger, self.workspace.checkpoints)]

    def promote(self, manifest: Manifest | None = None, human: Identity | None = ADA, to: str = "paper") -> Decision:
        return promote(
            self.workspace, manifest or self.manifest, to, SPEC, ADA, self.emit, lambda found: human  # type: ignore[arg-type]
        )  # fmt: skip

    def run(self, signal: str) -> Manifest:
        data = DataStore(self.workspace.data)
        version = data.current("planted")
        task = make_task(load_pipeline(self.workspace.root / "pipeline.yaml"), version, signal=signal)
        store = ArtifactStore(self.workspace.artifacts)
        manifest = execute(task, load_modules(task, version), source_of(data, task), store, self.emit)
        ManifestStore(self.workspace.runs).save(manifest)
        return manifest


def report_of(manifest: Manifest, *, quick: bool = False, **figures: float) -> ValidationReport:
    """What a validation of this run may have said: every figure passes but those given."""
    good = {
        "walk_forward_expanding": 5.0, "walk_forward_rolling": 5.0, "block_permutation": 0.001,
        "phase_permutation": 0.002, "cost_stress": 0.8, "backtest_overfitting": 0.05,
    } | figures  # fmt: skip
    windows = tuple(
        Window(
            kind=kind, first="2006", last="2007", train_bars=252, test_bars=63, own=1.0, chosen=1.0, chosen_before=1.0,
            subject=SIGNAL,
        )
        for kind in ("expanding", "rolling")
        for _ in range(int(good[f"walk_forward_{kind}"]))
    )  # fmt: skip
    base = ValidationReport.model_construct()
    return base.model_validate(
        {
            "run_id": manifest.run_id, "run_digest": manifest.digest, "task_digest": manifest.task_digest,
            "data": "planted", "data_digest": manifest.task.data_digest, "signal": SIGNAL, "seed": 0, "draws": 2000,
            "quick": quick, "first": "2005", "last": "2008", "bars": 900, "bars_per_year": 365.0, "block_bars": 5,
            "net_sharpe": 2.0, "checks": [judge(name, value, name) for name, value in good.items()],
            "trials": Trials(count=1, with_sharpe=1, spread=0.1, in_family=1, left_out=0),
            "tables": {"windows": windows},
        }
    )  # fmt: skip


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("promotion")
    root = small_checkout(folder / "checkout")
    (root / ".gitignore").write_text("__pycache__/\n.cws/\n")
    workspace = Workspace(root=root, home=folder / "home")
    add_files(
        DataStore(workspace.data), "planted", [wide_csv(reversal_panel(1_400, strength=0.5), folder / "planted.csv")]
    )
    with Ledger(workspace.ledger, workspace.checkpoints) as ledger:
        made = Bench(workspace, ledger, None)  # type: ignore[arg-type]
        made.manifest = made.run(SIGNAL)
        yield made


def validated(bench: Bench, manifest: Manifest | None = None, **figures: float) -> None:
    ValidationStore(bench.workspace.runs).save(report_of(manifest or bench.manifest, **figures))


# --- 2, 3, 5 ----------------------------------------------------------------------------------------


def answers(found: Assessment) -> dict[str, Answer]:
    return {c.name: c.answer for c in found.criteria}


def test_2_what_was_not_validated_is_refused_unopened(bench: Bench) -> None:
    ValidationStore(bench.workspace.runs).path(bench.manifest.run_id).unlink(missing_ok=True)
    done = bench.promote(human=ADA)
    assert done.record is not None and not done.promoted and done.branch is None and done.record.lockbox is None
    assert answers(done.assessment)["min_windows"] is Answer.NO_EVIDENCE
    assert not any(isinstance(e, LockboxOpened) for e in bench.events)
    decided = bench.events[-1]
    assert isinstance(decided, PromotionDecided) and (decided.decision, decided.opened) == ("REFUSE", False)


@pytest.mark.parametrize(
    ("figures", "failing"),
    [
        ({"block_permutation": 0.2}, "max_permutation_p"),
        ({"phase_permutation": 0.2}, "max_permutation_p"),
        ({"walk_forward_rolling": 2.0}, "min_windows"),
        ({"cost_stress": -0.1}, "min_sharpe_at_three_times_cost"),
        ({"backtest_overfitting": 0.4}, "max_overfitting"),
    ],
)
def test_2_one_criterion_that_fails_keeps_it_shut(figures: dict[str, float], failing: str, bench: Bench) -> None:
    validated(bench, **figures)
    done = bench.promote()
    assert not done.promoted and answers(done.assessment)[failing] is Answer.FAILS
    assert not any(isinstance(e, LockboxOpened) for e in bench.events)


def test_2_of_a_plateau_counts_how_often_it_loses(bench: Bench) -> None:
    """Members that are alike change places at random: that alone is no overfitting, a loss outside is."""
    report = report_of(bench.manifest)
    for loss, answer in ((0.01, Answer.HOLDS), (0.4, Answer.FAILS)):
        alike = judge("backtest_overfitting", 0.49, "alike").model_copy(update={"verdict": Verdict.PASSED})
        kept = [c for c in report.checks if c.name != "backtest_overfitting"]
        checks = (*kept, alike, judge("probability_of_loss", loss, "outside"))
        ValidationStore(bench.workspace.runs).save(report.model_copy(update={"checks": checks}))
        assert answers(assess(bench.workspace, bench.manifest, "paper", SPEC))["max_overfitting"] is answer


def test_2_a_quick_validation_is_no_evidence(bench: Bench) -> None:
    ValidationStore(bench.workspace.runs).save(report_of(bench.manifest, quick=True))
    found = assess(bench.workspace, bench.manifest, "paper", SPEC)
    assert answers(found)["max_permutation_p"] is Answer.NO_EVIDENCE and not found.ready


def test_2_without_a_human_nothing_is_decided(bench: Bench) -> None:
    validated(bench)
    before = len(bench.events)
    done = bench.promote(human=None)
    assert done.assessment.ready and done.record is None and not done.promoted
    assert not any(isinstance(e, LockboxOpened | PromotionDecided) for e in bench.events[before:])


def test_2_a_run_that_does_not_reproduce_opens_nothing(bench: Bench) -> None:
    validated(bench)
    stages = tuple(
        s.model_copy(update={"outputs": dict.fromkeys(s.outputs, "0" * 64), "digest": s.digest})
        if s.stage == "size"
        else s
        for s in bench.manifest.stages
    )
    with pytest.raises(PromotionError, match="does not reproduce"):
        bench.promote(bench.manifest.model_copy(update={"stages": stages}))
    assert not any(isinstance(e, LockboxOpened) for e in bench.events)


@pytest.mark.parametrize("to", ["micro", "scale"])
def test_5_no_live_figures_no_promotion(to: str, bench: Bench) -> None:
    done = bench.promote(to=to)
    assert done.record is not None and not done.promoted
    assert {c.answer for c in done.record.criteria} == {Answer.NO_EVIDENCE}


def test_2_3_4_the_whole_way(bench: Bench) -> None:
    """One run to paper: opened once, nothing of the rows left behind, merged by a human, spent afterwards."""
    validated(bench)
    home = bench.workspace.home
    before = {p for p in home.rglob("*") if p.is_file()}
    seen = len(bench.events)
    done = bench.promote()
    record = done.record
    assert record is not None and record.lockbox is not None
    assert done.promoted, [c for c in record.criteria if c.answer is not Answer.HOLDS]
    kinds = [e.kind for e in bench.events[seen:]]
    assert kinds.count("lockbox.opened") == 1 and kinds[-3:] == ["lockbox.opened", "promotion.decided", "review.opened"]
    # 3: replaying the open run may renew what was known; the look itself adds no file.
    assert {p for p in home.rglob("*") if p.is_file()} - before <= {home / "data" / ".opening.lock"}
    assert record.lockbox.bars == pytest.approx(280, abs=2)

    # 4
    repo, strategy = Repository(bench.workspace.root), record.strategy
    assert done.branch is not None and promoted_to(repo, strategy, SPEC) == "research"
    assert promoted_to(repo, strategy, SPEC, done.branch) == "paper"
    approval = approve(bench.workspace, done.branch, bench.emit, by=str(ADA))
    assert approval.trailers["Promotion-Id"] == record.promotion_id
    assert promoted_to(repo, strategy, SPEC) == "paper"
    assert promoted_to(repo, "another", SPEC) == "research"
    stricter = PromotionSpec(paper=PaperGate(min_lockbox_sharpe=0.4))
    assert promoted_to(repo, strategy, stricter) == "research"

    # 2: the same idea has had its look, written otherwise too, and refusals say by whom.
    with pytest.raises(LockboxSpentError, match="by Ada"):
        bench.promote()
    again = bench.run("rank(-1 * returns(delay(close, 1), 5))")
    if strategy_of(again) == strategy:
        validated(bench, again)
        with pytest.raises(LockboxSpentError):
            bench.promote(again)
    other = bench.run("rank(-returns(delay(close, 1), 6))")
    assert assess(bench.workspace, other, "paper", SPEC).standings[0].earlier == 1


def test_4_an_edited_record_is_none(bench: Bench) -> None:
    validated(bench)
    refused = bench.promote(to="micro").record
    assert refused is not None
    with pytest.raises(PromotionRecordError, match="whose name is"):
        read_record(refused.text.replace(b'"REFUSE"', b'"PROMOTE"'), refused.path)
    edited = refused.model_copy(update={"decision": "PROMOTE"})
    with pytest.raises(PromotionRecordError, match="its criteria do not"):
        read_record(edited.text, edited.path)
    branch = f"promotion/{edited.promotion_id}"
    Repository(bench.workspace.root).commit_files(branch, {edited.path: edited.text}, "Promote by hand")
    with pytest.raises(ReviewError, match="NOT_TRACED"):
        approve(bench.workspace, branch, bench.emit, by=str(ADA))
    git(bench.workspace.root, "branch", "-D", branch)
