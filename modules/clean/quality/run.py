"""Records to total-return bars, with a quality table of everything a rule touched."""

from __future__ import annotations

import numpy as np
import polars as pl

from modules.calendars import UNKNOWN
from modules.clean.quality import actions, rules
from modules.clean.quality.contract import Inputs, Outputs
from modules.clean.quality.grid import Grid, sequence, to_grid
from modules.clean.quality.settings import Settings
from modules.contract import Context
from modules.panel import IntArray, Panel

_OPTIONAL = ("open", "high", "low", "volume")


def run(inputs: Inputs, settings: Settings, context: Context) -> Outputs:
    """Bars `[T, N]` from records known at one moment; row t depends on records up to t only.

    Fields that no record delivers are absent, never filled. Metrics: `flagged_<rule>` counts all rows of a rule in
    the quality table, `repaired_<rule>` those that changed a bar; `coverage` is the share of cells with a close.
    """
    grid, superseded = to_grid(inputs.records)
    calendars = _calendars(inputs.instruments, grid.symbols)
    found = [rules.duplicates(grid, superseded), *rules.impossible_values(grid)]
    found.append(rules.ohlc_order(grid, settings.ohlc_tolerance_bps))
    found.append(rules.off_calendar(grid, calendars, settings.off_calendar_action))
    delivered = grid.fields["close"].copy()
    if grid.actions:
        found.append(actions.impossible(grid))
    traded = actions.as_traded(grid)
    found.append(rules.adjust(grid))
    seq = sequence(grid.fields["close"])
    # Gaps, spikes and runs are all judged on the bars as delivered: what one rule masks does not feed the next.
    found.append(rules.gaps(grid, seq, calendars, settings.gap_min_sessions))
    found += rules.spikes(grid, seq, settings)
    found.append(rules.stale_runs(grid, seq, delivered, settings))
    if settings.max_fill_bars:
        found.append(rules.fill(grid, settings.max_fill_bars))
    bars = _panel(grid)
    if grid.actions:
        bars, seen = actions.with_fields(bars, grid, traded)
        found += seen
    quality = pl.concat(found).sort("event_time", "symbol", "rule", "field")
    metrics = _metrics(bars, quality, actions.RULES if grid.actions else ())
    notes = () if "volume" in bars else ("no volume delivered: market impact cannot be modelled",)
    return Outputs(bars=bars, quality=quality, metrics=metrics, notes=notes)


def _calendars(instruments: pl.DataFrame, symbols: list[str]) -> dict[str, IntArray]:
    """Calendar name to the panel columns that follow it."""
    names = dict(instruments.select("symbol", "calendar").iter_rows())
    found: dict[str, list[int]] = {}
    for column, symbol in enumerate(symbols):
        found.setdefault(names.get(symbol, UNKNOWN), []).append(column)
    return {name: np.array(columns, dtype=np.int64) for name, columns in found.items()}


def _panel(grid: Grid) -> Panel:
    close = grid.fields["close"]
    alive = ~np.isnan(close).all(axis=1)
    fields = {"close": close[alive]}
    fields |= {n: grid.fields[n][alive] for n in _OPTIONAL if not np.isnan(grid.fields[n]).all()}
    return Panel(grid.ts[alive], tuple(grid.symbols), fields)


def _metrics(bars: Panel, quality: pl.DataFrame, more: tuple[str, ...]) -> dict[str, float]:
    counts = quality.group_by("rule").agg(pl.len().alias("n"), (pl.col("action") != "flagged").sum().alias("repaired"))
    by_rule = {rule: (n, repaired) for rule, n, repaired in counts.iter_rows()}
    metrics = {"bars": float(bars.shape[0]), "symbols": float(bars.shape[1])}
    metrics["coverage"] = float(np.mean(~np.isnan(bars["close"]))) if bars["close"].size else 0.0
    for rule in (*rules.RULES, *more):
        n, repaired = by_rule.get(rule, (0, 0))
        metrics[f"flagged_{rule}"] = float(n)
        metrics[f"repaired_{rule}"] = float(repaired)
    return metrics
