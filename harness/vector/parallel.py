"""A sweep across symbols by several processes: each takes a run of neighbouring combinations."""

from __future__ import annotations

import itertools

import polars as pl

from harness.pool import in_order
from harness.vector.grid import Grid, GridError, check_signals
from harness.vector.screen import Swept, Terms, sweep_across
from modules.panel import FloatArray, IntArray, Panel

LEAST_A_PIECE = 16
"""Combinations that a process takes at once: their common parts are computed once."""
PIECES_A_PROCESS = 2

_HERE: list[tuple[Panel, pl.DataFrame, Terms]] = []
"""What this process sweeps; filled once, where it is one of several."""


def sweep_by(grid: Grid, bars: Panel, instruments: pl.DataFrame, terms: Terms, jobs: int) -> list[Swept]:
    """As `sweep_across`, the same bits in the same order, by `jobs` processes. Raises what it raises, and PoolError."""
    pieces = _pieces(grid, jobs)
    if len(pieces) < 2:
        return sweep_across(grid, bars, instruments, terms)
    check_signals(grid)  # what is no signal is named before a process is started
    given = (bars.ts, bars.symbols, dict(bars.fields), instruments, terms)
    return [one for part in in_order(_sweep, pieces, jobs, _prepare, given) for one in part]


def refuse_one_symbol(jobs: int, symbol: str | None) -> None:
    """Raises GridError where processes would have nothing to share."""
    if jobs > 1 and symbol is not None:
        raise GridError("--jobs is for sweeps across symbols; with --symbol the accounts are kept on threads already")


def _pieces(grid: Grid, jobs: int) -> list[Grid]:
    count = len(grid.combinations)
    wanted = min(jobs * PIECES_A_PROCESS, count // LEAST_A_PIECE) if jobs > 1 else 1
    if wanted < 2:
        return [grid]
    edges = [round(k * count / wanted) for k in range(wanted + 1)]
    return [Grid(grid.template, grid.combinations[a:b]) for a, b in itertools.pairwise(edges)]


def _prepare(
    ts: IntArray, symbols: tuple[str, ...], fields: dict[str, FloatArray], instruments: pl.DataFrame, terms: Terms
) -> None:
    _HERE[:] = [(Panel(ts, symbols, fields), instruments, terms)]


def _sweep(piece: Grid) -> list[Swept]:
    return sweep_across(piece, *_HERE[0])
