"""What sizing modules share: the steps after the ranks, and how the targets look.

The order of steps: ranks under the caps, then the average of the last `smoothing_bars` rows, then the no-trade band.
Averages may use rows before the start; the band begins there, holding nothing.
"""

from __future__ import annotations

import numpy as np

from modules.contract import Violation
from modules.engine import metrics as m
from modules.engine.bars import first_row
from modules.engine.weights import hold_within_band, trailing_average
from modules.panel import FloatArray, Panel
from modules.size.settings import ShapeSettings

_ROUNDING = 1e-12


def shape(targets: FloatArray, signal: FloatArray, bars: Panel, settings: ShapeSettings, start_ns: int) -> Panel:
    """Smooth `targets` [T, N], hold them within the band, and cut them to the rows from `start_ns` on."""
    known = np.where(np.isnan(signal) | np.isnan(bars["close"]), np.nan, 0.0)
    if settings.smoothing_bars > 1:
        targets = trailing_average(targets, settings.smoothing_bars)
    start = first_row(bars.ts, start_ns)
    held = hold_within_band(targets[start:], known[start:], settings.no_trade_band)
    return Panel(bars.ts[start:], bars.symbols, {"weight": held})


def describe(weights: Panel) -> tuple[dict[str, float], tuple[str, ...]]:
    """Metrics of target weights, and notes that a reader must not miss."""
    w = weights["weight"]
    gross = _by_row(np.abs(w))
    moves = np.abs(np.diff(w, axis=0, prepend=0.0))
    years = weights.ts.size / m.bars_per_year(weights.ts)
    figures = {
        "mean_gross": m.mean(gross),
        "mean_abs_net": m.mean(np.abs(_by_row(w))),
        "largest_weight": float(np.abs(w).max(initial=0.0)),
        "target_turnover": m.total(_by_row(moves)) / years,
        "moved_share": float(np.mean(moves > 0.0)) if moves.size else 0.0,
        "mean_positions": m.mean(np.count_nonzero(w, axis=1).astype(np.float64)),
    }
    empty = int(np.count_nonzero(gross == 0.0))
    notes: tuple[str, ...] = ()
    if empty == w.shape[0]:
        notes = (
            "ZERO TARGETS: every row is empty; the signal is missing or the same for all symbols, or there is only one",
        )
    elif empty:
        notes = (f"{empty} of {w.shape[0]} rows hold no target: fewer than two symbols with a signal, or only ties",)
    return m.present(figures), notes


def _by_row(values: FloatArray) -> FloatArray:
    """Sum of each row, first symbol to last (`sum` is pairwise and depends on the build)."""
    totals: FloatArray = np.add.accumulate(values, axis=1)[:, -1] if values.shape[1] else np.zeros(values.shape[0])
    return totals


def accept_weights(bars: Panel, weights: Panel, settings: ShapeSettings) -> list[Violation]:
    """Rules that any target of `shape` keeps."""
    w = weights["weight"]
    found: list[Violation] = []
    over = np.abs(w) > settings.weight_cap + _ROUNDING
    if over.any():
        found.append(Violation("weights", f"|weight| above weight_cap {settings.weight_cap}", int(over.sum())))
    room = settings.gross_leverage + w.shape[1] * settings.no_trade_band + _ROUNDING * w.shape[1]
    heavy = np.abs(w).sum(axis=1) > room
    if heavy.any():
        found.append(
            Violation(
                "weights", f"gross above gross_leverage and what the band may keep ({room:.4f})", int(heavy.sum())
            )
        )
    if weights.symbols != bars.symbols or not np.array_equal(weights.ts, bars.ts[bars.ts.size - weights.ts.size :]):
        found.append(Violation("weights", "axes differ from those of bars", weights.ts.size))
        return found
    blind = (w != 0.0) & np.isnan(bars["close"][bars.ts.size - weights.ts.size :])
    if blind.any():
        found.append(Violation("weights", "a target on a symbol without a price", int(blind.sum())))
    return found
