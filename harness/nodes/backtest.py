"""backtest: the full pipeline with the best candidate, on the discovery half."""

from __future__ import annotations

import polars as pl

from harness.critique import falsified
from harness.cutoff import Around, Trained, around, keep_trained, series_of
from harness.desk import Desk
from harness.nodes.node import Backtested, refusal, specification
from harness.specification import Specification, reading_of
from harness.state import Chosen, ResearchState
from harness.writing import module_name
from modules.contract import ContractError
from modules.manifest import Manifest
from traces.events import TrialRecorded


def backtest(state: ResearchState, desk: Desk) -> Backtested:
    """One run under the id that was fixed before it began: where it is there already, it is not run again."""
    if state.critique is None or state.critique.best is None or state.run_id is None:
        raise ValueError(f"research {state.research_id} reached the backtest without a candidate and a run id")
    best = next(c for c in state.passed if c.expr == state.critique.best)
    desk.wait("backtest", best.expr)
    try:
        manifest, fresh = desk.run(best.expr, state.run_id)
    except ContractError as error:
        return Backtested(**refusal(state, desk, "pipeline_refused", f"the pipeline refused {best.expr}: {error}"))
    if fresh:  # a look at what was seen before is no new look
        desk.emit(
            TrialRecorded(
                trial_id=f"run-{manifest.run_id}", family="backtest", subject=best.expr, data_digest=desk.version.digest
            )
        )
    desk.say("backtest", f"run {manifest.run_id}: net Sharpe {manifest.metrics.get('net_sharpe', float('nan')):.2f}")
    spec = specification(state)
    chosen = Chosen(
        expr=best.expr,
        skill=best.skill,
        run_id=manifest.run_id,
        run_digest=manifest.digest,
        module=module_name(reading_of(spec), state.data),
    )
    ended = [
        falsified(f.figure, manifest.metrics[f.figure], f.at_most, best.expr).words
        for f in spec.falsified_by
        if f.figure in manifest.metrics and manifest.metrics[f.figure] <= f.at_most
    ]
    parts = _around(spec, manifest, desk)
    said = (parts.words,) if parts is not None else ()
    return Backtested(chosen=chosen, metrics=dict(manifest.metrics), around=parts, notes=(*state.notes, *ended, *said))


def _around(spec: Specification, manifest: Manifest, desk: Desk) -> Around | None:
    """The result on both sides of the cut-off of the model that had the idea; None where no model had it."""
    if spec.cutoff is None:
        return None
    nav, evidence = (desk.artifacts.get(manifest.output(name)) for name in ("nav", "evidence"))
    assert isinstance(nav, pl.DataFrame) and isinstance(evidence, pl.DataFrame), "both are tables by contract"
    trained = Trained(model=spec.drafter, cutoff=spec.cutoff)
    keep_trained(desk.workspace.runs, manifest, trained)
    return around(series_of(nav, "net_return"), series_of(evidence, "ic"), trained)
