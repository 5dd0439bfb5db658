"""Rows of registered files to records."""

from __future__ import annotations

from modules.contract import Context
from modules.ingest.files.contract import Inputs, Outputs
from modules.ingest.files.settings import Settings
from modules.ingest.instruments import Instrument, from_text, with_instruments
from modules.ingest.normalise import normalise, refuse_if_too_many

# How many refused rows are too many was decided when the files were added; here only "nothing left" is an error.
ALL_REFUSED = 1.0


def run(inputs: Inputs, settings: Settings, context: Context) -> Outputs:
    """Read the rows by the layout in `settings`. Metrics: records, symbols, `refused_<rule>`.

    Raises DataError where no row is usable or the columns named are not there.
    """
    result = normalise(inputs.raw, settings)
    refuse_if_too_many(result, ALL_REFUSED, "registered files")
    default = Instrument(symbol="?", venue=settings.venue, currency=settings.currency, calendar=settings.calendar)
    records, instruments = with_instruments(result.records, from_text(settings.instruments), default)
    metrics = {"records": float(records.height), "symbols": float(instruments.height)}
    metrics |= {f"refused_{rule}": float(n) for rule, n in result.refused.items()}
    return Outputs(records=records, instruments=instruments, metrics=metrics, notes=result.notes)
