"""What families that read facts share: inputs, settings, and the members' fields as they were known at each bar."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import Field

from modules.contract import Bars, Context, Facts, Instruments, Records, Violation
from modules.feature.contract import Outputs
from modules.feature.evaluation import CUTS, accept_signal
from modules.feature.family import run_family_on, signal_of
from modules.feature.row import Feature
from modules.feature.settings import FamilySettings
from modules.fundamentals import Sources, looks_ahead, not_stated, with_fundamentals
from modules.groups import with_groups
from modules.panel import Panel
from modules.signal import fields_of
from modules.signal.prove import sample_rows


@dataclass(frozen=True)
class Inputs:
    """What the module reads. `records` hold the close as it was traded, which bars do not."""

    bars: Bars
    instruments: Instruments
    records: Records
    facts: Facts


class FundamentalSettings(FamilySettings):
    """As `FamilySettings`; a figure whose period ended more than `stale_days` before a bar is missing at that bar."""

    least_present: float = Field(default=0.5, ge=0.1, le=1.0)
    stale_days: int = Field(default=300, ge=100, le=1000)


def run_fundamental(inputs: Inputs, settings: FundamentalSettings, context: Context) -> Outputs:
    """The members as one signal: `signal` at bar t reads bars <= t and facts accepted by the moment bar t is known.

    Raises FactsError where bars and facts do not go together, SignalError where a member cannot be evaluated.
    """
    names = fields_read(settings.rows())
    panel = with_groups(_panel(inputs, settings), inputs.instruments)
    outputs = run_family_on(panel, settings, context)
    silent = not_stated(inputs.facts, names - set(inputs.bars.fields))
    notes = (f"the facts never state {', '.join(silent)}: missing everywhere",) if silent else ()
    return dataclasses.replace(outputs, notes=(*outputs.notes, *notes))


def accept_fundamental(inputs: Inputs, outputs: Outputs, settings: FundamentalSettings) -> list[Violation]:
    """As for any signal, with values asked for of each symbol from its first value on: four quarters must have been
    filed before there are any. And: taking away what was filed after a bar changes nothing up to that bar."""
    panel = _panel(inputs, settings)
    grouped = with_groups(panel, inputs.instruments)
    values = outputs.signal["signal"]
    if values.shape != panel.shape:
        return accept_signal(signal_of(settings), grouped, outputs.signal)
    began = np.logical_or.accumulate(~np.isnan(values), axis=0)
    expected = np.where(began, inputs.bars["close"], np.nan)
    found = accept_signal(signal_of(settings), grouped, outputs.signal, expected)
    cuts = sample_rows(panel.shape[0], int(np.argmax(began.any(axis=1))), seed=0, samples=CUTS)
    ahead = looks_ahead(_sources(inputs), panel, settings.stale_days, cuts)
    if ahead is not None:
        found.append(Violation("signal", "reads facts before they were known", 1, (ahead,)))
    return found


def fields_read(rows: Sequence[Feature]) -> set[str]:
    """Every field that the rows name."""
    return set().union(*(fields_of(row.node) for row in rows))


def _panel(inputs: Inputs, settings: FundamentalSettings) -> Panel:
    return with_fundamentals(_sources(inputs), fields_read(settings.rows()), settings.stale_days)


def _sources(inputs: Inputs) -> Sources:
    return Sources(inputs.bars, inputs.instruments, inputs.records, inputs.facts)
