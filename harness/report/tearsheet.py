"""The run through quantstats: a page that many desks know, computed by others than us.

Its figures follow its own conventions (a day is the unit, so bars within a day are compounded first); where they differ
from the report's, the report says how it computes.
"""

from __future__ import annotations

import html
import logging
import re
import tempfile
import warnings
from pathlib import Path

import numpy as np

from harness.report.files import write_whole
from harness.report.report import RunReport
from harness.report.study.calendar import compounded
from modules.engine.metrics import bars_per_day
from modules.manifest import RunError
from modules.panel import FloatArray

_DAY_NS = 86_400_000_000_000
LEAST_DAYS = 30


def write_tearsheet(report: RunReport, path: Path) -> Path:
    """Write quantstats' page of the daily net returns beside the mean of all symbols; it fetches nothing.

    Raises RunError where there are too few days, or no return to draw.
    """
    account = report.series.account
    days = account.ts // _DAY_NS
    net, market = (_daily(days, r) for r in (account.net_return, report.study.market))
    if net.size < LEAST_DAYS or np.ptp(net) == 0.0:
        raise RunError(
            f"run {report.manifest.run_id} has {net.size} days, {int((net != 0).sum())} of them with a return; a tear "
            f"sheet needs {LEAST_DAYS} days that move"
        )
    import pandas as pd
    import quantstats

    index = pd.to_datetime(np.unique(days) * _DAY_NS)
    per_year = max(1, round(report.stats.bars_per_year / bars_per_day(account.ts)))
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)  # it asks for a font that few machines have
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own use of pandas and seaborn
        draft = Path(folder) / "quantstats.html"
        quantstats.reports.html(  # type: ignore[no-untyped-call]
            pd.Series(net, index=index, name="run"),
            benchmark=pd.Series(market, index=index, name="mean of all symbols"),
            title=html.escape(f"Run {report.manifest.run_id}"),
            output=str(draft),
            periods_per_year=per_year,
        )
        page = draft.read_text(encoding="utf-8")
    return write_whole(path, re.sub(r'<link rel="shortcut icon"[^>]*>', "", page).encode())


def _daily(days: np.ndarray, returns: FloatArray) -> FloatArray:
    return compounded(days.astype(np.int64), returns)
