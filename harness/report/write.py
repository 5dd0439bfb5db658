"""Write the report of a run: page, pictures and numbers, each whole or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.report.beside import Beside
from harness.report.files import json_bytes, write_whole
from harness.report.report import RunReport
from harness.report.series import Artifacts
from modules.manifest import Manifest


@dataclass(frozen=True)
class ReportPaths:
    """What was written."""

    html: Path
    json: Path
    pngs: tuple[Path, ...]
    warnings: tuple[str, ...]
    notes: tuple[str, ...]


def write_report(
    manifest: Manifest, store: Artifacts, out_dir: Path, trials_count: int, beside: Beside | None = None
) -> ReportPaths:
    """Make the report of a run and write it. Raises what `RunReport.of` raises."""
    return write(RunReport.of(manifest, store, trials_count, beside), out_dir)


def write(report: RunReport, out_dir: Path, *, pictures: bool = True) -> ReportPaths:
    """Write `report.html` (self-contained) and `report.json` into `out_dir`, and, with `pictures`, one PNG a chart.

    Equal inputs give equal bytes. Nothing is written where a picture cannot be made.
    """
    page, numbers = report.page(), json_bytes(report.numbers())
    pngs = report.pngs() if pictures else {}
    out_dir.mkdir(parents=True, exist_ok=True)
    return ReportPaths(
        html=write_whole(out_dir / "report.html", page.encode()),
        json=write_whole(out_dir / "report.json", numbers),
        pngs=tuple(write_whole(out_dir / f"{name}.png", png) for name, png in pngs.items()),
        warnings=report.said.warnings,
        notes=report.said.notes,
    )
