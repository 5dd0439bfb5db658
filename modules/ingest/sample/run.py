"""Bundled raw rows to records."""

from __future__ import annotations

from modules.bundled import FACTS
from modules.contract import Context
from modules.ingest.instruments import Instrument, with_instruments
from modules.ingest.layout import Layout
from modules.ingest.normalise import normalise, refuse_if_too_many
from modules.ingest.sample.contract import Inputs, Outputs
from modules.ingest.sample.settings import Settings

CALENDAR = "XNYS"

LAYOUTS = {
    "us20": Layout(layout="wide", time_column="Date", calendar=CALENDAR),
    "us5": Layout(
        time_column="Date",
        symbol_column="Ticker",
        open_column="Open",
        high_column="High",
        low_column="Low",
        close_column="Close",
        adj_close_column="Adj Close",
        volume_column="Volume",
        calendar=CALENDAR,
    ),
}


def run(inputs: Inputs, settings: Settings, context: Context) -> Outputs:
    """Read the rows of `settings.dataset`. us20 has adjusted closes only: no open, high, low or volume is made up."""
    result = normalise(inputs.raw, LAYOUTS[settings.dataset])
    refuse_if_too_many(result, 0.0, f"bundled set {settings.dataset}")
    facts = [
        Instrument(symbol=f.ticker, venue=f.venue, sector=f.sector, calendar=CALENDAR) for f in FACTS[settings.dataset]
    ]
    records, instruments = with_instruments(result.records, {f.symbol: f for f in facts}, facts[0])
    metrics = {"records": float(records.height), "symbols": float(instruments.height)}
    metrics |= {f"refused_{rule}": float(n) for rule, n in result.refused.items()}
    return Outputs(records=records, instruments=instruments, metrics=metrics, notes=result.notes)
