"""Where the vector result and the recorded account of a run part: by cause, in NAV and Sharpe, and at which bar."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import polars as pl

from harness.vector.account import VectorAccount, VectorTerms, vector_nav
from harness.vector.frictionless import FRICTIONLESS, TOLERANCE, Traded, closes_only, free, frictionless, simulate_fine
from harness.vector.ladder import TIMING, Material, climb, opens_and_closes
from harness.vector.parting import Parting, first_parting, first_row_apart
from harness.vector.sizing import Shaped, plain_targets
from modules.canonical import Artifact
from modules.contract import Context, Module, Stage
from modules.engine import metrics as m
from modules.engine.settings import TradingSettings
from modules.manifest import Manifest, RunError
from modules.panel import FloatArray, IntArray, Panel

_GRID: Final = 2.0**-20
"""Levels stand on a grid of a millionth (of a basis point, of a unit of Sharpe), so that parts add up exactly."""

BPS: Final = 1e4
NO_FRICTION: Final = "all frictions off, fills at the decision's close"


class Artifacts(Protocol):
    """Where artifacts are read from; the artifact store is one."""

    def get(self, digest: str, /) -> Artifact:
        """The artifact of that digest, verified."""
        ...


@dataclass(frozen=True)
class Level:
    """An account: compound growth in basis points a year, Sharpe (None where it has none), last NAV over first."""

    annual_bps: float
    sharpe: float | None
    nav: float


@dataclass(frozen=True)
class Part:
    """What one cause changes: the account after it, and its share of the whole difference."""

    cause: str
    about: str
    after: Level
    annual_bps: float
    sharpe: float | None
    first: Parting | None


@dataclass(frozen=True)
class Check:
    """Two accounts of the same, by vectorbt and by the engine: their largest relative difference in NAV."""

    name: str
    difference: float
    holds: bool


@dataclass(frozen=True)
class Gap:
    """The whole difference between the vector result and the recorded account, and its parts in order."""

    run_id: str
    bars: int
    vector: Level
    recorded: Level
    annual_bps: float
    sharpe: float | None
    parts: tuple[Part, ...]
    checks: tuple[Check, ...]
    notes: tuple[str, ...]


def run_gap(manifest: Manifest, store: Artifacts, modules: Mapping[Stage, Module]) -> Gap:
    """Decompose the difference for a finished run; `modules` are today's code with the run's settings.

    Raises RunError where the run did not reach `execute` or its account is of another kind, VectorError where vectorbt
    cannot keep the account, EngineError where the engine cannot.
    """
    settings = modules["execute"].settings
    if not isinstance(settings, TradingSettings):
        raise RunError(
            f"run {manifest.run_id} was executed by {modules['execute'].name}, whose account is no bar account"
        )
    panels = {name: _panel(store, manifest.output(name)) for name in ("bars", "weights")}
    instruments = _table(store, manifest.output("instruments"))
    material = Material(panels["bars"], panels["weights"], instruments, settings, manifest.task.start_ns)
    size = modules["size"]
    inputs = {name: store.get(digest) for name, digest in manifest.stage("size").inputs.items()}
    shaped = plain_targets(size, inputs, Context(manifest.task.seed, manifest.task.start_ns), material.weights)
    return decompose(manifest.run_id, material, _table(store, manifest.output("nav")), shaped)


@dataclass(frozen=True, eq=False)
class _Account:
    """What any account is judged by; `traded` where the engine kept it."""

    nav: FloatArray  # [T], first NAV = 1
    returns: FloatArray
    traded: Traded | None = None


def decompose(run_id: str, material: Material, recorded: pl.DataFrame, shaped: Sequence[Shaped] = ()) -> Gap:
    """As `run_gap`, from what the run traded and the NAV table that it recorded.

    `shaped` are targets before the steps of sizing that hold trades back, plainest first; the recorded ones follow.
    """
    ts = material.weights.ts
    targets = [*(s.weights for s in shaped), material.weights]
    accounts = [_of_vector(vector_at_close(material.bars, weights)) for weights in targets]
    causes = [(s.cause, s.about) for s in shaped]
    begun = frictionless(material.bars, material.weights, material.instruments, material.start_ns)
    causes.append(("accounting", "vectorbt's account in floats, the engine's in integers: none but rounding"))
    accounts.append(_of_engine(begun))
    for rung in climb(material):
        causes.append((rung.step.cause, rung.step.about))
        accounts.append(_of_engine(rung.traded))
    causes.append(("code", "the run's own figures less today's code on its inputs: 0 while it computes the same"))
    accounts.append(_of_table(recorded, accounts[-1].traded))
    per_year = m.bars_per_year(ts)
    levels = [_level(a, per_year) for a in accounts]
    parts = tuple(
        Part(
            cause=cause,
            about=about,
            after=levels[k + 1],
            annual_bps=levels[k + 1].annual_bps - levels[k].annual_bps,
            sharpe=_less(levels[k + 1].sharpe, levels[k].sharpe),
            first=_first(ts, accounts[k], accounts[k + 1]),
        )
        for k, (cause, about) in enumerate(causes)
    )
    same = len(shaped)
    checks = (_check(NO_FRICTION, accounts[same].nav, accounts[same + 1].nav), check_with_costs(material))
    return Gap(
        run_id=run_id,
        bars=int(ts.size),
        vector=levels[0],
        recorded=levels[-1],
        annual_bps=levels[-1].annual_bps - levels[0].annual_bps,
        sharpe=_less(levels[-1].sharpe, levels[0].sharpe),
        parts=parts,
        checks=checks,
        notes=_notes(checks, parts),
    )


def vector_at_close(bars: Panel, weights: Panel) -> VectorAccount:
    """vectorbt's account of `weights` with no cost, every order filled at the close at which it was decided."""
    return _vector(closes_only(bars), weights, VectorTerms(), "previous_close")


def check_with_costs(material: Material) -> Check:
    """vectorbt and the engine at the run's own fill prices, volume aside, with its spread and commission."""
    s = material.settings
    bars = opens_and_closes(material.bars)
    costs = {name: getattr(s, name) for name in ("half_spread_bps", "commission_bps")}
    settings = free(s, **{**FRICTIONLESS, **costs, "fill_without_open": s.fill_without_open})
    ours = simulate_fine(bars, material.weights, material.instruments, settings, material.start_ns)
    theirs = _vector(
        bars, material.weights, VectorTerms(fees=(s.half_spread_bps + s.commission_bps) / BPS), s.fill_without_open
    )
    return _check(f"{TIMING.cause}, spread and commission of the run, no other friction", theirs.nav, _nav(ours))


def _vector(bars: Panel, weights: Panel, terms: VectorTerms, without_open: str) -> VectorAccount:
    from modules.engine.bars import target_rows
    from modules.engine.market import fill_prices

    start = bars.ts.size - weights.ts.size
    fill = fill_prices(bars, without_open)  # type: ignore[arg-type]  # one of the settings' two words
    return vector_nav(bars.rows(start, bars.ts.size), target_rows(bars, weights, start), fill[start:], terms)


def _nav(traded: Traded) -> FloatArray:
    nav = traded.account.bars.nav
    made: FloatArray = nav.astype(np.float64) / float(nav[0])
    return made


def _of_vector(account: VectorAccount) -> _Account:
    return _Account(account.nav, account.returns())


def _of_engine(traded: Traded) -> _Account:
    return _Account(_nav(traded), traded.account.net_returns(), traded)


def _of_table(nav: pl.DataFrame, last: Traded | None) -> _Account:
    micros = nav.get_column("nav_micros").to_numpy().astype(np.float64)
    return _Account(micros / micros[0], nav.get_column("net_return").to_numpy().astype(np.float64), last)


def _level(account: _Account, per_year: float) -> Level:
    sharpe = m.sharpe(account.returns, per_year)
    return Level(
        annual_bps=_on_grid(m.annual_return(account.returns, per_year) * BPS),
        sharpe=_on_grid(sharpe) if math.isfinite(sharpe) else None,
        nav=float(account.nav[-1]),
    )


def _on_grid(value: float) -> float:
    return round(value / _GRID) * _GRID


def _less(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a - b


def _first(ts: IntArray, before: _Account, after: _Account) -> Parting | None:
    row = first_row_apart(before.nav, after.nav, TOLERANCE)
    return None if row is None else first_parting(ts, row, before.nav, after.nav, before.traded, after.traded)


def _check(name: str, theirs: FloatArray, ours: FloatArray) -> Check:
    difference = float(np.abs(ours / theirs - 1.0).max())
    return Check(name, difference, difference <= TOLERANCE)


def _notes(checks: Sequence[Check], parts: Sequence[Part]) -> tuple[str, ...]:
    found = [f"vectorbt and the engine part by {c.difference:.2g} of NAV: {c.name}" for c in checks if not c.holds]
    code = parts[-1]
    if code.first is not None:
        found.append(f"today's code gives another account than the run recorded, from {code.first.time} on")
    return tuple(found)


def _panel(store: Artifacts, digest: str) -> Panel:
    found = store.get(digest)
    assert isinstance(found, Panel), "bars and weights are panels"
    return found


def _table(store: Artifacts, digest: str) -> pl.DataFrame:
    found = store.get(digest)
    assert isinstance(found, pl.DataFrame), "instruments and nav are tables"
    return found
