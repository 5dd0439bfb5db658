"""`cws runs`: every recorded run."""

from __future__ import annotations

from difflib import get_close_matches
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from cli.errors import RequestError
from cli.lazy import command_file
from cli.output import Json, emit, say

if TYPE_CHECKING:
    from modules.manifest import Manifest

app = command_file()


@app.command()
def runs(
    limit: Annotated[int, typer.Option(min=1, help="At most this many, the newest first.")] = 20,
    signal: Annotated[str | None, typer.Option(metavar="TEXT", help="Only signals that hold this text.")] = None,
    data: Annotated[str | None, typer.Option(metavar="NAME", help="Only runs on this data set.")] = None,
    sort: Annotated[
        str | None, typer.Option(metavar="METRIC", help="The highest first, like net_sharpe; runs without it last.")
    ] = None,
    json: Json = False,
) -> None:
    """Every recorded run, the newest or the best first."""
    from cli.present import rows, table
    from cli.session import stores

    every = stores().manifests
    wanted = (m for m in every if _is_wanted(m, signal, data))
    found = list(islice(wanted, limit)) if sort is None else _best(list(wanted), sort)[:limit]
    if not found and not json:
        narrowed = signal is not None or data is not None
        say("no run is like that" if narrowed else "no run yet; make one with [bold]cws run[/]")
        return
    more = () if sort in (None, "net_sharpe", "gross_sharpe") else (str(sort),)
    numbers = ("net sharpe", "gross sharpe", *more)
    made = table("run", "signal", "data", *numbers, "digest", right=numbers)
    cells = ((*_cells(m), *(m.metrics.get(name) for name in more), m.digest[:12]) for m in found)
    emit({"runs": [_row(m) for m in found]}, json, lambda out: out.print(rows(made, cells)))


def _is_wanted(manifest: Manifest, signal: str | None, data: str | None) -> bool:
    from cli.running import signal_of

    return (data is None or manifest.task.data == data) and (signal is None or signal in (signal_of(manifest) or ""))


def _best(found: list[Manifest], metric: str) -> list[Manifest]:
    """The highest first. A metric that no run has is refused: it is misspelt."""
    known = sorted({name for m in found for name in m.metrics})
    if found and metric not in known:
        near = ", ".join(get_close_matches(metric, known, n=3)) or ", ".join(known[:5])
        raise RequestError(f"--sort {metric}: no run has such a metric", f"there are {near}")
    return sorted(found, key=lambda m: -m.metrics.get(metric, float("-inf")))


def _row(manifest: Manifest) -> dict[str, object]:
    from cli.running import signal_of
    from modules.panel import iso

    return {
        "run_id": manifest.run_id,
        "digest": manifest.digest,
        "task_digest": manifest.task_digest,
        "data": manifest.task.data,
        "signal": signal_of(manifest),
        "start": iso(manifest.task.start_ns),
        "end": iso(manifest.task.end_ns),
        "seconds": manifest.seconds,
        "metrics": manifest.metrics,
    }


def _cells(manifest: Manifest) -> tuple[object, ...]:
    from cli.running import signal_of

    metrics = manifest.metrics
    return (
        manifest.run_id,
        signal_of(manifest),
        manifest.task.data,
        metrics.get("net_sharpe"),
        metrics.get("gross_sharpe"),
    )
