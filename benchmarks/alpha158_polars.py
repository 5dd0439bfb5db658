"""Alpha158 as one would write it in polars: native rolling expressions over each symbol, all in one lazy query.

143 of the 158: polars has no rolling place of an extreme (IMAX, IMIN, IMXD). The slope is a covariance with the bar's
number; a window that is not full has no value, as in the language.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import polars as pl

from benchmarks.alpha158_loop import WINDOWS
from modules.panel import Panel


def table(panel: Panel) -> pl.DataFrame:
    """A row per symbol and bar, sorted by symbol, with the bar's number as `bar`."""
    rows, symbols = panel.shape
    frame = pl.DataFrame({name: pl.Series(panel[name].T.ravel()) for name in panel})
    number = pl.int_range(pl.len()).over("symbol").cast(pl.Float64)
    codes = pl.Series("symbol", range(symbols), dtype=pl.Int32)
    return frame.with_columns(symbol=codes.gather(pl.int_range(rows * symbols, eager=True) // rows)).with_columns(
        bar=number
    )


def evaluate(frame: pl.DataFrame) -> pl.DataFrame:
    """One column a feature."""
    close, volume = pl.col("close"), pl.col("volume")
    before, volume_before = close.shift(1).over("symbol"), volume.shift(1).over("symbol")
    changes = frame.lazy().with_columns(
        log_volume=(volume + 1).log(),
        change=close - before,
        volume_change=volume - volume_before,
        ratio=close / before,
        log_volume_ratio=(volume / volume_before + 1).log(),
        money=(close / before - 1).abs() * volume,
        rose=(close > before).cast(pl.Float64),
        fell=(close < before).cast(pl.Float64),
    )
    moves = changes.with_columns(
        up=pl.col("change").clip(0), down=(-pl.col("change")).clip(0), moved=pl.col("change").abs(),
        volume_up=pl.col("volume_change").clip(0), volume_down=(-pl.col("volume_change")).clip(0),
        volume_moved=pl.col("volume_change").abs(),
    )  # fmt: skip
    features = [*_bar(), *(f for w in WINDOWS for f in _rolling(w))]
    return moves.select(f.over("symbol") for f in features).collect()


def _bar() -> Iterator[pl.Expr]:
    o, h, l, c = (pl.col(n) for n in ("open", "high", "low", "close"))  # noqa: E741
    top, bottom, spread = pl.max_horizontal(o, c), pl.min_horizontal(o, c), h - l
    named = {
        "KMID": (c - o) / o, "KLEN": (h - l) / o, "KMID2": (c - o) / spread, "KUP": (h - top) / o,
        "KUP2": (h - top) / spread, "KLOW": (bottom - l) / o, "KLOW2": (bottom - l) / spread,
        "KSFT": (2 * c - h - l) / o, "KSFT2": (2 * c - h - l) / spread, "OPEN0": o / c, "HIGH0": h / c, "LOW0": l / c,
        "VWAP0": (h + l + c) / 3 / c,
    }  # fmt: skip
    return (expr.alias(name) for name, expr in named.items())


def _rolling(w: int) -> Iterator[pl.Expr]:
    c, h, l, v = (pl.col(n) for n in ("close", "high", "low", "volume"))  # noqa: E741
    mean, deviation = c.rolling_mean(w), c.rolling_std(w)
    top, bottom = h.rolling_max(w), l.rolling_min(w)
    spread = w * (w * w - 1) / 12
    products = (c * pl.col("bar")).rolling_sum(w) - pl.col("bar").rolling_mean(w) * c.rolling_sum(w)
    slope = products / spread

    def total(name: str) -> pl.Expr:
        return pl.col(name).rolling_sum(w)

    def corr(x: str, y: str) -> pl.Expr:
        return pl.rolling_corr(pl.col(x), pl.col(y), window_size=w, min_samples=w)

    def shares(kind: Literal["", "volume_"]) -> tuple[pl.Expr, pl.Expr, pl.Expr]:
        up, down, moved = total(f"{kind}up"), total(f"{kind}down"), total(f"{kind}moved")
        return up / moved, down / moved, (up - down) / moved

    rose, fell = pl.col("rose").rolling_mean(w), pl.col("fell").rolling_mean(w)
    sump, sumn, sumd = shares("")
    vsump, vsumn, vsumd = shares("volume_")
    named = {
        "ROC": c.shift(w) / c, "MA": mean / c, "STD": deviation / c, "BETA": slope / c,
        "RSQR": products * products / (spread * c.rolling_var(w) * (w - 1)),
        "RESI": (c - mean - slope * ((w - 1) / 2)) / c, "MAX": top / c, "MIN": bottom / c,
        "QTLU": c.rolling_quantile(0.8, interpolation="linear", window_size=w) / c,
        "QTLD": c.rolling_quantile(0.2, interpolation="linear", window_size=w) / c,
        "RANK": c.rolling_rank(window_size=w, method="average") / w, "RSV": (c - bottom) / (top - bottom),
        "CORR": corr("close", "log_volume"), "CORD": corr("ratio", "log_volume_ratio"),
        "CNTP": rose, "CNTN": fell, "CNTD": rose - fell, "SUMP": sump, "SUMN": sumn, "SUMD": sumd,
        "VMA": v.rolling_mean(w) / v, "VSTD": v.rolling_std(w) / v,
        "WVMA": pl.col("money").rolling_std(w) / (pl.col("money").rolling_mean(w)),
        "VSUMP": vsump, "VSUMN": vsumn, "VSUMD": vsumd,
    }  # fmt: skip
    return (expr.alias(f"{name}{w}") for name, expr in named.items())
