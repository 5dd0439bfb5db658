"""A night on one page, beside its figures as JSON: what waits, what was tried, what it cost."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from harness.report.files import write_whole
from harness.report.template import page_style, render_template
from harness.report.text import Tile, number, percent, tone
from modules.workspace import Workspace
from supervisor.night.result import NightResult
from supervisor.result import VerdictLine

HERE = Path(__file__).parent
FOLDER = "nights"
STYLE = """
.scroll .numbers { display: table; }
.numbers td { vertical-align: top; }
.numbers .words, .numbers thead .words { text-align: left; }
.numbers .long { min-width: 24ch; white-space: normal; }
"""
PUBLISHED = 0.31
"""What a published desk of agents has accepted of its proposals."""


@dataclasses.dataclass(frozen=True)
class Line:
    """A verdict as the page shows it."""

    module: str
    changes: str
    suite: str
    verdict: str
    delta: str
    lower: str
    p: str
    level: str
    branch: str | None


def write_page(workspace: Workspace, night: NightResult) -> Path:
    """Write `.cws/reports/nights/<id>/night.html` and `night.json`; the page. Written again it is the same."""
    folder = workspace.reports / FOLDER / night.night_id
    folder.mkdir(parents=True, exist_ok=True)
    lines = [_line(line) for line in night.verdicts]
    values = {
        "night": night,
        "tiles": tiles(night),
        "lines": lines,
        "waiting": [line for line in lines if line.branch is not None],
    }
    page = render_template(HERE, "night.html.j2", values, {}, style=page_style(STYLE))
    write_whole(folder / "night.json", json.dumps(as_json(night), indent=1, sort_keys=True, allow_nan=False).encode())
    return write_whole(folder / "night.html", page.encode())


def as_json(night: NightResult) -> dict[str, object]:
    """All of it as plain values."""
    return {
        "night_id": night.night_id,
        "number": night.number,
        "seed": night.seed,
        "resumed": night.resumed,
        "reason": night.reason,
        "seconds": night.seconds,
        "budget_s": night.budget_s,
        "judged": night.judged,
        "shipped": night.shipped,
        "findings": [{"finding_id": f.finding_id, **_plain(f)} for f in night.findings],
        "pulls": [p.model_dump(mode="json") for p in night.pulls],
        "verdicts": [_plain(line) for line in night.verdicts],
        "notes": list(night.notes),
    }


def tiles(night: NightResult) -> tuple[Tile, ...]:
    """The headline figures."""
    gain = sum(p.gain for p in night.pulls)
    spent = sum(p.seconds for p in night.pulls)
    rate = percent(night.shipped / night.judged) if night.judged else "-"
    return (
        Tile("Shipped of judged", rate, f"{night.shipped} of {night.judged}; published {percent(PUBLISHED, 0)}"),
        Tile("Improvement that waits", number(gain, 2, signed=True), "Sharpe a year, summed", tone(gain)),
        Tile("Time", f"{night.seconds:.0f} s", f"of {night.budget_s:.0f} s; {spent:.0f} s of it in pulls"),
        Tile("Pulls", f"{len(night.pulls)}", f"modules and markets: {len({p.module for p in night.pulls})}"),
    )


def _line(line: VerdictLine) -> Line:
    return Line(
        module=line.module,
        changes=", ".join(f"{name} {c.old} to {c.new}" for name, c in line.patch.items()),
        suite=line.suite,
        verdict=line.verdict if line.verdict == "SHIP" else f"{line.verdict} ({line.reason})",
        delta=_signed(line.delta),
        lower=_signed(line.lower_bound),
        p=_short(line.p_value),
        level=_short(line.level),
        branch=line.branch,
    )


def _signed(value: float | None) -> str:
    return "-" if value is None else f"{value:+.3f}"


def _short(value: float | None) -> str:
    return "-" if value is None else f"{value:.2g}"


def _plain(value: object) -> dict[str, object]:
    """A frozen dataclass as JSON values; events within it as what they dump."""
    assert dataclasses.is_dataclass(value) and not isinstance(value, type)
    return {f.name: _value(getattr(value, f.name)) for f in dataclasses.fields(value)}


def _value(value: object) -> object:
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _plain(value)
    if isinstance(value, dict):
        return {str(k): _value(v) for k, v in value.items()}
    if isinstance(value, tuple | list):
        return [_value(v) for v in value]
    return value
