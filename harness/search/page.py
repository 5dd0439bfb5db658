"""What a search leaves to read: a surface as picture, a page, and the figures."""

from __future__ import annotations

import html
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from harness.report.drawing import Chart, instead, new_figure, render
from harness.report.files import json_bytes, without_nan, write_whole
from harness.report.theme import DARK, LIGHT, variables
from harness.search.search import Request, Result
from harness.search.surface import KEPT
from harness.search.trial import Tried
from modules.panel import iso

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class SearchPaths:
    """What was written."""

    html: Path
    json: Path
    png: Path


def write_search(request: Request, result: Result, folder: Path) -> SearchPaths:
    """`search.html`, `search.json` and `surface.png` in `folder`. Equal results give equal bytes."""
    chart = Chart("surface", "The first objective over the searched values", lambda: draw(request, result))
    png, svg = render(chart)
    folder.mkdir(parents=True, exist_ok=True)
    return SearchPaths(
        html=write_whole(folder / "search.html", _page(request, result, svg).encode()),
        json=write_whole(folder / "search.json", json_bytes(without_nan(figures(request, result)))),
        png=write_whole(folder / "surface.png", png),
    )


def figures(request: Request, result: Result) -> dict[str, object]:
    """The result as plain values."""
    best, flat = result.best, result.plateau
    return {
        "search_id": result.search_id,
        "data": result.data,
        "data_digest": result.data_digest,
        "first": result.first,
        "last": result.last,
        "method": request.method,
        "seed": request.seed,
        "objectives": list(request.objectives),
        "trials_on_this_data": result.counted,
        "best": None if best is None else trial_row(request, best),
        "plateau": None if flat is None else {"neighbours": flat.neighbours, "width": flat.width, "mean": flat.mean},
        "front": list(result.front),
        "trials": [trial_row(request, t) for t in result.trials],
        "walk_forward": [
            {"chosen": s.chosen, "before": s.before, "value": s.value, "first": iso(s.first_ns), "last": iso(s.last_ns)}
            for s in result.steps
        ],
        "walked": result.walked,
    }


def trial_row(request: Request, tried: Tried) -> dict[str, object]:
    """One trial as plain values."""
    return {
        "number": tried.number,
        **request.space.values(tried.point),
        **dict(zip(request.objectives, tried.values, strict=True)),
        "signal": tried.signal,
        "run_digest": tried.run_digest,
        "why": tried.why,
    }


def draw(request: Request, result: Result) -> Figure:
    """One axis: the objective over it. More: over the first two, the better the brighter, the rest at their best."""
    figure = new_figure(7.2, 4.2)
    axes = figure.subplots()
    good = [t for t in result.trials if math.isfinite(t.values[0])]
    name = request.objectives[0]
    if not good:
        return instead(figure, axes, "no trial gave a figure")
    first = request.space.axes[0]
    x = np.array([t.point[0] for t in good])
    z = np.array([t.values[0] for t in good])
    best = good[int(np.argmax(z))]
    axes.set_xlabel(first.name)
    axes.set_title(f"{name} of {len(good)} trials; ring: the best")
    if len(request.space.axes) == 1:
        order = np.argsort(x, kind="stable")
        axes.plot(x[order], z[order], color=LIGHT["net"], marker="o", markersize=3)
        axes.scatter([best.point[0]], [best.values[0]], s=120, facecolors="none", edgecolors=LIGHT["loss"], zorder=3)
        axes.set_ylabel(name)
        return figure
    y = np.array([t.point[1] for t in good])
    order = np.argsort(z, kind="stable")  # the best of equal places is drawn last, on top
    drawn = axes.scatter(x[order], y[order], c=z[order], cmap="viridis", s=_side(result), marker="s")
    axes.scatter([best.point[0]], [best.point[1]], s=170, facecolors="none", edgecolors=LIGHT["loss"], zorder=3)
    axes.set_ylabel(request.space.axes[1].name)
    figure.colorbar(drawn, ax=axes, label=name)
    return figure


def _side(result: Result) -> float:
    """Area of a point's square, so that those of a full grid nearly touch."""
    per_axis = max(2.0, math.sqrt(len({t.point[:2] for t in result.trials})))
    return float(min(2_500.0, max(20.0, (260.0 / per_axis) ** 2 * 0.6)))


def plateau_words(request: Request, result: Result) -> str:
    """The plateau's width in a sentence."""
    flat = result.plateau
    if flat is None:
        return "no trial gave a figure"
    if flat.width is None:
        return f"plateau: not measured ({flat.neighbours} neighbours within {request.reach:.0%} of each range)"
    return (
        f"plateau: {flat.width:.0%} of {flat.neighbours} neighbours (within {request.reach:.0%} of each range) keep "
        f"{KEPT:.0%} of the peak; their mean is {flat.mean:.3g}"
    )


def _page(request: Request, result: Result, svg: str) -> str:
    ranked = sorted(result.trials, key=lambda t: (-t.values[0] if math.isfinite(t.values[0]) else math.inf, t.number))
    rows = [trial_row(request, t) for t in ranked]
    names = ["number", *(a.name for a in request.space.axes), *request.objectives, "why"]
    head = "".join(f"<th>{html.escape(n)}</th>" for n in names)
    body = "".join("<tr>" + "".join(f"<td>{_cell(row[n])}</td>" for n in names) + "</tr>" for row in rows)
    what = html.escape(request.space.signal or "settings of the modules in force")
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Search</title><style>'
        f":root{{{variables(LIGHT)}}}@media(prefers-color-scheme:dark){{:root{{{variables(DARK)}}}}}"
        "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:var(--ink);"
        "background:var(--paper)}table{border-collapse:collapse;font-variant-numeric:tabular-nums}"
        "td,th{padding:.2rem .7rem;text-align:right;border-bottom:1px solid var(--grid)}svg{width:100%}</style>"
        f"<h1>{what}</h1><p>{html.escape(request.method)}, seed {request.seed}, {len(result.trials)} trials on "
        f"{html.escape(result.data)}, discovery data only ({result.first[:10]} to {result.last[:10]}); "
        f"{result.counted} trials on this data in the ledger.</p>"
        f"<p>{html.escape(plateau_words(request, result))}</p>{svg}"
        f"<table><tr>{head}</tr>{body}</table></html>\n"
    )


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}" if math.isfinite(value) else "-"
    return html.escape(str(value))
