"""A synthetic market in minute bars: a seeded random walk with opens, volume, missing bars and an untraded one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from modules.canonical import Artifact
from modules.contract import Context, Module, Stage
from modules.door import through_the_door
from modules.engine.bars import trade
from modules.engine.result import Simulation
from modules.engine.settings import TradingSettings
from modules.ingest.instruments import Instrument, with_instruments
from modules.ingest.layout import Layout
from modules.ingest.normalise import normalise
from modules.live.runner.decide import Programme
from modules.panel import Panel
from modules.registry import load_module

SYMBOLS = ("AAA", "BBB", "CCC", "DDD", "EEE")
SECTORS = ("Tech", "Tech", "Energy", "Energy", "Health")
MINUTE_NS = 60_000_000_000


@dataclass(frozen=True)
class Market:
    """Records as ingest writes them, and what their symbols are."""

    records: pl.DataFrame
    instruments: pl.DataFrame

    @property
    def known_ns(self) -> int:
        """When all of it was known."""
        return int(self.records["available_at"].to_physical().max())  # type: ignore[arg-type]

    def upto(self, before_ns: int) -> pl.DataFrame:
        """Records of the bars before one."""
        return self.records.filter(pl.col("event_time").to_physical() < before_ns)

    def of(self, ts_ns: int) -> pl.DataFrame:
        """Records of one bar."""
        return self.records.filter(pl.col("event_time").to_physical() == ts_ns)

    def labels(self, day: int) -> list[int]:
        """Labels of the bars of a day, counted from 0."""
        found = self.records["event_time"].to_physical().unique().sort().to_list()
        days = sorted({ts // (1440 * MINUTE_NS) for ts in found})
        return [ts for ts in found if ts // (1440 * MINUTE_NS) == days[day]]


def market(days: int = 2, minutes: int = 15, seed: int = 7, sigma: float = 0.002) -> Market:
    """Minute bars from 2024-03-04 on, stamped at their close, the session begins at 14:31 UTC."""
    rng = np.random.default_rng(seed)
    close = 20.0 * (1.0 + np.arange(len(SYMBOLS)))
    rows = []
    for day in range(days):
        for minute in range(minutes):
            opening = close * np.exp(sigma / 3 * rng.standard_normal(close.size))
            close = np.round(opening * np.exp(sigma * rng.standard_normal(close.size)), 2)
            opening = np.round(opening, 2)
            volume = np.rint(rng.uniform(5e4, 2e5, close.size))
            at = (19786 + day) * 1440 + 14 * 60 + 31 + minute
            for i, symbol in enumerate(SYMBOLS):
                if (i, minute) == (3, 6) or (i == 4 and day == 0 and minute < 3):
                    continue  # a bar that never came, and a symbol that comes late
                traded = 0.0 if (i, minute) == (1, 8) else volume[i]
                high, low = max(opening[i], close[i]), min(opening[i], close[i])
                rows.append((at * 60, symbol, opening[i], high, low, close[i], traded))
    raw = pl.DataFrame(rows, schema=["at", "symbol", "open", "high", "low", "close", "volume"], orient="row")
    raw = raw.with_row_index("source_row").with_columns(
        pl.col("source_row").cast(pl.Int64), pl.lit("synthetic").alias("source_file")
    )
    layout = Layout(
        time_column="at", epoch_unit="s", open_column="open", high_column="high", low_column="low",
        volume_column="volume", interval_s=60, bar_stamp="close",
    )  # fmt: skip
    known = {
        s: Instrument(symbol=s, venue="XNAS", sector=sector, tick_size=0.01, lot_size=1.0)
        for s, sector in zip(SYMBOLS, SECTORS, strict=True)
    }
    records, instruments = with_instruments(normalise(raw, layout).records, known, known[SYMBOLS[0]])
    return Market(records, instruments)


def programme(start_ns: int, expr: str = "-returns(close, 2)", gross: float = 0.06, loss: float = 0.05) -> Programme:
    """Short-term reversal of ranks, small enough that no order is larger than the risk core lets pass."""
    names: dict[Stage, str] = {
        "ingest": "files", "clean": "quality", "feature": "expression", "backtest": "bars", "size": "rank_neutral",
        "execute": "next_bar",
    }  # fmt: skip
    modules: dict[Stage, Module] = {stage: load_module(stage, name) for stage, name in names.items()}
    modules["feature"] = modules["feature"].with_settings({"expr": expr})
    modules["size"] = modules["size"].with_settings({"gross_leverage": gross, "smoothing_bars": 1})
    modules["execute"] = modules["execute"].with_settings({"max_daily_loss": loss})
    return Programme("reversal", modules, start_ns)


def trading(programme: Programme) -> TradingSettings:
    """The settings of the execute stage."""
    settings = programme.modules["execute"].settings
    assert isinstance(settings, TradingSettings)
    return settings


def backtest(market: Market, programme: Programme) -> tuple[Panel, Simulation]:
    """Bars and account of the whole period at once, as a run makes them."""
    board: dict[str, Artifact] = {
        "records": through_the_door(market.records, market.known_ns, None),
        "instruments": market.instruments,
    }
    context = Context(seed=programme.seed, start_ns=programme.start_ns)
    stages: tuple[Stage, ...] = ("clean", "feature", "size")
    for stage in stages:
        module = programme.modules[stage]
        outputs = module.run(module.inputs(**{n: board[n] for n in module.ports("inputs")}), module.settings, context)
        board |= {n: getattr(outputs, n) for n in module.ports("outputs")}
    bars, weights = board["bars"], board["weights"]
    assert isinstance(bars, Panel)
    assert isinstance(weights, Panel)
    return bars, trade(bars, weights, market.instruments, trading(programme), programme.start_ns)
