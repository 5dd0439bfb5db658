"""The figures of a report as plain values, for programs."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np

from harness.report.beside import Beside
from harness.report.files import without_nan
from harness.report.series import RunSeries
from harness.report.statistics import Statistics
from harness.report.study import Study
from harness.report.study.calendar import QUANTILES
from harness.report.tables_beside import apart
from harness.report.words import Said
from modules.manifest import Manifest
from modules.panel import iso
from modules.tail import LEVELS


def report_numbers(
    manifest: Manifest,
    series: RunSeries,
    stats: Statistics,
    study: Study,
    beside: Beside,
    said: Said,
    trials_count: int,
) -> dict[str, object]:
    """Everything on the page; None where a figure has no meaning."""
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
        "execution": {
            "total": asdict(series.execution.total()),
            "by_venue": {k: asdict(b) for k, b in series.execution.by("venue").items()},
            "by_when": {k: asdict(b) for k, b in series.execution.by("when").items()},
            "unpriced_orders": series.execution.unpriced,
        },
        "study": study_numbers(study),
        "cutoff": _apart(beside, series),
        "gap": None if beside.gap is None else asdict(beside.gap),
        "capacity": None if beside.capacity is None else asdict(beside.capacity),
        "stages": [s.model_dump(mode="json") for s in manifest.stages],
        "environment": dict(manifest.environment),
    }
    return without_nan(values)


def study_numbers(study: Study) -> dict[str, object]:
    """Tables as lists of rows; series over time are left to `RunReport.returns`."""
    d, e, c = study.dependence, study.exposure, study.correlation
    means = {name: float(getattr(e, name).mean()) for name in ("long", "short", "net", "gross", "largest", "effective")}
    return {
        "levels": list(LEVELS),
        "tails": asdict(study.tails),
        "autocorrelation": d.acf.tolist(),
        "autocorrelation_of_squares": d.acf_squares.tolist(),
        "ljung_box": [asdict(t) for t in d.ljung_box],
        "unit_root": [{**asdict(r), "stationary": r.stationary} for r in d.roots],
        "sharpe_factor": d.sharpe_factor,
        "seasonality": [asdict(s) for s in study.seasonality],
        "period_probabilities": list(QUANTILES),
        "periods": [asdict(p) for p in study.periods],
        "years": [asdict(y) for y in study.years],
        "calendar": {
            "rows": list(study.heat.rows),
            "columns": list(study.heat.columns),
            "across": study.heat.across,
            "traded": study.heat.traded.tolist(),
            "net": study.heat.net.tolist(),
        },
        "drawdowns": [
            {
                **asdict(w),
                "peak": iso(w.peak_ns),
                "trough": iso(w.trough_ns),
                "recovered": None if w.recovered_ns is None else iso(w.recovered_ns),
            }
            for w in study.drawdowns
        ],
        "rolling": _last(study),
        "beta": asdict(study.beta),
        "factors": asdict(study.own),
        "given_factors": None if study.given is None else asdict(study.given),
        "round_trips": [asdict(t) for t in study.trip_figures],
        "mean_exposure": means,
        "composition": {
            "of": study.composition.of,
            "mean_long": dict(zip(study.composition.names, study.composition.long.mean(axis=0).tolist(), strict=True)),
            "mean_short": dict(
                zip(study.composition.names, study.composition.short.mean(axis=0).tolist(), strict=True)
            ),
        },
        "holdings": [asdict(h) for h in study.holdings],
        "correlation": {"names": list(c.names), "values": c.values.tolist(), "mean_of_all_pairs": c.mean},
    }


def _apart(beside: Beside, series: RunSeries) -> object:
    found = apart(beside, series)
    return None if found is None else found.model_dump(mode="json")


def _last(study: Study) -> dict[str, object]:
    """Window, and of each measure its last value and its range."""
    r = study.rolling
    out: dict[str, object] = {"window_bars": r.window_bars}
    for name in ("sharpe", "volatility", "beta", "max_drawdown"):
        values = getattr(r, name)
        known = values[np.isfinite(values)]
        low_high = (float(known.min()), float(known.max())) if known.size else (None, None)
        out[name] = {"last": float(values[-1]) if values.size else None, "lowest": low_high[0], "highest": low_high[1]}
    return out
