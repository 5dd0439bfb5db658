"""What ingest/sample takes and gives."""

from __future__ import annotations

from dataclasses import dataclass

from modules.contract import Contract, Instruments, ModuleOutputs, Raw, Records


@dataclass(frozen=True)
class Inputs:
    """The raw rows of a bundled set."""

    raw: Raw


@dataclass(frozen=True, kw_only=True)
class Outputs(ModuleOutputs):
    """Bitemporal bars, and what their symbols are."""

    records: Records
    instruments: Instruments


CONTRACT = Contract(
    stage="ingest",
    name="sample",
    summary="The bundled sets us20 and us5 to bitemporal records.",
    objective="net_sharpe",
    objective_series="nav.net_return",
)
