"""`cws promote`: may a run go on, to paper, micro or scale? The only command that opens a lockbox."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cli.errors import ExitCode, RequestError
from cli.lazy import command_file
from cli.output import Json, emit, say, working

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from harness.repository import Identity
    from supervisor.promotion.criteria import Criterion
    from supervisor.promotion.decide import Assessment, Decision

app = command_file()


@app.command()
def promote(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run id, any clear beginning of one, or `last`.")],
    to: Annotated[Literal["paper", "micro", "scale"], typer.Option(help="The level to go on to.")] = "paper",
    by: Annotated[
        str | None, typer.Option(metavar="'NAME <MAIL>'", help="The human who decides.", show_default="git's user")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Open the lockbox without asking; needs --by.")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Only say which criteria hold; decide and open nothing.")
    ] = False,
    pipeline: Annotated[
        Path | None, typer.Option(help="The pipeline file with the gates.", show_default="pipeline.yaml")
    ] = None,
    json: Json = False,
) -> int:
    """Decide whether a run may go on, by the gates in pipeline.yaml. Exit 3 where it may not.

    To paper: the run must be validated (`cws validate RUN`). Where everything else holds, and you confirm, the lockbox
    is opened: once for each strategy, and recorded first.
    """
    from cli.session import session
    from harness.repository import Repository
    from modules.task import load_pipeline
    from supervisor.promotion.decide import Decision, assess
    from supervisor.promotion.decide import promote as decide
    from supervisor.review import human_of

    if yes and by is None:
        raise RequestError("--yes opens the lockbox in nobody's name", "give --by 'NAME <MAIL>' with it")
    with session() as s:
        spec = load_pipeline(pipeline or s.workspace.root / "pipeline.yaml").promotion
        manifest = s.manifests.load(run)
        if check:
            done = Decision(assess(s.workspace, manifest, to, spec), None, None)
        else:
            human = human_of(Repository(s.workspace.root), by)
            with working("weighing"):
                done = decide(s.workspace, manifest, to, spec, human, s.emit, _asking(human, yes=yes, json=json))
    emit(_json(done), json, lambda out: _show(out, done))
    if not json:
        _say_next(done, check=check)
    if done.promoted or (check and done.assessment.ready):
        return ExitCode.OK
    return ExitCode.REFUSED


def _asking(human: Identity, *, yes: bool, json: bool) -> Callable[[Assessment], Identity | None]:
    """How the human confirms: by --yes, or by typing the run's id on a terminal; else nobody has."""

    def confirm(found: Assessment) -> Identity | None:
        if yes:
            return human
        if json or not sys.stdin.isatty():
            return None
        run_id = found.manifest.run_id
        for standing in found.standings:
            version = standing.version
            say(
                f"\nall criteria before the lockbox hold. The lockbox of {version.name} {version.version} was opened "
                f"for {standing.earlier} other strategies. Opening it spends the one look of this strategy."
            )
        return human if typer.prompt(f"type {run_id} to open it", default="", show_default=False) == run_id else None

    return confirm


def _json(done: Decision) -> dict[str, object]:
    """The stable fields of `cws promote --json`. `decision` null = nothing was decided."""
    record, found = done.record, done.assessment
    return {
        "run_id": found.manifest.run_id,
        "run_digest": found.manifest.digest,
        "strategy": found.strategy,
        "to": found.to,
        "decision": record.decision if record else None,
        "ready": found.ready,
        "promotion_id": record.promotion_id if record else None,
        "branch": done.branch,
        "criteria": record.criteria if record else found.criteria,
        "lockboxes": [
            {
                "data": s.version.name,
                "version": s.version.version,
                "looks_of_others": s.earlier,
                "exposed_share": s.exposed_share,
                "exposed_by": s.exposed_by,
                "spent": s.spent is not None,
            }
            for s in found.standings
        ],
        "lockbox": record.lockbox if record else None,
    }


def _show(out: Console, done: Decision) -> None:
    from cli.present import rows, table

    found, record = done.assessment, done.record
    out.print(f"[bold]{found.manifest.run_id}[/bold] to {found.to}; strategy {found.strategy[:16]}")
    made = table("criterion", "figure", "limit", "", "", right=("figure",))
    out.print(rows(made, map(_cells, record.criteria if record else found.criteria)))
    for s in found.standings:
        share = "unknown" if s.exposed_share is None else f"{s.exposed_share:.1%}"
        seen = f" ({', '.join(s.exposed_by)})" if s.exposed_by else ""
        spent = f"; spent by run {s.spent.run_id}" if s.spent else ""
        out.print(
            f"lockbox of {s.version.name} {s.version.version}: {s.earlier} looks by others, "
            f"{share} open elsewhere{seen}{spent}"
        )
    if record is not None:
        word = "[bold green]PROMOTE[/]" if done.promoted else "[bold red]REFUSE[/]"
        out.print(f"{word}  record {record.promotion_id}")


def _cells(c: Criterion) -> tuple[object, ...]:
    from rich.text import Text

    sign = {"at least": ">=", "at most": "<=", "below": "<"}[c.side]
    style = {"HOLDS": "bold green", "FAILS": "bold red"}.get(c.answer.value, "yellow")
    word = Text(c.answer.value.lower().replace("_", " "), style=style)
    return (c.name.replace("_", " "), c.figure, f"{sign} {c.limit:g}", word, c.words)


def _say_next(done: Decision, *, check: bool) -> None:
    run_id = done.assessment.manifest.run_id
    if done.branch is not None:
        say(f"\nnext: [bold]cws review show {done.branch}[/]; it counts once a human merged it")
    elif done.record is not None:
        say("\nrefused: what does not hold is named above; a figure that nobody measured is no pass")
    elif done.assessment.ready:
        word = "nothing was opened" if check else "not confirmed, nothing was opened"
        say(f"\n{word}; [bold]cws promote {run_id} --to {done.assessment.to}[/] at a terminal, or --by NAME --yes")
