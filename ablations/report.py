"""The verdict as a human reads it: markdown, a picture, and one self-contained HTML page. Regressions first."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ablations.floor import CONFIDENCE
from ablations.record import AblationRecord, write_record
from ablations.trials import FALSE_DISCOVERY_RATE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PICTURE = "ablation.png"
PAGE = "report.html"
TEXT = "report.md"

Table = tuple[Sequence[str], Iterable[Sequence[str]]]
_BLUE, _RED, _GREY = "#2f6f9f", "#b5482f", "#8a8f98"


def write_report(record: AblationRecord, folder: Path) -> list[Path]:
    """`record.json`, `report.md`, `report.html` and `ablation.png` below `folder`."""
    picture = draw_picture(record)
    paths = [write_record(record, folder), folder / TEXT, folder / PAGE, folder / PICTURE]
    paths[1].write_text(markdown(record))
    paths[2].write_text(page(record, picture))
    paths[3].write_bytes(picture)
    return paths


def markdown(record: AblationRecord) -> str:
    """The report as markdown, five minutes' reading; the picture is linked as a file beside it."""
    parts = [f"# {headline(record)}", "", record.verdict.message, "", *_sections(record, _markdown_table)]
    return "\n".join(parts).rstrip() + "\n"


def headline(record: AblationRecord) -> str:
    """`SHIP size/rank_neutral: no_trade_band 0.0 -> 0.02`."""
    verdict = " ".join(w for w in (record.verdict.word, record.verdict.label) if w)
    changes = [f"{k} {c.old!r} -> {c.new!r}" for k, c in record.patch.settings.items()]
    return f"{verdict}: {record.patch.module}, {', '.join(changes + sorted(record.patch.texts))}"


def page(record: AblationRecord, picture: bytes) -> str:
    """One HTML page with the picture inside and no external source."""
    image = base64.b64encode(picture).decode()
    body = [
        f"<h1>{html.escape(headline(record))}</h1>",
        f"<p>{html.escape(record.verdict.message)}</p>",
        f'<img alt="Differences by task and the noise floor" src="data:image/png;base64,{image}">',
        *(_html_line(line) for line in _sections(record, _html_table)),
    ]
    style = (
        "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1d2129}"
        "table{border-collapse:collapse;margin:.5rem 0 1.5rem}td,th{padding:.2rem .8rem;border-bottom:1px solid #ddd;"
        "text-align:right}td:first-child,th:first-child{text-align:left}img{max-width:100%}code{font-size:90%}"
    )
    title = html.escape(f"Ablation {record.ablation_id}")
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{style}</style></head><body>{''.join(body)}</body></html>\n"
    )


def draw_picture(record: AblationRecord) -> bytes:
    """PNG: the difference of each task, and what luck alone gives with the noise floor and the difference found."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10.0, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    if record.floor is None:
        for axis in (left, right):
            axis.set_axis_off()
        left.text(0.0, 0.5, f"No difference to draw: {record.verdict.label}")
    else:
        rows = sorted(zip(record.floor.effects, (t.name for t in record.tasks), strict=True))
        left.barh([n for _, n in rows], [e for e, _ in rows], color=[_RED if e < 0.0 else _BLUE for e, _ in rows])
        left.axvline(0.0, color="black", linewidth=0.8)
        left.set_xlabel("difference, Sharpe ratio a year")
        _draw_luck(right, record)
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=110, metadata={"Software": None})
    return out.getvalue()


def _draw_luck(axis: Axes, record: AblationRecord) -> None:
    assert record.floor is not None
    axis.hist(record.floor.curve[1:-1], bins=30, color=_GREY)
    floor = record.floor.noise_floor
    axis.axvline(floor, color=_RED, linestyle="--", label=f"noise floor {floor:+.3f}")
    axis.axvline(record.floor.delta, color=_BLUE, label=f"difference {record.floor.delta:+.3f}")
    axis.set_xlabel("difference by luck, Sharpe ratio a year")
    axis.set_yticks([])
    axis.legend(loc="upper left", fontsize="small")


def _sections(record: AblationRecord, table: Callable[[Table], list[str]]) -> list[str]:
    lines: list[str] = []
    if record.floor is not None:
        lines += ["## Difference and noise floor", "", *table(_difference(record)), ""]
    if record.swap is not None:
        lines += ["## Two modules", "", *(f"* {line}" for line in record.swap.lines), ""]
    lines += [f"## Tasks ({record.suite.name}), regressions first", "", *table(_tasks(record)), ""]
    if record.guards or record.runtime.guards:
        lines += ["## Guards", "", *table(_guards(record)), ""]
    lines += ["## What stands behind it", "", *table(_provenance(record)), ""]
    return lines


def _difference(record: AblationRecord) -> Table:
    floor = record.floor
    assert floor is not None
    rows = [
        ("difference (mean over tasks, Sharpe a year)", f"{floor.delta:+.4f}"),
        (f"lower bound ({CONFIDENCE:.0%}, tasks as clusters)", f"{floor.lower_bound:+.4f}"),
        ("noise floor at this trial's level", f"{floor.noise_floor:+.4f}"),
        ("p-value", f"{floor.p_value:.2g} ({floor.exceedances} of {floor.draws} draws)"),
        ("level asked by the stream of trials", f"{record.level:.2g} (trial {record.place})"),
        ("blocks of time", f"{floor.blocks:.0f} of {floor.block_length_bars:.1f} bars on average"),
    ]
    return ("", "value"), rows


def _tasks(record: AblationRecord) -> Table:
    effects = record.floor.effects if record.floor is not None else (None,) * len(record.tasks)
    order = sorted(zip(effects, record.tasks, strict=True), key=lambda r: (r[0] is not None, r[0] or 0.0, r[1].name))
    rows = []
    for effect, task in order:
        trouble = task.not_reproduced or task.not_contained or task.not_accepted
        rows.append(
            (
                task.name,
                _number(task.baseline_metrics.get("net_sharpe")),
                _number(task.patched_metrics.get("net_sharpe")),
                "" if effect is None else f"{effect:+.3f}",
                trouble[:160] or task.diverges[:160],
            )
        )
    return ("task", "net Sharpe before", "after", "difference", "first divergence"), rows


def _guards(record: AblationRecord) -> Table:
    readings = sorted(record.guards + record.runtime.guards, key=lambda g: (g.holds, -g.loss))
    rows = [
        (g.name, *(f"{x:.4g}" for x in (g.baseline, g.patched, g.loss, g.tolerance)), "yes" if g.holds else "NO")
        for g in readings
    ]
    return ("guard", "before", "after", "worse by", "tolerated", "holds"), rows


def _provenance(record: AblationRecord) -> Table:
    c = record.certificate
    gate = "none is current"
    if c.state == "CURRENT":
        sees = f"sees {c.minimum_detectable:.2f} Sharpe" if c.minimum_detectable else "sees nothing that was tried"
        shipped = f"{c.false_ships} of {c.patches} worthless patches shipped (at most {c.upper_bound:.1%})"
        gate = f"{c.certificate_id}: {shipped}, {sees}"
    rows = [
        ("ablation", record.ablation_id),
        ("A/A certificate", gate),
        ("false-discovery rate of the stream", f"{FALSE_DISCOVERY_RATE:.0%}"),
        ("suite", f"{record.suite.name} {record.suite.digest[:12]}"),
        ("data", f"{record.suite.data} {record.suite.data_digest[:12]}, {record.suite.start} to {record.suite.end}"),
        ("record", record.digest[:16]),
        ("seconds", f"{record.runtime.seconds:.1f}"),
        ("roll back", "git revert the merge commit; settings.yaml holds the old value again"),
    ]
    return ("", ""), rows


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _markdown_table(table: Table) -> list[str]:
    head, rows = table
    cells = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(str(c).replace("|", "\\|").replace("\n", " ") for c in row) + " |" for row in cells]


def _html_table(table: Table) -> list[str]:
    head, rows = table
    top = "".join(f"<th>{html.escape(c)}</th>" for c in head)
    body = "".join("<tr>" + "".join(f"<td>{html.escape(str(c))}</td>" for c in row) + "</tr>" for row in rows)
    return [f"<table><tr>{top}</tr>{body}</table>"]


def _html_line(line: str) -> str:
    return f"<h2>{html.escape(line[3:])}</h2>" if line.startswith("## ") else line
