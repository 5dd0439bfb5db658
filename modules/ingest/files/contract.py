"""What ingest/files takes and gives."""

from __future__ import annotations

from dataclasses import dataclass

from modules.contract import Contract, Instruments, ModuleOutputs, Raw, Records


@dataclass(frozen=True)
class Inputs:
    """The raw rows of registered files."""

    raw: Raw


@dataclass(frozen=True, kw_only=True)
class Outputs(ModuleOutputs):
    """Bitemporal bars, and what their symbols are."""

    records: Records
    instruments: Instruments


CONTRACT = Contract(
    stage="ingest",
    name="files",
    summary="Registered CSV and Parquet files to bitemporal records.",
    objective="net_sharpe",
    objective_series="nav.net_return",
)
