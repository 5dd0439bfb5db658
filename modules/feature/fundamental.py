"""What modules that read facts share: inputs, settings, and the members' fields as they were known at each bar."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence
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
from modules.groups import GROUP_FIELDS, with_groups
from modules.panel import Panel
from modules.signal import Node, fields_of
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
    outputs = run_family_on(grouped_panel(inputs, names, settings.stale_days), settings, context)
    return dataclasses.replace(outputs, notes=(*outputs.notes, *silence(inputs, names)))


def accept_fundamental(inputs: Inputs, outputs: Outputs, settings: FundamentalSettings) -> list[Violation]:
    """What `accept_with_facts` asks of the family's signal."""
    return accept_with_facts(signal_of(settings), inputs, outputs, settings.stale_days)


def accept_with_facts(node: Node, inputs: Inputs, outputs: Outputs, stale_days: int) -> list[Violation]:
    """As for any signal, with values asked for of each symbol from its first value on: four quarters must have been
    filed before there are any. And: taking away what was filed after a bar changes nothing up to that bar."""
    sources = _sources(inputs)
    panel = with_fundamentals(sources, fields_of(node) - set(GROUP_FIELDS), stale_days)
    grouped = with_groups(panel, inputs.instruments)
    values = outputs.signal["signal"]
    if values.shape != panel.shape:
        return accept_signal(node, grouped, outputs.signal)
    began = np.logical_or.accumulate(~np.isnan(values), axis=0)
    found = accept_signal(node, grouped, outputs.signal, np.where(began, inputs.bars["close"], np.nan))
    cuts = sample_rows(panel.shape[0], int(np.argmax(began.any(axis=1))), seed=0, samples=CUTS)
    ahead = looks_ahead(sources, panel, stale_days, cuts)
    if ahead is not None:
        found.append(Violation("signal", "reads facts before they were known", 1, (ahead,)))
    return found


def fields_read(rows: Sequence[Feature]) -> set[str]:
    """Every field that the rows name."""
    return set().union(*(fields_of(row.node) for row in rows))


def grouped_panel(inputs: Inputs, names: Collection[str], stale_days: int) -> Panel:
    """The bars, the groups of their symbols, and those of `names` that are made of facts."""
    panel = with_fundamentals(_sources(inputs), set(names) - set(GROUP_FIELDS), stale_days)
    return with_groups(panel, inputs.instruments)


def silence(inputs: Inputs, names: Collection[str]) -> tuple[str, ...]:
    """A note on the concepts that `names` read and the facts never state."""
    silent = not_stated(inputs.facts, set(names) - set(inputs.bars.fields))
    return (f"the facts never state {', '.join(silent)}: missing everywhere",) if silent else ()


def _sources(inputs: Inputs) -> Sources:
    return Sources(inputs.bars, inputs.instruments, inputs.records, inputs.facts)
