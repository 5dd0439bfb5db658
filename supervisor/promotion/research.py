"""The figures before the lockbox: from a run's validation, its metrics, and the ledger as it stands now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from harness.validation.report import ValidationReport, Verdict
from harness.validation.sharpe import deflated_sharpe, moments
from harness.validation.store import ValidationStore
from harness.validation.trials import trials_on
from modules.artifacts import ArtifactStore
from modules.datastore import DataStore
from modules.dataversion import DataVersion
from modules.engine.metrics import deviation
from modules.lockbox import Standing, standing, strategy_of
from modules.manifest import Manifest, RunError
from modules.panel import FloatArray
from modules.promotion import PaperGate
from modules.workspace import Workspace
from supervisor.promotion.criteria import Finding
from traces.reader import read


@dataclass(frozen=True)
class Research:
    """What is known before the lockbox: figures by criterion, how its lockboxes stand, which validation said it."""

    findings: dict[str, Finding]
    standings: tuple[Standing, ...]
    validation: str | None


def research(workspace: Workspace, manifest: Manifest, gate: PaperGate) -> Research:
    """Figures of a finished run. What was not validated, or only quickly, has none."""
    findings = {"max_drawdown": _drawdown(manifest), "min_deflated_sharpe": _deflated(workspace, manifest)}
    validation = None
    try:
        report = ValidationStore(workspace.runs).load(manifest)
    except RunError as error:
        reason = str(error)
        findings |= {name: Finding(figure=None, words=reason) for name in _FROM_VALIDATION}
    else:
        validation = report.digest
        if report.quick:
            reason = f"the validation was a quick one; run `cws validate {manifest.run_id}`"
            findings |= {name: Finding(figure=None, words=reason) for name in _FROM_VALIDATION}
        else:
            findings |= _validated(report, gate)
    found = tuple(
        standing(workspace, version, strategy_of(manifest), manifest.digest)
        for version in versions_of(workspace, manifest)
    )
    findings["max_lockbox_exposed_share"] = _exposed(found)
    return Research(findings, found, validation)


def versions_of(workspace: Workspace, manifest: Manifest) -> tuple[DataVersion, ...]:
    """The sets that a run reads: bars, and facts where it has them."""
    data, task = DataStore(workspace.data), manifest.task
    bars = data.get(task.data, task.data_digest)
    if task.facts is None or task.facts_digest is None:
        return (bars,)
    return (bars, data.get(task.facts, task.facts_digest))


_FROM_VALIDATION = ("min_windows", "max_permutation_p", "min_sharpe_at_three_times_cost", "max_overfitting")


def _validated(report: ValidationReport, gate: PaperGate) -> dict[str, Finding]:
    return {
        "min_windows": _windows(report, gate.min_window_sharpe),
        "max_permutation_p": _worst(report, ("block_permutation", "phase_permutation")),
        "min_sharpe_at_three_times_cost": _worst(report, ("cost_stress",)),
        "max_overfitting": _overfitting(report),
    }


def _windows(report: ValidationReport, floor: float) -> Finding:
    """Windows in which both the run and what would have been chosen without hindsight reach the floor; the fewer of the
    expanding and the rolling walk."""
    counts = []
    for kind in ("expanding", "rolling"):
        windows = [w for w in report.tables.windows if w.kind == kind]
        if not windows:
            return Finding(figure=None, words=report.check(f"walk_forward_{kind}").words)
        low = [min(w.own, w.chosen) for w in windows if w.own is not None and w.chosen is not None]
        counts.append((sum(s >= floor for s in low), len(windows)))
    good, total = min(counts)
    return Finding(figure=float(good), words=f"of {total} windows have a Sharpe of {floor:g} out of sample")


def _overfitting(report: ValidationReport) -> Finding:
    """The probability of backtest overfitting asks whether the best of the family falls into the lower half outside.
    Of a plateau, whose members are alike, that is a coin's toss; where the validation finds one, what counts is how
    often the best in sample loses outside (Bailey, Borwein, Lopez de Prado and Zhu 2017, section 4)."""
    check = report.check("backtest_overfitting")
    limit = check.limit
    if check.verdict is Verdict.PASSED and None not in (check.figure, limit) and check.figure > limit:  # type: ignore[operator]
        return _worst(report, ("probability_of_loss",))
    return _worst(report, ("backtest_overfitting",))


def _worst(report: ValidationReport, names: Sequence[str]) -> Finding:
    checks = [report.check(name) for name in names]
    figures = [c.figure for c in checks]
    known = [f for f in figures if f is not None]
    if len(known) < len(figures):
        return Finding(figure=None, words="; ".join(c.words for c in checks if c.figure is None))
    worst = max(range(len(known)), key=lambda i: known[i])
    return Finding(figure=known[worst], words=checks[worst].words)


def _drawdown(manifest: Manifest) -> Finding:
    figure = manifest.metrics.get("max_drawdown")
    return Finding(figure=figure, words="the deepest loss from a peak" if figure is not None else "the run has none")


def _deflated(workspace: Workspace, manifest: Manifest) -> Finding:
    """Deflated by the trials that the ledger holds now, not by those at the time of the validation."""
    found = moments(net_returns(ArtifactStore(workspace.artifacts), manifest))
    if found is None:
        return Finding(figure=None, words="the account never moved")
    task = manifest.task
    ledger = trials_on(read(workspace.ledger), task.data, task.data_digest)
    luck = 1.0 / max(1, found.bars - 1) ** 0.5
    ratios = [t.sharpe for t in ledger.runs if t.sharpe is not None]
    spread = max(luck, deviation(pl.Series(ratios, dtype=pl.Float64).to_numpy())) if len(ratios) > 1 else luck
    value = deflated_sharpe(found, ledger.count, spread)
    words = f"after {ledger.count} trials on this data"
    return Finding(figure=value if value == value else None, words=words)


def net_returns(store: ArtifactStore, manifest: Manifest) -> FloatArray:
    """`[T]` returns after costs of a finished run."""
    nav = store.get(manifest.output("nav"))
    assert isinstance(nav, pl.DataFrame), "nav is a table"
    values: FloatArray = nav.get_column("net_return").to_numpy()
    return values


def _exposed(found: Sequence[Standing]) -> Finding:
    shares = [s.exposed_share for s in found]
    known = [s for s in shares if s is not None]
    if len(known) < len(shares):
        return Finding(
            figure=None, words="the set was registered before its rows were marked; register its files again"
        )
    by = sorted({name for s in found for name in s.exposed_by})
    return Finding(figure=max(known), words=f"lies open in {', '.join(by)}" if by else "no other set shows any of it")
