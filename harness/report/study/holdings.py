"""What the account held: how much, in how many names, in which sectors, and how alike the names moved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from harness.report.book import Book
from modules.panel import FloatArray, IntArray

SHOWN: Final = 20
GROUPS: Final = 8
"""Bands of the composition: sectors, or symbols where no sector is known; the smallest are put together."""
LEAST_PAIRS: Final = 30
"""Bars that two must have in common to be correlated."""
UNKNOWN: Final = "not known"
OTHERS: Final = "others"


@dataclass(frozen=True, eq=False)
class Exposure:
    """`[T]` each, shares of NAV but for the counts. `effective`: names of equal size that would be as concentrated."""

    long: FloatArray
    short: FloatArray  # negative
    net: FloatArray
    gross: FloatArray
    longs: IntArray
    shorts: IntArray
    largest: FloatArray  # largest single position, size
    effective: FloatArray  # 0 where nothing is held


@dataclass(frozen=True, eq=False)
class Composition:
    """`long` and `short` `[T, G]` shares of NAV of each band, the largest band first. `of`: sector or symbol."""

    of: str
    names: tuple[str, ...]
    long: FloatArray
    short: FloatArray  # negative


@dataclass(frozen=True)
class Holding:
    """One symbol over the whole run. `profit` is of its round trips and fees, in the currency, before borrow."""

    symbol: str
    sector: str
    mean_weight: float
    mean_size: float
    held_share: float
    profit: float


@dataclass(frozen=True, eq=False)
class Correlation:
    """Of bar returns over the bars that two have in common; NaN where there are too few. First row and column: the
    run's net return. `mean` is over the pairs of symbols, of all of them, not only those shown."""

    names: tuple[str, ...]
    values: FloatArray  # [K, K]
    mean: float | None
    symbols: int


def exposure(book: Book) -> Exposure:
    """From the weights at each close."""
    w = book.weight
    long, short = np.where(w > 0, w, 0.0).sum(axis=1), np.where(w < 0, w, 0.0).sum(axis=1)
    gross = long - short
    square = (w**2).sum(axis=1)
    return Exposure(
        long=long,
        short=short,
        net=long + short,
        gross=gross,
        longs=(w > 0).sum(axis=1),
        shorts=(w < 0).sum(axis=1),
        largest=np.abs(w).max(axis=1, initial=0.0),
        effective=np.divide(gross**2, square, out=np.zeros(gross.size), where=square > 0.0),
    )


def composition(book: Book) -> Composition:
    """By sector where any is known, else by symbol."""
    long, short = np.maximum(book.weight, 0.0), np.minimum(book.weight, 0.0)
    if not book.sectors:
        return _largest("symbol", book.symbols, long, short)
    members = [book.sector == k for k in (*range(len(book.sectors)), -1)]
    by_sector = (np.column_stack([(side * m).sum(axis=1) for m in members]) for side in (long, short))
    return _largest("sector", (*book.sectors, UNKNOWN), *by_sector)


def _largest(of: str, names: tuple[str, ...], long: FloatArray, short: FloatArray) -> Composition:
    size = (long - short).mean(axis=0)
    order = [int(k) for k in np.argsort(-size, kind="stable") if size[k] > 0.0]
    kept, rest = (order, []) if len(order) <= GROUPS else (order[: GROUPS - 1], order[GROUPS - 1 :])
    chosen = [names[k] for k in kept]
    bands = [long[:, kept], short[:, kept]]
    if rest:
        chosen.append(f"{len(rest)} {OTHERS}")
        bands = [
            np.column_stack([b, whole[:, rest].sum(axis=1)]) for b, whole in zip(bands, (long, short), strict=True)
        ]
    return Composition(of, tuple(chosen), *bands)


def holdings(book: Book, profit: FloatArray, count: int = SHOWN) -> tuple[Holding, ...]:
    """The symbols that were most of the book, by mean size; `profit` `[N]`."""
    size = np.abs(book.weight).mean(axis=0)
    order = [int(k) for k in np.argsort(-size, kind="stable") if size[k] > 0.0][:count]
    last = book.sector[-1] if book.ts.size else np.empty(0, np.int64)
    return tuple(
        Holding(
            symbol=book.symbols[k],
            sector=book.sectors[last[k]] if last[k] >= 0 else "",
            mean_weight=float(book.weight[:, k].mean()),
            mean_size=float(size[k]),
            held_share=float((book.lots[:, k] != 0.0).mean()),
            profit=float(profit[k]),
        )
        for k in order
    )


def correlation(book: Book, net: FloatArray, count: int = SHOWN) -> Correlation:
    """Of the run with the symbols that were most of its book; without positions, with the first symbols."""
    returns = book.returns()
    size = np.abs(book.weight).mean(axis=0)
    order = np.argsort(-size, kind="stable")[:count]
    values = pairwise(np.column_stack([net, returns[:, order]]))
    every = values[1:, 1:] if order.size == len(book.symbols) else pairwise(returns)
    upper = every[np.triu_indices(every.shape[0], 1)]
    known = upper[np.isfinite(upper)]
    return Correlation(
        ("run", *(book.symbols[int(k)] for k in order)),
        values,
        float(known.mean()) if known.size else None,
        len(book.symbols),
    )


def pairwise(columns: FloatArray) -> FloatArray:
    """`[K, K]` correlations on the rows that both columns have; NaN below `LEAST_PAIRS` of them, or where one never
    moved. Sums of products over matrices: exact enough to read, and one pass for any number of columns."""
    known = np.isfinite(columns)
    both = known.T.astype(np.float64) @ known.astype(np.float64)
    mean = np.divide(
        np.where(known, columns, 0.0).sum(axis=0),
        known.sum(axis=0),
        out=np.zeros(columns.shape[1]),
        where=known.any(axis=0),
    )
    x = np.where(known, columns - mean, 0.0)
    mask = known.astype(np.float64)
    sums = x.T @ mask  # [i, j]: sum of i where j is known
    squares = (x * x).T @ mask
    with np.errstate(invalid="ignore", divide="ignore"):
        covariance = x.T @ x - sums * sums.T / both
        spread = squares - sums**2 / both
        value = covariance / np.sqrt(spread * spread.T)
    good = (both >= LEAST_PAIRS) & (spread > 1e-14 * np.maximum(squares, 1e-300)) & (spread.T > 0.0)
    out: FloatArray = np.where(good & np.isfinite(value), np.clip(value, -1.0, 1.0), np.nan)
    return out
