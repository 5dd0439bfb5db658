"""Corporate actions of the records to panel fields, and bars adjusted by them where no adjusted close was delivered.

Each field's row t holds what had taken effect by bar t. An action stated for a time without a bar of anybody takes
effect at the next bar.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from modules.clean.quality.grid import Grid, Mask, cells, listed
from modules.panel import FloatArray, IntArray, Panel

RULES = ("dividend_above_price", "action_without_bar", "delisting_contradicted")
PRICED = ("split", "dividend")
"""Actions that make prices as traded differ from adjusted ones."""


def impossible(grid: Grid) -> pl.DataFrame:
    """Dividends of the last close or more, in shares of the bar: dropped. Nobody pays out what he is worth and trades
    on; a liquidation is a delisting with its return."""
    if "dividend" not in grid.actions:
        return cells("dividend_above_price", grid, np.zeros((0, 0), dtype=np.bool_), "dividend", "dropped", "")
    paid = grid.actions["dividend"]
    before = _last_close_in_new_shares(grid)
    with np.errstate(invalid="ignore"):
        bad = (paid > 0.0) & (paid >= before)
    found = cells("dividend_above_price", grid, bad, "dividend", "dropped", "not below the close before it", paid)
    paid[bad] = np.nan
    return found


def _last_close_in_new_shares(grid: Grid) -> FloatArray:
    """`[T, N]` the last close before each time, divided by the splits since; NaN before the first."""
    close, out = grid.fields["close"], np.full(grid.fields["close"].shape, np.nan)
    ratio = _none_is(grid, "split", 1.0)
    last = np.full(close.shape[1], np.nan)
    for t in range(close.shape[0]):
        last = last / ratio[t]
        out[t] = last
        last = np.where(np.isnan(close[t]), last, close[t])
    return out


def as_traded(grid: Grid) -> dict[str, FloatArray]:
    """`raw_open` and `raw_close` before any adjustment, where records carry splits or dividends. Gives symbols without
    an adjusted close one of our own: what one share of the first bar has become, dividends bought into at the close of
    their day. It looks back only, so its level tells nothing of later splits."""
    if not any(name in grid.actions for name in PRICED):
        return {}
    close, adjusted = grid.fields["close"], grid.fields["adj_close"]
    own = np.isnan(adjusted).all(axis=0)
    grown = _grown(close, _none_is(grid, "split", 1.0), _none_is(grid, "dividend", 0.0))
    adjusted[:, own] = (close * grown)[:, own]
    return {f"raw_{name}": grid.fields[name].copy() for name in ("open", "close")}


def _grown(close: FloatArray, ratio: FloatArray, paid: FloatArray) -> FloatArray:
    """`[T, N]` shares that one share of the first bar is at each close, by (close + dividend) * split / last close."""
    out = np.ones(close.shape)
    shares = np.ones(close.shape[1])
    due = np.zeros(close.shape[1])
    begun = np.zeros(close.shape[1], dtype=np.bool_)
    for t in range(close.shape[0]):
        shares = np.where(begun, shares * ratio[t], shares)
        due = np.where(begun, due / ratio[t] + paid[t], 0.0)
        here = ~np.isnan(close[t])
        with np.errstate(invalid="ignore"):
            shares = np.where(here, shares * (1.0 + due / close[t]), shares)
        due = np.where(here, 0.0, due)
        begun |= here
        out[t] = shares
    return out


def with_fields(bars: Panel, grid: Grid, traded: dict[str, FloatArray]) -> tuple[Panel, list[pl.DataFrame]]:
    """The bars with the fields of their actions, and what was odd about them."""
    alive = np.searchsorted(grid.ts, bars.ts)
    gone = np.isnan(bars["close"])
    fields = {}
    for name, values in traded.items():
        price = name.removeprefix("raw_")
        if price in bars:
            fields[name] = np.where(np.isnan(bars[price]), np.nan, values[alive])
    found = [_without_bar(grid)]
    if traded:
        fields["split"], fields["dividend"] = _on_bars(grid, alive)
    if "delisting" in grid.actions:
        fields["delisting"], contradicted = _delistings(grid, alive, gone)
        found.append(contradicted)
    if "member" in grid.actions:
        fields["member"] = _members(grid.actions["member"])[alive]
    return bars.with_fields(**fields), found


def _without_bar(grid: Grid) -> pl.DataFrame:
    """Splits and dividends on a day on which the symbol has no bar: flagged; they hold all the same."""
    close = grid.fields["close"]
    shown = np.zeros(close.shape)
    mask = np.zeros(close.shape, dtype=np.bool_)
    for name in PRICED:
        if name in grid.actions:
            here = ~np.isnan(grid.actions[name]) & np.isnan(close)
            mask |= here
            shown = np.where(here, grid.actions[name], shown)
    return cells("action_without_bar", grid, mask, "close", "flagged", "an action on a day without a bar", shown)


def _on_bars(grid: Grid, alive: IntArray) -> tuple[FloatArray, FloatArray]:
    """Splits and dividends on the rows of the panel; those of times that are no row meet at the next one."""
    ratio, paid = _none_is(grid, "split", 1.0), _none_is(grid, "dividend", 0.0)
    splits, dividends = np.ones((alive.size, ratio.shape[1])), np.zeros((alive.size, ratio.shape[1]))
    row = np.searchsorted(alive, np.arange(grid.ts.size))
    for t in range(int(alive[-1]) + 1 if alive.size else 0):
        dividends[row[t]] = dividends[row[t]] / ratio[t] + paid[t]
        splits[row[t]] *= ratio[t]
    return splits, dividends


def _delistings(grid: Grid, alive: IntArray, gone: Mask) -> tuple[FloatArray, pl.DataFrame]:
    """The return at the bar from which a symbol is gone: the first at or after the stated day, or the one after it
    where that day still has a bar (the last day of trading). One that trades on after that has not left: dropped."""
    stated = grid.actions["delisting"]
    out = np.full(gone.shape, np.nan)
    rows, columns = np.nonzero(~np.isnan(stated))
    kept_rows, kept_columns = [], []
    for t, i in zip(rows.tolist(), columns.tolist(), strict=True):
        at = int(np.searchsorted(alive, t))
        if at < alive.size and not gone[at, i]:
            at += 1
        if at >= alive.size:
            continue
        if gone[at, i]:
            out[at, i] = stated[t, i]
        else:
            kept_rows.append(int(alive[at]))
            kept_columns.append(i)
    found = listed(
        "delisting_contradicted", grid, np.array(kept_rows, dtype=np.int64), np.array(kept_columns, dtype=np.int64),
        "close", "dropped", "trades after it was delisted", None,
    )  # fmt: skip
    return out, found


def _members(stated: FloatArray) -> FloatArray:
    """What was last stated, 0 before the first: a symbol of which nothing is said is no member."""
    at = np.arange(stated.shape[0])[:, None]
    last = np.maximum.accumulate(np.where(np.isnan(stated), -1, at), axis=0)
    held: FloatArray = np.where(last >= 0, np.take_along_axis(stated, np.maximum(last, 0), axis=0), 0.0)
    return held


def _none_is(grid: Grid, name: str, value: float) -> FloatArray:
    """The action with `value` where there is none."""
    if name not in grid.actions:
        return np.full(grid.fields["close"].shape, value)
    found: FloatArray = np.where(np.isnan(grid.actions[name]), value, grid.actions[name])
    return found
