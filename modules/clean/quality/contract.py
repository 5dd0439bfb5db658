"""What clean/quality takes and gives."""

from __future__ import annotations

from dataclasses import dataclass

from modules.contract import Bars, Contract, Guard, Instruments, ModuleOutputs, Quality, Records


@dataclass(frozen=True)
class Inputs:
    """Records as they stood at one moment (through `as_of`), and what the symbols are."""

    records: Records
    instruments: Instruments


@dataclass(frozen=True, kw_only=True)
class Outputs(ModuleOutputs):
    """Total-return bars, and a row for each cell that a rule touched."""

    bars: Bars
    quality: Quality


CONTRACT = Contract(
    stage="clean",
    name="quality",
    summary="Records to panels; flags what looks wrong, repairs only by declared rule.",
    objective="net_sharpe",
    objective_series="nav.net_return",
    guards=(Guard(metric="coverage", better="higher", tolerance=0.005),),
)
