"""`cws runs`: every recorded run."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from cli.lazy import command_file
from cli.output import Json, emit, say

if TYPE_CHECKING:
    from modules.manifest import Manifest

app = command_file()


@app.command()
def runs(
    limit: Annotated[int, typer.Option(min=1, help="At most this many, the newest first.")] = 20,
    json: Json = False,
) -> None:
    """Every recorded run."""
    from cli.present import rows, table
    from cli.session import stores

    found = list(islice(stores().manifests, limit))
    if not found and not json:
        say("no run yet; make one with [bold]cws run[/]")
        return
    made = table("run", "signal", "data", "net sharpe", "gross sharpe", "digest", right=("net sharpe", "gross sharpe"))
    emit({"runs": [_row(m) for m in found]}, json, lambda out: out.print(rows(made, map(_cells, found))))


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
        manifest.digest[:12],
    )
