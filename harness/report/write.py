"""Write the report of a run: page, pictures and numbers, each whole or not at all."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from harness.report.charts import charts
from harness.report.drawing import render
from harness.report.files import json_bytes, without_nan, write_whole
from harness.report.page import Said, render_page
from harness.report.series import Artifacts, RunSeries, read_series
from harness.report.statistics import Statistics, statistics
from harness.report.warnings import notes, warnings
from modules.manifest import Manifest


@dataclass(frozen=True)
class ReportPaths:
    """What was written."""

    html: Path
    json: Path
    pngs: tuple[Path, ...]
    warnings: tuple[str, ...]
    notes: tuple[str, ...]


def write_report(manifest: Manifest, store: Artifacts, out_dir: Path, trials_count: int) -> ReportPaths:
    """Write `report.html` (self-contained), `report.json` and one PNG a chart into `out_dir`.

    `trials_count` is the number of trials this workspace has recorded so far: the context in which a
    Sharpe ratio must be read. Equal inputs give equal bytes.

    Raises RunError where the run did not reach `execute`, ArtifactError where an artifact is lost.
    """
    series = read_series(manifest, store)
    stats = statistics(series, trials_count)
    said = Said(warnings(series, stats, manifest.metrics), notes(manifest, series))
    drawn = {chart.name: (chart, *render(chart)) for chart in charts(series, stats)}
    out_dir.mkdir(parents=True, exist_ok=True)
    pngs = tuple(write_whole(out_dir / f"{name}.png", png) for name, (_, png, _) in drawn.items())
    numbers = report_numbers(manifest, series, stats, said, trials_count)
    page = render_page(manifest, series, stats, said, trials_count, {name: svg for name, (_, _, svg) in drawn.items()})
    return ReportPaths(
        html=write_whole(out_dir / "report.html", page.encode()),
        json=write_whole(out_dir / "report.json", json_bytes(numbers)),
        pngs=pngs,
        warnings=said.warnings,
        notes=said.notes,
    )


def report_numbers(
    manifest: Manifest, series: RunSeries, stats: Statistics, said: Said, trials_count: int
) -> dict[str, object]:
    """The numbers of the page for programs; None where a figure has no meaning."""
    values: dict[str, object] = {
        "run_id": manifest.run_id,
        "digest": manifest.digest,
        "task": manifest.task.model_dump(mode="json"),
        "task_digest": manifest.task_digest,
        "metrics": dict(manifest.metrics),
        "trials": trials_count,
        "warnings": list(said.warnings),
        "notes": list(said.notes),
        "statistics": {
            **{k: v for k, v in asdict(stats).items() if k != "months"},
            "months": {str(y): row for y, row in zip(stats.months.years, stats.months.months.tolist(), strict=True)},
        },
        "quantiles": [asdict(q) for q in series.quantiles],
        "judgement": [asdict(c) for c in series.judgement],
        "quality": [asdict(q) for q in series.quality],
        "decisions": dict(series.decisions),
        "stages": [s.model_dump(mode="json") for s in manifest.stages],
        "environment": dict(manifest.environment),
    }
    return without_nan(values)
