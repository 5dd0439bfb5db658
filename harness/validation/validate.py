"""Validate a run: reproduce it, run its controls and neighbours, read the ledger, judge."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import polars as pl

from harness.validation import controls
from harness.validation.checks import run_checks, trial_spread
from harness.validation.controls import Bench, net_returns
from harness.validation.evidence import Evidence, Family, Kind
from harness.validation.regimes import market_returns
from harness.validation.report import Trials, ValidationReport
from harness.validation.trials import TrialLedger, Tried, trials_on, variant_trial_id
from harness.validation.variants import neighbours
from modules.artifacts import ArtifactError, ArtifactStore
from modules.contract import ContractError
from modules.datastore import DataStore
from modules.engine.accounting import EngineError
from modules.engine.evidence import SIGNAL_LAG_BARS, fill_to_fill_returns
from modules.engine.market import fill_prices
from modules.engine.metrics import bars_per_year, sharpe
from modules.manifest import Manifest, RunError
from modules.panel import FloatArray, IntArray, Panel, iso
from modules.pipeline import Emit
from modules.replay import recorded_modules
from modules.signal import SignalError
from modules.sources import source_of
from traces.events import Envelope, TrialRecorded

DRAWS = 2_000
QUICK_DRAWS = 200
MOST_SERIES = 256
EMBARGO_SHARE = 0.01


@dataclass(frozen=True)
class Desk:
    """What a validation reads and writes. `records` gives the ledger from its beginning each time it is called."""

    data: DataStore
    store: ArtifactStore
    emit: Emit
    records: Callable[[], Iterable[Envelope]]


def validate(manifest: Manifest, desk: Desk, *, seed: int | None = None, quick: bool = False) -> ValidationReport:
    """The report of one run. `seed` None = the task's own.

    Variants of the run are looked at, so each counts as a trial, once for its outputs; controls do not. Raises RunError
    where the run did not reach `execute` or today's code gives other bits, ArtifactError where an artifact is lost.
    """
    bench = _bench(manifest, desk)
    neighbourhood, notes = _neighbourhood(manifest, bench, desk)
    ledger = trials_on(desk.records(), manifest.task.data, manifest.task.data_digest)
    evidence, trials, more = _evidence(manifest, bench, ledger, neighbourhood)
    seed = manifest.task.seed if seed is None else seed
    draws = QUICK_DRAWS if quick else DRAWS
    chain = run_checks(evidence, seed, draws)
    feature = manifest.stage("feature")
    return ValidationReport(
        run_id=manifest.run_id,
        run_digest=manifest.digest,
        task_digest=manifest.task_digest,
        data=manifest.task.data,
        data_digest=manifest.task.data_digest,
        signal=str(manifest.task.signal or feature.settings.get("expr") or f"feature/{feature.module}"),
        seed=seed,
        draws=draws,
        quick=quick,
        first=iso(int(evidence.ts[0])),
        last=iso(int(evidence.ts[-1])),
        bars=int(evidence.ts.size),
        bars_per_year=evidence.per_year,
        block_bars=chain.block,
        net_sharpe=sharpe(evidence.net, evidence.per_year),
        trials=trials,
        checks=tuple(chain.checks),
        tables=chain.tables,
        notes=(*notes, *more),
    )


def _bench(manifest: Manifest, desk: Desk) -> Bench:
    """The run once more, mostly from the cache; its controls are worth nothing if it is not the same run."""
    manifest.stage("execute")
    raw = source_of(desk.data, manifest.task)
    bench = Bench(manifest.task, recorded_modules(manifest), raw, desk.store, desk.emit)
    again = bench.run({})
    if again.digest != manifest.digest:
        raise RunError(
            f"run {manifest.run_id} gives other bits with today's code ({again.digest[:12]}, recorded "
            f"{manifest.digest[:12]}); `cws replay {manifest.run_id}` shows where; run it again and validate that"
        )
    return bench


def _neighbourhood(manifest: Manifest, bench: Bench, desk: Desk) -> tuple[list[tuple[str, Manifest]], tuple[str, ...]]:
    """Every variant that runs, each recorded as the trial it is; and what was refused."""
    found: list[tuple[str, Manifest]] = []
    notes: list[str] = []
    known = {r.event.trial_id for r in desk.records() if isinstance(r.event, TrialRecorded)}
    for variant in neighbours(bench.modules):
        try:
            made = bench.run(variant.modules, variant.signal)
        except (ContractError, EngineError, SignalError) as error:
            notes.append(f"variant {variant.subject} was refused: {str(error).splitlines()[0][:160]}")
            continue
        if made.digest == manifest.digest:
            continue
        trial = TrialRecorded(
            trial_id=variant_trial_id(made.digest),
            family="backtest",
            subject=variant.subject,
            data_digest=manifest.task.data_digest,
        )
        if trial.trial_id not in known:
            known.add(trial.trial_id)
            bench.emit(trial)
        found.append((variant.subject, made))
    return found, tuple(notes)


def _evidence(
    manifest: Manifest, bench: Bench, ledger: TrialLedger, neighbourhood: list[tuple[str, Manifest]]
) -> tuple[Evidence, Trials, tuple[str, ...]]:
    bars, weights = _panel(bench.store, manifest, "bars"), _panel(bench.store, manifest, "weights")
    ts, net = _account(bench.store, manifest.output("nav"))
    start = bars.ts.size - ts.size
    held = np.zeros((ts.size, len(bars.symbols)))
    held[:, [bars.symbols.index(s) for s in weights.symbols]] = weights["weight"][weights.ts.size - ts.size :]
    settings = bench.modules["execute"].settings.model_dump()
    earned = fill_to_fill_returns(fill_prices(bars, settings["fill_without_open"]))
    family, left_out = _family(manifest, bench.store, ledger, neighbourhood, ts, net)
    sharpes = tuple(t.sharpe for t in ledger.runs if t.sharpe is not None)
    accounts, capacity_words = controls.capacity(bench)
    evidence = Evidence(
        ts=ts,
        per_year=bars_per_year(ts),
        net=net,
        fills=int(manifest.metrics.get("fills", 0.0)),
        weights=np.ascontiguousarray(held[:-SIGNAL_LAG_BARS]),
        ahead=np.ascontiguousarray(earned[start + SIGNAL_LAG_BARS :]),
        market=market_returns(bars),
        family=family,
        trials=max(1, ledger.count),
        trial_sharpes=sharpes,
        stressed=controls.stressed(bench),
        late=controls.late(bench),
        capacity=accounts,
        capacity_words=capacity_words,
        purge_bars=SIGNAL_LAG_BARS,
        embargo_bars=max(int(manifest.metrics.get("warmup_bars", 0.0)), int(np.ceil(EMBARGO_SHARE * ts.size))),
        capital_usd=float(settings["capital_usd"]),
    )
    trials = Trials(
        count=evidence.trials,
        with_sharpe=len(sharpes),
        spread=trial_spread(evidence) * evidence.per_year**0.5,
        in_family=sum(kind == "trial" for kind in family.kinds),
        left_out=left_out,
    )
    notes = () if ledger.count else ("the ledger holds no trial on this data; this run is counted as the first",)
    return evidence, trials, notes


def _family(
    manifest: Manifest,
    store: ArtifactStore,
    ledger: TrialLedger,
    neighbourhood: list[tuple[str, Manifest]],
    ts: IntArray,
    net: FloatArray,
) -> tuple[Family, int]:
    """The run, its variants, and the newest recorded tries with a series on the same bars; how many have none."""
    kinds: list[Kind] = ["own"]
    subjects = [_subject(manifest)]
    columns = [net]
    seen = {manifest.output("nav")}
    for subject, made in neighbourhood:
        if made.output("nav") not in seen:
            seen.add(made.output("nav"))
            kinds.append("variant")
            subjects.append(subject)
            columns.append(net_returns(store, made.output("nav")))
    left_out = 0
    tried = [t for t in ledger.runs if t.nav not in seen]
    for t in tried[-MOST_SERIES:]:
        series = _on(store, t, ts)
        if series is None:
            left_out += 1
        elif t.nav not in seen:
            seen.add(t.nav)
            kinds.append("trial")
            subjects.append(t.subject)
            columns.append(series)
    left_out += max(0, len(tried) - MOST_SERIES)
    return Family(tuple(kinds), tuple(subjects), np.ascontiguousarray(np.stack(columns, axis=1))), left_out


def _on(store: ArtifactStore, tried: Tried, ts: IntArray) -> FloatArray | None:
    """The returns of a try on exactly these bars; None where its account does not cover them or is lost."""
    try:
        when, net = _account(store, tried.nav)
    except ArtifactError:
        return None
    first = int(np.searchsorted(when, ts[0]))
    covered = when[first : first + ts.size]
    if not np.array_equal(covered, ts) or not bool(np.isfinite(net[first : first + ts.size]).all()):
        return None
    return net[first : first + ts.size]


def _subject(manifest: Manifest) -> str:
    feature = manifest.stage("feature")
    return str(manifest.task.signal or feature.settings.get("expr") or f"feature/{feature.module}")


def _account(store: ArtifactStore, digest: str) -> tuple[IntArray, FloatArray]:
    table = store.get(digest)
    assert isinstance(table, pl.DataFrame), "nav must be a table"
    times = table.get_column("event_time").dt.epoch("ns").to_numpy().astype(np.int64)
    return times, np.ascontiguousarray(table.get_column("net_return").to_numpy(), dtype=np.float64)


def _panel(store: ArtifactStore, manifest: Manifest, name: str) -> Panel:
    found = store.get(manifest.output(name))
    assert isinstance(found, Panel), f"{name} must be a panel"
    return found
