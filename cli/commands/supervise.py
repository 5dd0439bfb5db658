"""`cws supervise`: the engine looks for a better setting of its own modules."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from cli.lazy import command_file
from cli.output import Json, emit, say, working

if TYPE_CHECKING:
    from collections.abc import Sequence

    from supervisor.finding import Finding
    from supervisor.result import SuperviseResult

app = command_file()


@app.command()
def supervise(
    suite: Annotated[str, typer.Option(help="The task suite that judges, a file below ablations/suites/.")] = "broad",
    seconds: Annotated[float, typer.Option(min=1.0, help="Begin nothing new after this time.")] = 600.0,
    ablations: Annotated[int, typer.Option(min=0, max=100, help="Judge at most this many patches.")] = 4,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes.")] = 2,
    watch: Annotated[
        bool, typer.Option("--watch", help="Follow the ledger until Ctrl-C: mine what is new, judge nothing.")
    ] = False,
    json: Json = False,
) -> None:
    """Mine the traces for patterns, patch settings within bounds, judge by ablation, open what clears the noise."""
    from cli.loop import supervise_workspace
    from cli.present_loop import show_supervision
    from cli.session import session

    if watch:
        follow(json)
        return

    with session() as s, working("mining") as update:
        result = supervise_workspace(
            s, suite=suite, seconds=seconds, ablations=ablations, workers=workers, progress=update
        )
    emit(supervise_json(result), json, lambda out: show_supervision(out, result))
    opened = [v.branch for v in result.verdicts if v.branch is not None]
    if opened and not json:
        say(f"\nnext: [bold]cws review show {opened[0]}[/]")


def follow(json: bool) -> None:
    """Say each finding once it is recorded; with --json one object a line. Ends with Ctrl-C or SIGTERM, exit 0."""
    import signal

    from cli.present_loop import show_finding
    from cli.session import session
    from supervisor.watch import watch

    def stop(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    def found(findings: Sequence[Finding]) -> None:
        for finding in findings:
            emit({"finding_id": finding.finding_id, **_fields(finding)}, json, partial(show_finding, finding))
        sys.stdout.flush()

    before = signal.signal(signal.SIGTERM, stop)
    try:
        with session() as s:
            say(f"following {s.workspace.ledger}; Ctrl-C ends it")
            done = watch(s.workspace, s.emit, found=found)
    finally:
        signal.signal(signal.SIGTERM, before)
    say(
        f"{done.looks} looks, {done.changes} at something new; miners were asked {done.asked} times: "
        f"{done.findings} new findings"
    )


def supervise_json(result: SuperviseResult) -> dict[str, object]:
    """The stable fields of `cws supervise --json`: findings and verdicts."""
    return {
        "findings": [{"finding_id": f.finding_id, **_fields(f)} for f in result.findings],
        "verdicts": [_fields(v) for v in result.verdicts],
        "notes": list(result.notes),
        "seconds": result.seconds,
    }


def _fields(line: object) -> dict[str, object]:
    from cli.output import plain

    found = plain(line)
    assert isinstance(found, dict), "a dataclass becomes an object"
    return found
