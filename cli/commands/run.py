"""`cws run`: one task through the pipeline."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.lazy import command_file
from cli.output import MAX_SEED, Json, emit, say, working

if TYPE_CHECKING:
    from rich.console import Console

    from harness.report import ReportPaths
    from modules.manifest import Manifest

app = command_file()


@app.command()
def run(
    pipeline: Annotated[
        Path | None, typer.Argument(metavar="[PIPELINE]", help="A pipeline file.", show_default="pipeline.yaml")
    ] = None,
    signal: Annotated[str | None, typer.Option(help="An expression, in place of the pipeline's.")] = None,
    data: Annotated[str | None, typer.Option(help="A registered data set.")] = None,
    facts: Annotated[str | None, typer.Option(help="A registered set of facts beside the bars.")] = None,
    start: Annotated[str | None, typer.Option("--from", metavar="DATE", help="Trade from this date.")] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="DATE", help="Up to and with this date.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, max=MAX_SEED, help="Seed of everything random.")] = None,
    report: Annotated[bool, typer.Option(help="Write the report page.")] = True,
    cache: Annotated[bool, typer.Option(help="Reuse stages that were computed before.")] = True,
    json: Json = False,
) -> None:
    """Run the pipeline, or one signal through it."""
    from cli.running import RunRequest, report_run, run_request
    from cli.session import session

    with session() as s, working("running"):
        request = RunRequest(
            pipeline or s.workspace.root / "pipeline.yaml", signal, data, facts, start, end, seed, cache
        )
        manifest = run_request(s, request)
        written = report_run(s, manifest) if report else None
    emit(run_json(manifest, written), json, lambda out: show(out, manifest, written))
    if not json:
        say(f"\nnext: [bold]cws replay {manifest.run_id}[/] runs it again and compares every bit")


def run_json(manifest: Manifest, written: ReportPaths | None) -> dict[str, object]:
    """The stable fields of `cws run --json`."""
    return {
        "run_id": manifest.run_id,
        "digest": manifest.digest,
        "task_digest": manifest.task_digest,
        "data": {"name": manifest.task.data, "digest": manifest.task.data_digest},
        "facts": {"name": manifest.task.facts, "digest": manifest.task.facts_digest} if manifest.task.facts else None,
        "signal": manifest.task.signal,
        "stages": [
            {"stage": s.stage, "module": s.module, "digest": s.digest, "seconds": s.seconds, "cached": s.cached}
            for s in manifest.stages
        ],
        "metrics": manifest.metrics,
        "warnings": list(written.warnings) if written else None,
        "notes": list(written.notes) if written else None,
        "report": {"html": written.html, "json": written.json} if written else None,
    }


def show(out: Console, manifest: Manifest, written: ReportPaths | None) -> None:
    """Figures first, then what was run, then where the report lies."""
    from cli.present import metrics_table, stages_table
    from cli.running import signal_of
    from modules.panel import iso

    task = manifest.task
    beside = f" with {task.facts}" if task.facts else ""
    out.print(f"[bold]{signal_of(manifest)}[/bold]  on {task.data}{beside}, {iso(task.start_ns)} to {iso(task.end_ns)}")
    for text in written.warnings if written else ():
        out.print(f"[bold red]! {text}[/]")
    for text in written.notes if written else ():
        out.print(f"note: {text}", markup=False)
    out.print(metrics_table(manifest.metrics))
    out.print(stages_table(manifest))
    out.print(f"run    {manifest.run_id}\ndigest {manifest.digest}")
    if written:
        out.print(f"report {written.html}", soft_wrap=True)
