"""A quick look at a candidate on discovery data: does the rank of the signal go with the rank of what follows?"""

from __future__ import annotations

import math

import numpy as np

from harness import forward
from harness.state import Screen
from modules.panel import FloatArray, Panel
from modules.registry import load_module
from modules.signal import evaluate, parse, warmup
from modules.signal.measure import coverage

BLOCK_BARS = 63
MINIMUM_BLOCKS = 8
YEAR_NS = 365.25 * 86_400e9


def forward_returns(panel: Panel) -> FloatArray:
    """`[T, N]`: what a position asked for at bar t earns over its first bar, at the fills of the backtest in force."""
    return forward.forward_returns(panel, load_module("backtest", "bars").settings.model_dump()["fill_without_open"])


def screen(expr: str, panel: Panel) -> Screen:
    """Mean rank correlation with the next return, its t over blocks of 63 bars, and a rank-weighted long-short return.

    The block means are close to independent where one-bar correlations are not; `p_value` is one-sided, for a
    positive correlation, by Student's t with blocks - 1 degrees of freedom; None with fewer than 8 blocks.
    """
    from modules.engine.evidence import rank_ic

    node = parse(expr)
    values, ahead = evaluate(node, panel), forward_returns(panel)
    first = warmup(node)
    ranks, returns = _ranks(values[first:]), ahead[first:]
    ic = rank_ic(values, ahead, 0, first)[first:]
    found = ic[~np.isnan(ic)]
    blocks = [
        b
        for b in (ic[i : i + BLOCK_BARS] for i in range(0, ic.size, BLOCK_BARS))
        if np.count_nonzero(~np.isnan(b)) * 2 >= BLOCK_BARS
    ]
    means = np.array([_mean(b[~np.isnan(b)]) for b in blocks])
    t = _t(means)
    weights = _weights(ranks)
    earned = np.nansum(weights * np.nan_to_num(returns), axis=1)
    years = float(panel.ts[-1] - panel.ts[first]) / YEAR_NS if panel.shape[0] > first else 0.0
    turnover = np.abs(np.diff(weights, axis=0)).sum(axis=1)
    return Screen(
        expr=expr,
        ic=_mean(found) if found.size else None,
        t=t,
        p_value=_upper_tail(t, means.size - 1) if t is not None else None,
        long_short_year=math.fsum(earned.tolist()) / years if years > 0 else None,
        turnover=_mean(turnover) if turnover.size else None,
        coverage=coverage(values, panel["close"], first),
        blocks=int(means.size),
    )


def _ranks(values: FloatArray) -> FloatArray:
    from modules.signal.kernels.cross import rank

    out = np.empty(values.shape)
    rank(np.ascontiguousarray(values), out)
    return out


def _weights(ranks: FloatArray) -> FloatArray:
    """Dollar-neutral, gross 1 on each row; 0 where there is no rank."""
    present = ~np.isnan(ranks)
    count = np.maximum(present.sum(axis=1, keepdims=True), 1)
    centred = np.where(present, ranks - np.nansum(np.where(present, ranks, 0.0), axis=1, keepdims=True) / count, 0.0)
    gross = np.abs(centred).sum(axis=1, keepdims=True)
    out: FloatArray = np.divide(centred, gross, out=np.zeros_like(centred), where=gross > 0)
    return out


def _mean(values: FloatArray) -> float:
    return math.fsum(values.tolist()) / values.size


def _t(means: FloatArray) -> float | None:
    if means.size < MINIMUM_BLOCKS:
        return None
    centre = _mean(means)
    variance = math.fsum(((means - centre) ** 2).tolist()) / (means.size - 1)
    return centre / math.sqrt(variance / means.size) if variance > 0 else None


def _upper_tail(t: float, freedom: int) -> float:
    from scipy.stats import t as student

    return float(student.sf(t, freedom))
