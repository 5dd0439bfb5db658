"""The whole ablation on real data.

1. What truly helps ships on the evidence of one trial: a no-trade band and smoothing for fast reversal signals.
2. The same patches for momentum and low volatility do not.
3. Whoever peeks, levers, splits, breaks or rewrites gains nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from ablations.ablate import ablate, certificate_for
from ablations.arms import ArmsError, Job, in_force, run_arms
from ablations.compared import leak
from ablations.executors.local import LocalPool
from ablations.executors.port import Executor
from ablations.gate import Reason
from ablations.patch import Patch, TextChange, propose
from ablations.paths import PatchError
from ablations.record import AblationRecord, recompute
from ablations.suite import Suite, load_suite, suite_tasks
from ablations.trials import first_level
from modules.artifacts import ArtifactStore
from modules.contract import Violation
from modules.datastore import DataStore
from modules.pipeline import RawSource, execute
from modules.registry import load_module
from modules.size.rank_neutral import acceptance, run
from modules.task import load_modules, load_pipeline
from modules.workspace import CHECKOUT, Workspace
from traces.events import AblationFinished, AblationStarted, Event, TrialRecorded
from traces.ledger import Ledger

pytestmark = pytest.mark.slow

Ablate = Callable[..., AblationRecord]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return Workspace(CHECKOUT, tmp_path_factory.mktemp("truth"))


@pytest.fixture(scope="module")
def pool() -> Iterator[LocalPool]:
    with LocalPool(2) as workers:
        yield workers


@pytest.fixture(scope="module")
def trial(workspace: Workspace, pool: LocalPool) -> Ablate:
    """One ablation as the first trial of a fresh stream."""

    def once(suite: str | Suite, executor: Executor | None = pool, **changes: float) -> AblationRecord:
        judged = load_suite(suite) if isinstance(suite, str) else suite
        patch = propose(load_module("size", "rank_neutral"), changes)
        return ablate(patch, judged, workspace, lambda event: None, executor=executor, history=lambda: ())

    return once


def six(suite: str = "fast") -> Suite:
    full = load_suite(suite)
    return full.model_copy(update={"tasks": full.tasks[:6]})


@pytest.mark.parametrize(
    ("suite", "changes", "ships"),
    [
        ("fast", {"no_trade_band": 0.02}, True),
        ("fast", {"smoothing_bars": 5}, True),
        ("slow", {"no_trade_band": 0.02}, False),
        ("slow", {"smoothing_bars": 5}, False),
    ],
)
def test_what_ships(trial: Ablate, suite: str, changes: dict[str, float], ships: bool) -> None:
    record = trial(suite, **changes)
    assert record.level == first_level()
    assert record.verdict.ship == ships, record.verdict
    assert record.verdict.reason in ((None,) if ships else (Reason.NOT_SIGNIFICANT, Reason.NOT_BETTER))
    assert all(t.diverges.startswith("size/rank_neutral artifact weights") for t in record.tasks)
    assert recompute(record) == (record.verdict, [])


def test_no_worker_count_changes_a_bit(trial: Ablate) -> None:
    assert trial(six(), None, no_trade_band=0.02).digest == trial(six(), no_trade_band=0.02).digest


def test_identical_outputs_never_ship(trial: Ablate) -> None:
    """The weight cap binds first, so a lower gross leverage changes nothing."""
    record = trial(six(), gross_leverage=0.9)
    assert record.verdict.reason is Reason.NO_EFFECT
    assert record.floor is None


def test_leverage_is_no_improvement(trial: Ablate) -> None:
    assert trial(six(), gross_leverage=0.3).verdict.reason is Reason.NOT_BETTER


def test_a_patch_of_texts_alone_has_no_effect_on_a_run(workspace: Workspace) -> None:
    old = (CHECKOUT / "skills" / "momentum" / "SKILL.md").read_text()
    patch = Patch(module="skills", texts={"skills/momentum/SKILL.md": TextChange(old=old, new=old + "\nMore.\n")})
    record = ablate(patch, six(), workspace, lambda event: None, history=lambda: ())
    assert record.verdict.reason is Reason.NO_EFFECT


def test_without_a_certificate_nothing_ships(workspace: Workspace, pool: LocalPool, tmp_path: Path) -> None:
    patch = propose(load_module("size", "rank_neutral"), {"no_trade_band": 0.02})
    judged = load_suite("fast")
    record = ablate(
        patch, judged, workspace, lambda event: None, executor=pool, history=lambda: (), certificates=(tmp_path,)
    )
    assert record.verdict.reason is Reason.NO_CERTIFICATE
    assert certificate_for(judged, workspace, (tmp_path,)).state == "NONE"
    assert certificate_for(judged, workspace).state == "CURRENT"


# --- attacks ----------------------------------------------------------------------------------------


def test_peeking_gains_nothing(workspace: Workspace, pool: LocalPool) -> None:
    """The same patch again is the same trial with the same bits; a split one pays for every part."""
    module = load_module("size", "rank_neutral")
    events: list[Event] = []
    with Ledger(workspace.ledger, workspace.checkpoints) as ledger:

        def emit(event: Event) -> None:
            ledger.append(event)
            events.append(event)

        def submit(**changes: float) -> AblationRecord:
            return ablate(propose(module, changes), six("slow"), workspace, emit, executor=pool)

        first, again, part = submit(no_trade_band=0.02), submit(no_trade_band=0.02), submit(no_trade_band=0.021)
    assert (first.place, again.place, part.place) == (1, 1, 2)
    assert first.digest == again.digest
    assert first.level == again.level == first_level()
    assert part.level < first.level
    trials = [e.trial_id for e in events if isinstance(e, TrialRecorded)]
    assert trials == [first.ablation_id, part.ablation_id]
    assert (
        sum(isinstance(e, AblationStarted) for e in events) == sum(isinstance(e, AblationFinished) for e in events) == 3
    )


@pytest.mark.parametrize("value", [5.0, -1.0])
def test_what_is_out_of_bounds_runs_nothing(workspace: Workspace, value: float) -> None:
    events: list[Event] = []
    patch = propose(load_module("size", "rank_neutral"), {"no_trade_band": value})
    with pytest.raises(PatchError, match="out of bounds"):
        ablate(patch, six(), workspace, events.append, history=lambda: ())
    assert events == []


def test_a_module_that_gives_other_bits_voids_the_ablation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = Workspace(CHECKOUT, tmp_path)  # its own: the dice leave their bits in the cache
    patch = propose(load_module("size", "rank_neutral"), {"no_trade_band": 0.02})
    ablate(patch, six(), workspace, lambda event: None, history=lambda: ())
    honest, rng = run.run, np.random.default_rng(1)

    def dice(inputs: object, settings: object, context: object) -> object:
        out = honest(inputs, settings, context)  # type: ignore[arg-type]
        weights = out.weights["weight"] * (1.0 + 1e-12 * rng.random())
        return type(out)(weights=out.weights.with_fields(weight=weights), metrics=out.metrics)

    monkeypatch.setattr(run, "run", dice)
    record = ablate(patch, six(), workspace, lambda event: None, history=lambda: ())
    assert record.verdict.reason is Reason.NOT_REPRODUCED
    assert "size/rank_neutral artifact weights" in record.verdict.message


def test_modules_that_are_not_the_ones_judged_are_refused(workspace: Workspace) -> None:
    """A human merges another patch while an ablation runs: half of its tasks would be of other settings."""
    data = DataStore(workspace.data)
    version = data.current("us20")
    task = suite_tasks(six(), version, load_pipeline(CHECKOUT / "pipeline.yaml"))[0]
    modules = load_modules(task, version)
    patch = propose(modules["size"], {"no_trade_band": 0.02})
    earlier = in_force({**modules, "execute": modules["execute"].with_settings({"commission_bps": 9.0})})
    assert earlier != in_force(modules)
    with pytest.raises(ArmsError, match="t: settings or code of the pipeline changed"):
        run_arms(Job("t", task, patch, "nav.net_return", workspace.data, workspace.artifacts, in_force=earlier))


def test_an_arm_that_fails_acceptance_is_refused(trial: Ablate, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = acceptance.accept

    def strict(inputs: object, outputs: object, settings: object) -> list[Violation]:
        broken = settings.no_trade_band == 0.011  # type: ignore[attr-defined]
        return [Violation("weights", "made to fail", 1)] if broken else honest(inputs, outputs, settings)  # type: ignore[arg-type]

    monkeypatch.setattr(acceptance, "accept", strict)
    record = trial(six(), None, no_trade_band=0.011)
    assert record.verdict.reason is Reason.NOT_ACCEPTED
    assert "made to fail" in record.verdict.message
    assert recompute(record) == (record.verdict, [])


def test_changes_upstream_of_the_patch_are_a_leak(workspace: Workspace) -> None:
    version = DataStore(workspace.data).current("us20")
    task = suite_tasks(six(), version, load_pipeline(CHECKOUT / "pipeline.yaml"))[0]
    data = DataStore(workspace.data)
    raw = RawSource(version.digest, lambda: data.raw(version))
    modules = load_modules(task, version)
    store = ArtifactStore(workspace.artifacts)
    manifest = execute(task, modules, raw, store, lambda event: None, purpose="ablation")
    patch = propose(modules["size"], {"no_trade_band": 0.02})
    assert leak(manifest, manifest, patch, "t") == ""

    def with_stage(stage: str, **changes: object) -> object:
        stages = tuple(s.model_copy(update=changes) if s.stage == stage else s for s in manifest.stages)
        return manifest.model_copy(update={"stages": stages})

    rows = [
        ("feature", {"outputs": {"signal": "f" * 64}}, "feature/expression gives"),
        ("execute", {"settings_digest": "f" * 64}, "which the patch does not name"),
        ("execute", {"code_digest": "f" * 64}, "the code of execute"),
        ("execute", {"outputs": {"nav": "f" * 64}}, ""),
        ("size", {"settings_digest": "f" * 64}, ""),
    ]
    for stage, changes, words in rows:
        found = leak(manifest, with_stage(stage, **changes), patch, "t")  # type: ignore[arg-type]
        assert (words in found) if words else (found == ""), (stage, found)
