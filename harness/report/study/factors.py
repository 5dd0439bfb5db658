"""Factors to hold a run against: the market and styles made of the run's own bars, or those of a user's file.

market      mean return of all symbols with a price at both bars
a style     a feature of the library, ranked over the symbols a bar before, taken with the feature's own sign: half a
            unit long above the middle rank, half short below it, weights in proportion to the distance
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from harness.report.book import Book
from modules.panel import FloatArray

STYLES: Final = (
    ("momentum", "mom_12_1@1"),
    ("reversal", "rev_21@1"),
    ("low volatility", "vol_60@1"),
    ("illiquidity", "illiq_amihud_21@1"),
)
LEAST_SYMBOLS: Final = 5


@dataclass(frozen=True, eq=False)
class Factors:
    """`returns` `[T, K]` a bar, NaN where not known."""

    names: tuple[str, ...]
    about: tuple[str, ...]
    returns: FloatArray


def market(book: Book) -> FloatArray:
    """`[T]` mean return of the symbols; 0 on a bar where none has one."""
    returns = book.returns()
    known = np.isfinite(returns)
    count = known.sum(axis=1)
    total = np.where(known, returns, 0.0).sum(axis=1)
    mean: FloatArray = np.divide(total, count, out=np.zeros(count.size), where=count > 0)
    return mean


def own_factors(book: Book) -> Factors:
    """The market and the styles that the bars' fields, length and width allow."""
    names, about, columns = ["market"], ["mean of all symbols"], [market(book)]
    returns = book.returns()
    for name, reference, scores in _scores(book):
        known = ranked(scores[: book.bars.ts.size - 1])
        before = np.full(returns.shape, np.nan)
        rows = book.start - 1
        before[max(0, -rows) :] = known[max(0, rows) :]
        made = np.where(np.isfinite(before) & np.isfinite(returns), before * returns, 0.0).sum(axis=1)
        column = np.where(np.isfinite(before).any(axis=1), made, np.nan)
        if np.isfinite(column).any():
            names.append(name)
            about.append(reference)
            columns.append(column)
    return Factors(tuple(names), tuple(about), np.column_stack(columns))


def _scores(book: Book) -> list[tuple[str, str, FloatArray]]:
    from modules.feature.library import find
    from modules.signal import evaluate_all, fields_of, parse, warmup

    if len(book.symbols) < LEAST_SYMBOLS:
        return []
    found = []
    for name, reference in STYLES:
        row = find(reference)
        node = parse(row.expr)
        if fields_of(node) <= set(book.bars) and warmup(node) + 1 < book.bars.ts.size:
            found.append((name, f"{row.expr}{'' if row.sign > 0 else ', lowest first'}", node, row.sign))
    values = evaluate_all([node for _, _, node, _ in found], book.bars) if found else []
    return [(name, about, v * sign) for (name, about, _, sign), v in zip(found, values, strict=True)]


def ranked(scores: FloatArray) -> FloatArray:
    """`[T, N]` weights of a style: ranks less their middle, sizes adding to one; NaN on rows with too few symbols."""
    known = np.isfinite(scores)
    count = known.sum(axis=1, keepdims=True)
    order = np.argsort(np.where(known, scores, np.inf), axis=1, kind="stable")
    rank = np.empty(scores.shape)
    np.put_along_axis(rank, order, np.broadcast_to(np.arange(scores.shape[1], dtype=np.float64), scores.shape), axis=1)
    centred = np.where(known, rank - (count - 1) / 2.0, np.nan)
    size = np.nansum(np.abs(centred), axis=1, keepdims=True)
    weights: FloatArray = np.where(
        (count >= LEAST_SYMBOLS) & (size > 0.0), centred / np.where(size > 0.0, size, 1.0), np.nan
    )
    return weights
