"""Panels, instruments and accounts for tests of the engine."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl

from modules.engine.bars import simulate
from modules.engine.limits import RiskLimits
from modules.engine.result import Simulation
from modules.engine.settings import Costs
from modules.panel import FloatArray, Panel, ns

DAY = 86_400_000_000_000
MONDAY = ns("2020-01-06")


def days(count: int, start_ns: int = MONDAY) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """`count` week days from a Monday on."""
    index = np.arange(count, dtype=np.int64)
    return start_ns + (index // 5 * 7 + index % 5) * DAY


def panel(
    close: Sequence[Sequence[float]] | FloatArray, symbols: Sequence[str] | None = None, **fields: object
) -> Panel:
    """Bars on week days; further fields by name."""
    array = np.array(close, dtype=np.float64)
    names = tuple(symbols) if symbols else tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ"[: array.shape[1]])
    more = {name: np.array(values, dtype=np.float64) for name, values in fields.items()}
    return Panel(days(array.shape[0]), names, {"close": array, **more})


def instruments(
    symbols: Sequence[str], lot_size: float | Sequence[float] = 1.0, sectors: Mapping[str, str] | None = None
) -> pl.DataFrame:
    """One row a symbol, valid for ever; each symbol in a sector of its own unless `sectors` says otherwise."""
    n = len(symbols)
    sizes = [lot_size] * n if isinstance(lot_size, int | float) else list(lot_size)
    return pl.DataFrame(
        {
            "symbol": list(symbols),
            "venue": ["XNYS"] * n,
            "currency": ["USD"] * n,
            "calendar": ["XNYS"] * n,
            "sector": [(sectors or {}).get(s, f"sector {s}") for s in symbols],
            "tick_size": [0.01] * n,
            "lot_size": [float(x) for x in sizes],
            "valid_from": pl.Series([0] * n).cast(pl.Datetime("ns", "UTC")),
            "valid_to": pl.Series([None] * n, dtype=pl.Datetime("ns", "UTC")),
        }
    )


def sectors(*rows: tuple[str, str, int, int | None]) -> pl.DataFrame:
    """Instruments by symbol, sector, first and last nanosecond."""
    moment = pl.Datetime("ns", "UTC")
    return instruments([row[0] for row in rows]).with_columns(
        pl.Series("sector", [row[1] for row in rows]),
        pl.Series("valid_from", [row[2] for row in rows]).cast(moment),
        pl.Series("valid_to", [row[3] for row in rows], dtype=pl.Int64).cast(moment),
    )


def weights_of(bars: Panel, rows: Sequence[Sequence[float]] | FloatArray) -> Panel:
    """Target weights on the last rows of `bars`."""
    array = np.array(rows, dtype=np.float64)
    return Panel(bars.ts[bars.ts.size - array.shape[0] :], bars.symbols, {"weight": array})


def account(
    bars: Panel,
    targets: Sequence[Sequence[float]] | FloatArray,
    *,
    costs: Costs | None = None,
    limits: RiskLimits | None = None,
    table: pl.DataFrame | None = None,
    capital_usd: float = 1_000_000.0,
    **terms: object,
) -> Simulation:
    """Simulate targets on the last rows of `bars`, without costs unless told."""
    weights = weights_of(bars, targets)
    return simulate(
        bars,
        weights,
        instruments(bars.symbols) if table is None else table,
        capital_usd=capital_usd,
        costs=costs or Costs.none(),
        limits=limits or RiskLimits(),
        start_ns=int(weights.ts[0]),
        **terms,  # type: ignore[arg-type]
    )


US20_SECTORS = {
    **dict.fromkeys(("AAPL", "AMD", "MSFT"), "Technology"),
    **dict.fromkeys(("BAC", "JPM"), "Financials"),
    **dict.fromkeys(("BBY", "HD"), "Discretionary"),
    **dict.fromkeys(("CVX", "RRC", "XOM"), "Energy"),
    "GE": "Industrials",
    **dict.fromkeys(("JNJ", "LLY", "MRK", "PFE", "UNH"), "Health"),
    **dict.fromkeys(("KO", "PEP", "PG", "WMT"), "Staples"),
}


@cache
def us20() -> Panel:
    """The 20 US stocks that skfolio packages, open part only: the last 20 % of history is not read."""
    spec = importlib.util.find_spec("skfolio")
    assert spec is not None and spec.origin is not None
    path = Path(spec.origin).parent / "datasets" / "data" / "sp500_dataset.csv.gz"
    table = pl.read_csv(path, try_parse_dates=True)
    table = table.head(int(0.8 * table.height))
    symbols = tuple(table.columns[1:])
    ts = table["Date"].cast(pl.Datetime("ns")).to_physical().to_numpy()
    return Panel(ts, symbols, {"close": table.select(symbols).to_numpy().astype(np.float64)})
